// The operator against a real kube-apiserver and etcd. There are no nodes: Deployments never become ready by themselves, and
// the test plays kubelet and param server where it needs them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { load } from 'js-yaml';
import { after, before, describe, it } from 'mocha';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { testApi, type TestApi } from '@tradewind/hack/test-api-server.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { startOperator, type Operator } from '../../operator.ts';
import { Api } from '../../runtime/client.ts';
import { findCredentials } from '../../runtime/credentials.ts';
import { EXAMPLES, IMAGES } from '../builders.ts';

interface Running {
  readonly operator: Operator;
  readonly stopping: AbortController;
  readonly api: Api;
  readonly registry: Registry;
}

interface Conditioned {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly phase?: string;
    readonly stage?: string;
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

const manifest = (file: string): { spec: object; metadata: object } =>
  load(readFileSync(join(EXAMPLES, file), 'utf8')) as { spec: object; metadata: object };

async function eventually<T>(what: string, look: () => Promise<T | undefined>, withinMs = 10_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(30);
  }
}

describe('the operator', () => {
  let server: TestApi;
  let namespace: string;
  let running: Running;

  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const ran = await server.kubectl(['-n', namespace, ...args], input);
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  };
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await kubectl([...args, '-o', 'json'])) as T;
  const condition = async (kind: string, type: string) =>
    (await json<Conditioned>('get', kind, 'demo')).status?.conditions?.find((one) => one.type === type);
  const published = async (): Promise<DesiredDocument> => {
    const map = await json<{ data: Record<string, string> }>('get', 'cm', 'demo-desired');
    return JSON.parse(map.data['desired.json'] ?? '') as DesiredDocument;
  };
  const writes = async ({ registry }: Running): Promise<number> => {
    const found = (await registry.getSingleMetric('rest_client_requests_total')?.get())?.values ?? [];
    const ours = found.filter(({ labels }) => ['PATCH', 'POST', 'DELETE'].includes(String(labels['method'])));
    return ours.reduce((sum, { value }) => sum + value, 0);
  };

  async function start(identity: string): Promise<Running> {
    process.env['KUBECONFIG'] = server.kubeconfig;
    const registry = new Registry();
    const api = Api.open({ credentials: await findCredentials(), registry });
    const stopping = new AbortController();
    const config = {
      podName: identity,
      namespace,
      watchNamespaces: [namespace],
      images: IMAGES,
      logLevel: 'warn',
      healthPort: 0,
    };
    const log = pino({ level: 'error' });
    const operator = startOperator({ config, api, log, registry, identity, signal: stopping.signal });
    return { operator, stopping, api, registry };
  }
  async function stop({ operator, stopping, api }: Running): Promise<void> {
    stopping.abort();
    await operator.done;
    api.close();
  }
  /** What the param server would report: every pod runs what is published. */
  async function acknowledge(): Promise<void> {
    const { hash, version } = await published();
    const acks = { acked: 3, expected: 3, version, hash, pending: [] };
    const status = { runtime: { observedAt: new Date().toISOString(), acks } };
    const object = { apiVersion: 'tradewind.io/v1alpha1', kind: 'TradingSystem', metadata: { name: 'demo' }, status };
    await kubectl(
      ['apply', '--server-side', '--field-manager=tradewind-param-server', '--subresource=status', '-f', '-'],
      JSON.stringify(object),
    );
  }
  /** What controllers and kubelets would do: every Deployment and StatefulSet is as it should be. */
  async function bringUp(): Promise<void> {
    const found = await json<{ items: { kind: string; metadata: { name: string; generation: number } }[] }>(
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
      await kubectl([
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
    server = await testApi();
    namespace = await server.namespace();
    running = await start('operator-1');
    for (const file of ['risk-params.yaml', 'router-rules.yaml']) {
      const { metadata, ...rest } = manifest(file);
      await kubectl(['create', '-f', '-'], JSON.stringify({ ...rest, metadata: { ...metadata, namespace } }));
    }
    const spec = { ...manifest('values.yaml').spec, trading: 'Enabled' };
    const system = { apiVersion: 'tradewind.io/v1alpha1', kind: 'TradingSystem', metadata: { name: 'demo' }, spec };
    await kubectl(['create', '-f', '-'], JSON.stringify(system));
  });
  after(async () => {
    await stop(running);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  it('makes every part, and a document of which it waits for proof', async () => {
    await eventually('the last part', () => json('get', 'deploy', 'demo-gateway'));
    const { hash } = await eventually('a document', published);
    assert.match(hash, /^[0-9a-f]{16}$/);
    const ready = await eventually('a status', () => condition('tsys', 'Ready'));
    assert.equal(ready.status, 'False');
    assert.equal((await eventually('a status of RiskParams', () => condition('rp', 'Ready'))).reason, 'Propagating');
  });

  it('is Ready when everything is up and acknowledged, and so are RiskParams and RouterRules', async () => {
    await bringUp();
    await acknowledge();
    for (const kind of ['tsys', 'rp', 'rr']) {
      await eventually(`${kind} Ready`, async () =>
        (await condition(kind, 'Ready'))?.status === 'True' ? true : undefined,
      );
      const { metadata, status } = await json<Conditioned>('get', kind, 'demo');
      assert.equal(status?.observedGeneration, metadata.generation);
    }
  });

  it('writes nothing when nothing happens', async () => {
    await delay(1_000);
    const first = await writes(running);
    await delay(3_000);
    assert.equal(await writes(running), first);
  });

  it('publishes a change of RiskParams, and calls it Active only when it is acknowledged', async () => {
    const old = await published();
    await kubectl(['patch', 'rp', 'demo', '--type=merge', '-p', '{"spec":{"positionSizing":{"kellyFraction":0.15}}}']);
    const next = await eventually('the next document', async () => {
      const document = await published();
      return document.hash === old.hash ? undefined : document;
    });
    assert.deepEqual([next.version, next.risk.params.positionSizing.kellyFraction], [old.version + 1, 0.15]);
    await eventually('not proven', async () =>
      (await condition('rp', 'Ready'))?.status === 'False' ? true : undefined,
    );
    await acknowledge();
    await eventually('Active', async () => ((await condition('rp', 'Ready'))?.reason === 'Active' ? true : undefined));
  });

  it('carries a Hold into the document, says who made it, and takes it out when it is deleted', async () => {
    const spec = { systemRef: { name: 'demo' }, effect: 'StopTrading', reason: 'test' };
    const hold = { apiVersion: 'tradewind.io/v1alpha1', kind: 'Hold', metadata: { name: 'demo' }, spec };
    await kubectl(['create', '--field-manager=somebody', '-f', '-'], JSON.stringify(hold));
    const held = await eventually('the Hold', async () => (await published()).holds[0]);
    assert.deepEqual([held.id, held.effect, held.by], ['demo', 'StopTrading', 'somebody']);
    await eventually('Held', async () =>
      (await condition('tsys', 'TradingEnabled'))?.reason === 'Held' ? true : undefined,
    );
    await acknowledge();
    await eventually('in force', async () =>
      (await condition('hold', 'Ready'))?.reason === 'InForce' ? true : undefined,
    );
    await kubectl(['delete', 'hold', 'demo']);
    await eventually('lifted', async () => ((await published()).holds.length === 0 ? true : undefined));
    await acknowledge();
  });

  for (const [title, args, restored] of [
    ['deleted Deployment', ['delete', 'deploy', 'demo-router-0'], ['get', 'deploy', 'demo-router-0']],
    ['deleted Service', ['delete', 'svc', 'demo-gateway'], ['get', 'svc', 'demo-gateway']],
    ['deleted document', ['delete', 'cm', 'demo-desired'], ['get', 'cm', 'demo-desired']],
  ] as const)
    it(`puts a ${title} back within a second`, async () => {
      await kubectl(args);
      await eventually('it is back', () => json(...restored), 1_000);
    });

  it('puts an edited object right within a second', async () => {
    const replicas = async () =>
      (await json<{ spec: { replicas: number } }>('get', 'deploy', 'demo-harmoniser-0')).spec.replicas;
    await kubectl(['scale', 'deploy', 'demo-harmoniser-0', '--replicas=3']);
    await eventually('1 again', async () => ((await replicas()) === 1 ? true : undefined), 1_000);
    await kubectl(['label', 'svc', 'demo-redis', 'app.kubernetes.io/managed-by-']);
    const labels = async () =>
      (await json<{ metadata: { labels: object } }>('get', 'svc', 'demo-redis')).metadata.labels;
    await eventually(
      'labelled',
      async () => ('app.kubernetes.io/managed-by' in (await labels()) ? true : undefined),
      1_000,
    );
  });

  it('never reads a Secret, and never changes the one it made', async () => {
    const secret = async () =>
      (await json<{ metadata: { resourceVersion: string } }>('get', 'secret', 'demo-redis')).metadata;
    const { resourceVersion } = await secret();
    await kubectl(['annotate', 'tsys', 'demo', `touched=${Date.now()}`, '--overwrite']);
    await delay(500);
    assert.equal((await secret()).resourceVersion, resourceVersion);
  });

  it('hands over at once when stopped, and the next one goes on in a later epoch without touching anything', async () => {
    const old = await published();
    await stop(running);
    running = await start('operator-2');
    await kubectl(['patch', 'rp', 'demo', '--type=merge', '-p', '{"spec":{"positionSizing":{"kellyFraction":0.14}}}']);
    const next = await eventually('a document of the next', async () => {
      const document = await published();
      return document.hash === old.hash ? undefined : document;
    });
    assert.ok(next.epoch > old.epoch, `${next.epoch} > ${old.epoch}`);
    assert.equal(running.api.connections, 1);
  });

  it('is Reconciling, and says why, while a reference is not there; and keeps the document', async () => {
    const { hash } = await published();
    await kubectl(['patch', 'tsys', 'demo', '--type=merge', '-p', '{"spec":{"riskParamsRef":{"name":"other"}}}']);
    const ready = await eventually('the reason', async () => {
      const found = await condition('tsys', 'Ready');
      return found?.reason === 'ReferenceNotFound' ? found : undefined;
    });
    assert.match(ready.message, /RiskParams other/);
    assert.equal((await condition('tsys', 'Reconciling'))?.status, 'True');
    assert.equal((await published()).hash, hash);
    await kubectl(['patch', 'tsys', 'demo', '--type=merge', '-p', '{"spec":{"riskParamsRef":{"name":"demo"}}}']);
  });

  it('leaves Events that read as a story', async () => {
    const { items } = await json<{ items: { reason: string; note?: string; message?: string }[] }>('get', 'events');
    const reasons = new Set(items.map(({ reason }) => reason));
    for (const reason of ['Published', 'Held', 'Ready'])
      assert.ok(reasons.has(reason), `${reason} in ${[...reasons].join()}`);
  });
});
