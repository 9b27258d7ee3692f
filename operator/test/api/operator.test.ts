// The operator against a real kube-apiserver and etcd: the way of one system from nothing to Ready, and back to it.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { aPlace, becomes, eventually, stop, type Conditioned, type Place, type Running } from './harness.ts';

describe('the operator', () => {
  let place: Place;
  let running: Running;
  const writes = async ({ registry }: Running): Promise<number> => {
    const found = (await registry.getSingleMetric('rest_client_requests_total')?.get())?.values ?? [];
    const ours = found.filter(({ labels }) => ['PATCH', 'POST', 'DELETE'].includes(String(labels['method'])));
    return ours.reduce((sum, { value }) => sum + value, 0);
  };
  /** What controllers and kubelets would do: every Deployment and StatefulSet is as it should be. */
  async function bringUp(): Promise<void> {
    const found = await place.json<{ items: { kind: string; metadata: { name: string; generation: number } }[] }>(
      'get',
      'deploy,sts',
    );
    for (const { kind, metadata } of found.items) {
      const status = {
        observedGeneration: metadata.generation,
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
      };
      await place.kubectl([
        'patch',
        kind,
        metadata.name,
        '--subresource=status',
        '--type=merge',
        '-p',
        JSON.stringify({ status }),
      ]);
    }
  }

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem();
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });

  it('makes every part, and a document of which it waits for proof', async () => {
    await eventually('the last part', () => place.json('get', 'deploy', 'demo-gateway'));
    const { hash } = await eventually('a document', place.published);
    assert.match(hash, /^[0-9a-f]{16}$/);
    const ready = await eventually('a status', () => place.condition('tsys', 'Ready'));
    assert.equal(ready.status, 'False');
    assert.equal(
      (await eventually('a status of RiskParams', () => place.condition('rp', 'Ready'))).reason,
      'Propagating',
    );
  });

  it('is Ready when everything is up and acknowledged, and so are RiskParams and RouterRules', async () => {
    await bringUp();
    await place.acknowledge();
    for (const kind of ['tsys', 'rp', 'rr']) {
      await becomes(`${kind} Ready`, async () => (await place.condition(kind, 'Ready'))?.status === 'True');
      const { metadata, status } = await place.json<Conditioned>('get', kind, 'demo');
      assert.equal(status?.observedGeneration, metadata.generation);
    }
  });

  it('writes nothing when nothing happens', async () => {
    // What is still to be told of the test before may come late; for as long as six looks of its own nothing does then.
    await becomes('idle', async () => {
      const before = await writes(running);
      await delay(3_000);
      return (await writes(running)) === before;
    });
  });

  it('is not Ready for a moment between a change of the spec and the pods that it asks for', async () => {
    const said: string[] = [];
    const undo = running.operator.stores.systems.onChange(({ metadata, status }) => {
      if (status?.observedGeneration !== metadata.generation) return;
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      said.push(`${metadata.generation} ${ready?.status} ${ready?.reason}`);
    });
    const before = (await place.json<Conditioned>('get', 'tsys', 'demo')).metadata.generation;
    // The param server is restarted in no order.
    await place.patch('tsys', { components: { paramServer: { resources: { requests: { cpu: '30m' } } } } });
    const next = await eventually('a status of it', async () => said.find((one) => one.startsWith(`${before + 1} `)));
    assert.equal(next, `${before + 1} False ComponentsNotReady`);
    undo();
    await bringUp();
    await becomes('Ready', async () => (await place.condition('tsys', 'Ready'))?.status === 'True');
  });

  it('publishes a change of RiskParams, and calls it Active only when it is acknowledged', async () => {
    const old = await place.published();
    await place.patch('rp', { positionSizing: { kellyFraction: 0.15 } });
    const next = await eventually('the next document', async () => {
      const document = await place.published();
      return document.hash === old.hash ? undefined : document;
    });
    assert.deepEqual([next.version, next.risk.params.positionSizing.kellyFraction], [old.version + 1, 0.15]);
    await becomes('not proven', async () => (await place.condition('rp', 'Ready'))?.status === 'False');
    await place.acknowledge();
    await becomes('Active', async () => (await place.condition('rp', 'Ready'))?.reason === 'Active');
  });

  it('carries a Hold into the document, says who made it, and takes it out when it is deleted', async () => {
    await place.createHold('demo');
    const held = await eventually('the Hold', async () => (await place.published()).holds[0]);
    assert.deepEqual([held.id, held.effect, held.by], ['demo', 'StopTrading', 'somebody']);
    await becomes('Held', async () => (await place.condition('tsys', 'TradingEnabled'))?.reason === 'Held');
    await place.acknowledge();
    await becomes('in force', async () => (await place.condition('hold', 'Ready'))?.reason === 'InForce');
    await place.kubectl(['delete', 'hold', 'demo']);
    await becomes('lifted', async () => (await place.published()).holds.length === 0);
    await place.acknowledge();
  });

  for (const [title, args, restored] of [
    ['deleted Deployment', ['delete', 'deploy', 'demo-router-0'], ['get', 'deploy', 'demo-router-0']],
    ['deleted Service', ['delete', 'svc', 'demo-gateway'], ['get', 'svc', 'demo-gateway']],
  ] as const)
    it(`puts a ${title} back`, async () => {
      await place.kubectl(args);
      await eventually('it is back', () => place.json(...restored));
    });

  it('puts an edited object right', async () => {
    const replicas = async () =>
      (await place.json<{ spec: { replicas: number } }>('get', 'deploy', 'demo-harmoniser-0')).spec.replicas;
    await place.kubectl(['scale', 'deploy', 'demo-harmoniser-0', '--replicas=3']);
    await becomes('1 again', async () => (await replicas()) === 1);
    await place.kubectl(['label', 'svc', 'demo-redis', 'app.kubernetes.io/managed-by-']);
    const labels = async () =>
      (await place.json<{ metadata: { labels: object } }>('get', 'svc', 'demo-redis')).metadata.labels;
    await becomes('labelled', async () => 'app.kubernetes.io/managed-by' in (await labels()));
  });

  it('never reads a Secret, and never changes or doubles the one it made', async () => {
    const secrets = async () =>
      (
        await place.json<{ items: { metadata: { name: string; resourceVersion: string } }[] }>('get', 'secrets')
      ).items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
    const before = await secrets();
    assert.match(before.join(), /^demo-redis-[0-9a-f]{8} \d+$/);
    await place.kubectl(['annotate', 'tsys', 'demo', `touched=${Date.now()}`, '--overwrite']);
    await delay(500);
    assert.deepEqual(await secrets(), before);
  });

  it('hands over at once when stopped, and the next one goes on in a later epoch without touching anything', async () => {
    const old = await place.published();
    await stop(running);
    running = await place.start('operator-2');
    await place.patch('rp', { positionSizing: { kellyFraction: 0.14 } });
    const next = await eventually('a document of the next', async () => {
      const document = await place.published();
      return document.hash === old.hash ? undefined : document;
    });
    assert.ok(next.epoch > old.epoch, `${next.epoch} > ${old.epoch}`);
    assert.equal(running.api.connections, 1);
  });

  it('is Reconciling, and says why, while a reference is not there; and keeps the document', async () => {
    const { hash } = await place.published();
    await place.patch('tsys', { riskParamsRef: { name: 'other' } });
    const ready = await eventually('the reason', async () => {
      const found = await place.condition('tsys', 'Ready');
      return found?.reason === 'ReferenceNotFound' ? found : undefined;
    });
    assert.match(ready.message, /RiskParams other/);
    assert.equal((await place.condition('tsys', 'Reconciling'))?.status, 'True');
    assert.equal((await place.published()).hash, hash);
    await place.patch('tsys', { riskParamsRef: { name: 'demo' } });
  });

  it('leaves Events that read as a story', async () => {
    const { items } = await place.json<{ items: { reason: string; note?: string; message?: string }[] }>(
      'get',
      'events',
    );
    const reasons = new Set(items.map(({ reason }) => reason));
    for (const reason of ['Published', 'Held', 'Ready'])
      assert.ok(reasons.has(reason), `${reason} in ${[...reasons].join()}`);
  });
});
