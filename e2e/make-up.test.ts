// `make up` again, on other data, and `make down`: what its user sees and what is left. On the cluster that demo.test.ts used.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TradingSystemSpec } from '@tradewind/crds/schema/trading-system.ts';
import { knownSlot } from '@tradewind/hack/cluster/slots.ts';
import { tracesOf } from '@tradewind/hack/test/kit.ts';
import type { SystemStatus } from '@tradewind/workloads/contract/status.ts';
import { before, describe, it } from 'mocha';
import { makeUp, RECORDINGS, script, startDemo, TEST_CLUSTER, type Demo } from './cluster.ts';
import { eventually } from './kubectl.ts';
import { nextDecision, SYMBOLS } from './system.ts';

interface Things {
  readonly items: readonly { readonly kind: string; readonly metadata: Readonly<Record<string, unknown>> }[];
}

describe('make up', function () {
  let demo: Demo;
  before(async () => {
    demo = await startDemo();
  });

  /** Who they are, what their spec is, and Helm's releases. */
  const everything = async (): Promise<unknown[]> => {
    const kinds = 'tradingsystems,riskparams,routerrules,holds,pods,deployments,statefulsets,pvc,secrets,configmaps';
    const { items } = await demo.system.kubectl.json<Things>(['get', kinds, '-A']);
    return items
      .filter(({ metadata }) => String(metadata['namespace']).startsWith('trad'))
      .map(({ kind, metadata: { namespace, name, uid, generation } }) => ({ kind, namespace, name, uid, generation }));
  };

  it('again is quick and changes nothing, not even what somebody has edited', async () => {
    const edit = JSON.stringify({ spec: { positionSizing: { kellyFraction: 0.15 } } });
    await demo.system.kubectl.run(['patch', 'riskparams', 'demo', '--type=merge', '-p', edit]);
    await demo.system.ready('riskparams');
    const before = await everything();
    const started = Date.now();
    const printed = await makeUp();
    assert.ok(Date.now() - started < 240_000); // afresh, with its images, it takes several times as long
    assert.deepEqual(await everything(), before);
    assert.match(printed, /ticks\/s/);
    assert.equal((await nextDecision(demo.system, 'BTC-USD')).kellyFraction, 0.15);
  });

  it('leads a port of this machine to the gateway, and prints it', async () => {
    const port = /http:\/\/localhost:(\d+)/.exec(await makeUp())?.[1];
    const status = (await (await fetch(`http://localhost:${port}/api/status`)).json()) as SystemStatus;
    assert.deepEqual(status.system, { name: 'demo', namespace: 'trading' });
  });

  it('decides for every symbol while those of Binance are recorded frames', async function () {
    if (RECORDINGS === undefined) return this.skip();
    await makeUp({ RECORDINGS });
    for (const symbol of SYMBOLS) {
      const since = Date.now();
      const { edgeBps, seq } = await nextDecision(demo.system, symbol);
      assert.ok(Number.isFinite(edgeBps) && seq > 0);
      await eventually(`a later risk.edge_blended.${symbol}`, async () => {
        const hash = (await demo.system.redis('HGETALL', `risk.edge_blended.${symbol}`)) as Record<string, string>;
        return Date.parse(hash['at'] ?? '') > since ? true : undefined;
      });
    }
    const { spec } = await demo.system.kubectl.json<{ spec: TradingSystemSpec }>(['get', 'tradingsystem', 'demo']);
    assert.equal(spec.sources[0]?.options.recording?.claimName, 'recordings');
    await eventually('valid books', async () =>
      (await demo.system.status()).symbols.every(({ bookValid }) => bookValid) ? true : undefined,
    );
    return undefined;
  });

  it('down leaves nothing behind', async () => {
    const stateDir = dirname(demo.kubeconfig);
    const slot = knownSlot(stateDir) ?? assert.fail('no slot');
    const { code, stderr } = await script('down');
    assert.equal(code, 0, stderr);
    assert.equal(existsSync(stateDir), false);
    const traces = await eventually('no traces', async () => {
      const found = await tracesOf(TEST_CLUSTER, stateDir, slot);
      return found.length === 0 ? found : undefined;
    });
    assert.deepEqual(traces, []);
    assert.equal((await script('kubeconfig')).code, 1);
  });
});
