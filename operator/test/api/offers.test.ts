// What a cluster may offer or not, against a real API server: the Prometheus operator's kinds come and go, and our own CRDs may be
// of another version than the operator.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { prometheusCrds } from '@tradewind/hack/prometheus-crds.ts';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

const MONITORING = { monitoring: { enabled: true, flavor: 'kube-prometheus-stack', release: 'mon' } };

describe('a Prometheus operator', () => {
  let place: Place;
  let running: Running;
  let crds: string[];
  const monitored = async () => (await place.condition('tsys', 'Monitored'))?.reason;
  const install = async (): Promise<void> => {
    for (const file of crds) await place.kubectl(['apply', '--server-side', '-f', file]);
  };
  const uninstall = async (): Promise<void> => {
    for (const file of crds) await place.kubectl(['delete', '--ignore-not-found', '-f', file]);
  };
  const requests = async (): Promise<number> => {
    const found = (await running.registry.getSingleMetric('rest_client_requests_total')?.get())?.values ?? [];
    return found.reduce((sum, { value }) => sum + value, 0);
  };

  before(async function () {
    this.timeout(600_000);
    crds = await prometheusCrds();
    place = await aPlace();
    await uninstall();
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem('demo', MONITORING);
  });
  after(async () => {
    await stop(running);
    await uninstall();
    await place.leave();
  });

  it('that is not there is told, and hinders nothing', async () => {
    await becomes('told', async () => (await monitored()) === 'KindsMissing');
    await place.json('get', 'deploy', 'demo-gateway');
    assert.equal((await place.condition('tsys', 'Ready'))?.reason, 'ComponentsNotReady');
  });
  it('is told of a system once its kinds appear', async () => {
    await install();
    await becomes('told', async () => (await monitored()) === 'Monitored');
    for (const kind of ['podmonitor', 'prometheusrule']) {
      const { metadata } = await place.json<{ metadata: { labels: Record<string, string> } }>('get', kind, 'demo');
      assert.equal(metadata.labels['release'], 'mon');
    }
  });
  it('keeps what it was told: deleted or edited, it is put right', async () => {
    const get = () =>
      place.json<{ metadata: { uid: string }; spec: { groups: { rules: object[] }[] } }>(
        'get',
        'prometheusrule',
        'demo',
      );
    const { metadata, spec } = await get();
    await place.kubectl(['delete', 'prometheusrule', 'demo']);
    await becomes('back', async () => (await get()).metadata.uid !== metadata.uid);
    const patch = [{ op: 'remove', path: '/spec/groups/0/rules/0' }];
    await place.kubectl(['patch', 'prometheusrule', 'demo', '--type=json', '-p', JSON.stringify(patch)]);
    await becomes('whole', async () => (await get()).spec.groups[0]?.rules.length === spec.groups[0]?.rules.length);
  });
  it('that goes away again is told, and asked for no more than now and then', async () => {
    await uninstall();
    await becomes('told', async () => (await monitored()) === 'KindsMissing');
    const [before, from] = [await requests(), performance.now()];
    await delay(3_000);
    const made = (await requests()) - before;
    const seconds = (performance.now() - from) / 1_000;
    // Five questions a look, every half second here, and the lease.
    assert.ok(made < 20 * seconds, `${made} requests in ${seconds} s`);
    assert.equal(running.operator.notReady(), undefined);
  });
  it('that comes back is told anew, and not any more when the spec says so', async () => {
    await install();
    await becomes('made', async () => (await place.json('get', 'podmonitor', 'demo')) !== undefined);
    await place.patch('tsys', { monitoring: { enabled: false } });
    const left = () => place.kubectl(['get', 'podmonitor,prometheusrule', '-o', 'name']);
    await becomes('removed', async () => (await left()) === '');
    await becomes('not told of', async () => (await place.condition('tsys', 'Monitored')) === undefined);
  });
});

describe('CRDs of another version', () => {
  let place: Place;
  let running: Running;
  const CRD = 'riskparams.tradewind.io';
  const annotate = (hash: string) =>
    place.kubectl(['annotate', 'crd', CRD, `tradewind.io/schema-hash=${hash}`, '--overwrite']);
  const ready = async () => (await place.condition('tsys', 'Ready'))?.reason;
  const levelOf = async () =>
    /"name":"LOG_LEVEL","value":"(\w+)"/.exec(
      JSON.stringify(await place.json('get', 'deploy', 'demo-param-server')),
    )?.[1];
  let hash: string;

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    const { metadata } = await place.json<{ metadata: { annotations: Record<string, string> } }>('get', 'crd', CRD);
    hash = metadata.annotations['tradewind.io/schema-hash'] ?? '';
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem();
    await eventually('the last part', () => place.json('get', 'deploy', 'demo-gateway'));
    await eventually('a document', place.published);
  });
  after(async () => {
    await annotate(hash);
    await stop(running);
    await place.leave();
  });

  it('are told with what was found and expected; nothing is derived from them, and the operator stays ready', async () => {
    await annotate('0123456789abcdef');
    const told = await eventually('told', async () => {
      const found = await place.condition('tsys', 'Ready');
      return found?.reason === 'SchemaMismatch' ? found : undefined;
    });
    assert.match(told.message, new RegExp(`${CRD}: found schema 0123456789abcdef, expected ${hash};`));
    assert.equal((await place.condition('tsys', 'Reconciling'))?.status, 'True');
    assert.equal((await place.condition('tsys', 'Stalled'))?.status, 'False');
    const old = await place.published();
    await place.patch('tsys', { logging: { level: 'debug' }, capitalUsd: 5 });
    await place.patch('rp', { positionSizing: { kellyFraction: 0.11 } });
    await delay(1_500);
    assert.equal((await place.published()).hash, old.hash);
    assert.equal(await levelOf(), 'info');
    assert.equal(running.operator.notReady(), undefined);
  });
  it('keep no Hold and no stop from the pods', async () => {
    await place.createHold('brake');
    await becomes('carried', async () => (await place.published()).holds[0]?.id === 'brake');
    await place.patch('tsys', { trading: 'Stopped' });
    await becomes('stopped', async () => (await place.published()).trading === 'Stopped');
    await place.kubectl(['delete', 'hold', 'brake']);
    await becomes('lifted', async () => (await place.published()).holds.length === 0);
  });
  it('do not keep a system from being deleted', async () => {
    await place.createSystem('other');
    await becomes('told', async () => (await place.condition('tsys', 'Ready', 'other'))?.reason === 'SchemaMismatch');
    await assert.rejects(place.json('get', 'deploy', 'other-gateway'), /NotFound/);
    await place.kubectl(['delete', 'tsys', 'other']);
  });
  it('that fit again are gone on from', async () => {
    await annotate(hash);
    await becomes('not told', async () => (await ready()) !== 'SchemaMismatch');
    await becomes('derived', async () => (await levelOf()) === 'debug');
    await becomes('published', async () => (await place.published()).capitalUsd === 5);
  });
});
