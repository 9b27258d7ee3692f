// The demo once more, fused, in a namespace of its own beside it: one pod per shard that trades, restarts in order and keeps what it has.
import assert from 'node:assert/strict';
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import { ordersStream, signalsStream } from '@tradewind/workloads/contract/keys.ts';
import type { Signal } from '@tradewind/workloads/contract/messages.ts';
import { after, before, describe, it } from 'mocha';
import { startDemo } from './cluster.ts';
import { eventually, kubectlFor, type Kubectl } from './kubectl.ts';
import { nextDecision, NAMESPACE, positions, replacePod, SYMBOLS, systemOf, withFillsTo, type PodList, type System } from './system.ts'; // prettier-ignore

const HERE = 'fused';

interface Stored {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: object;
  readonly status?: TradingSystemStatus;
}

describe('the demo, fused', function () {
  let system: System;

  /** As it stands in the demo's namespace, without what belongs to it there. */
  const copy = async (from: Kubectl, kind: string, more: object = {}): Promise<void> => {
    const { apiVersion, kind: is, spec } = await from.json<Stored>(['get', kind, 'demo', '-n', NAMESPACE]);
    const object = { apiVersion, kind: is, metadata: { name: 'demo', namespace: HERE }, spec: { ...spec, ...more } };
    await system.kubectl.run(['apply', '-f', '-'], JSON.stringify(object));
  };
  const status = async (): Promise<TradingSystemStatus> =>
    (await system.kubectl.json<Stored>(['get', 'tsys', 'demo'])).status ?? {};
  const pods = async (): Promise<string[]> =>
    (await system.kubectl.json<PodList>(['get', 'pods', '-l', 'tradewind.io/system=demo'])).items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);
  const position = () =>
    eventually('a position', async () => {
      const found = await positions(system);
      return Object.values(found.lots).some((lots) => lots !== 0) ? found : undefined;
    }, { withinMs: 600_000 }); // prettier-ignore

  before(async () => {
    const { system: demo, kubeconfig, tools } = await startDemo();
    system = systemOf(kubectlFor(tools.kubectl, kubeconfig, HERE), HERE);
    await demo.kubectl.try(['create', 'namespace', HERE]);
    for (const kind of ['riskparams', 'routerrules']) await copy(demo.kubectl, kind);
    await copy(demo.kubectl, 'tradingsystem', { topology: 'Fused', trading: 'Enabled', restart: { drainSeconds: 10, settleSeconds: 2, timeoutSeconds: 300 } }); // prettier-ignore
  });
  after(async () => {
    await system.kubectl.run(['delete', 'tsys', 'demo', '--timeout=400s']);
    await system.kubectl.run(['delete', 'namespace', HERE, '--timeout=400s']);
  });

  it('is Ready with one pod for its shard, that has acknowledged once', async () => {
    await system.ready('tradingsystem');
    const names = await pods();
    assert.equal(names.filter((name) => name.startsWith('demo-fused-0-')).length, 1, names.join());
    assert.ok(!names.some((name) => /-(ingest|router|harmoniser)-/.test(name)), names.join());
    assert.deepEqual((await status()).runtime?.acks?.acked, 1);
  });

  it('decides for every symbol, and trades', async () => {
    for (const symbol of SYMBOLS) await nextDecision(system, symbol);
    await position();
    await eventually('health', async () => ((await system.status()).health === 'healthy' ? true : undefined));
    const orders = await Promise.all(SYMBOLS.map((symbol) => system.redis('XLEN', ordersStream(symbol))));
    assert.ok(orders.some((count) => Number(count) > 0));
  });

  it('pauses every router at SIGHUP to the pod', async () => {
    const paused = async () => (await system.newest<Signal>(signalsStream('BTC-USD'), 1))[0]?.data.routerPaused;
    await system.kubectl.run(['exec', 'deploy/demo-fused-0', '--', 'node', '-e', "process.kill(1, 'SIGHUP')"]);
    await eventually('paused', async () => ((await paused()) === true ? true : undefined));
    await system.redis('HDEL', 'holds:{demo}', 'router-sighup');
    await eventually('active', async () => ((await paused()) === false ? true : undefined));
  });

  it('keeps its position when its pod is deleted', async () => {
    const held = await position();
    await replacePod(system.kubectl, 'fused', HERE);
    await system.ready('tradingsystem');
    for (const symbol of SYMBOLS) await nextDecision(system, symbol);
    const kept = await positions(system);
    assert.deepEqual(kept.lots, await withFillsTo(system, held, kept));
  });

  it('goes through an ordered restart, and trades on with its position', async () => {
    const held = await position();
    const id = `fused-${Date.now()}`;
    await system.kubectl.run(['annotate', 'tsys', 'demo', '--overwrite', `tradewind.io/restart=${id}`]);
    const { restart } = await eventually('the end', async () => {
      const found = await status();
      return found.restart?.id === id && found.restart.endedAt !== undefined ? found : undefined;
    }, { withinMs: 600_000 }); // prettier-ignore
    const steps = ['StopTrading', 'Drain', 'StopGateway', 'StopFused', 'RestartRedis', 'WaitRedis', 'StartFused', 'StartGateway', 'VerifyDataFlow', 'ResumeTrading']; // prettier-ignore
    assert.deepEqual(restart?.steps?.map(({ name, state }) => `${name} ${state}`), steps.map((name) => `${name} Done`)); // prettier-ignore
    await system.ready('tradingsystem');
    for (const symbol of SYMBOLS) await nextDecision(system, symbol);
    const kept = await positions(system);
    assert.deepEqual(kept.lots, await withFillsTo(system, held, kept));
  });
});
