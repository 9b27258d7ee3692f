// The whole path in a whole cluster: what `make up` promises, as its user would check it.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { partsKey } from '@tradewind/workloads/contract/keys.ts';
import type { Decision } from '@tradewind/workloads/contract/messages.ts';
import type { RouterStatus } from '@tradewind/workloads/contract/status.ts';
import { afterEach, before, describe, it } from 'mocha';
import { startDemo } from './cluster.ts';
import { eventually } from './kubectl.ts';
import {
  conditionOf,
  nextDecision,
  nextDecisions,
  OPERATOR_NAMESPACE,
  positions,
  replacePod,
  SYMBOLS,
  withFillsTo,
  type System,
} from './system.ts';
import { writesOf } from './writes.ts';

const kelly = (fraction: number): string[] => [
  'patch', 'riskparams', 'demo', '--type=merge', '-p',
  JSON.stringify({ spec: { positionSizing: { kellyFraction: fraction } } }),
]; // prettier-ignore

const STOP = JSON.stringify({
  apiVersion: 'tradewind.io/v1alpha1',
  kind: 'Hold',
  metadata: { name: 'demo-stop' },
  spec: { systemRef: { name: 'demo' }, effect: 'StopTrading', reason: 'test' },
});

const opens = ({ held, order }: Decision): boolean =>
  order !== undefined && (held === 0 || order.side === (held > 0 ? 'buy' : 'sell'));

describe('the demo', function () {
  let system: System;
  const stop = async (): Promise<void> => {
    await system.kubectl.run(['create', '-f', '-'], STOP);
    await system.ready('hold', 'demo-stop');
  };
  before(async () => {
    ({ system } = await startDemo());
  });
  afterEach(async () => {
    await system.kubectl.try(['delete', 'hold', 'demo-stop', '--ignore-not-found']);
  });

  it('has TradingSystem, RiskParams and RouterRules Ready', async () => {
    for (const kind of ['tradingsystem', 'riskparams', 'routerrules']) await system.ready(kind);
  });

  it('takes decisions for every symbol, on numbers that move', async () => {
    for (const symbol of SYMBOLS) {
      const edges = (await nextDecisions(system, symbol, 8)).map(({ edgeBps }) => edgeBps);
      assert.ok(new Set(edges).size > 4, `${symbol}: ${edges.join(', ')}`);
      const fields = (await system.redis('HGETALL', `risk.edge_blended.${symbol}`)) as Record<string, string>;
      assert.deepEqual(Object.keys(fields).sort(), ['at', 'confidence', 'edge_bps', 'position_usd']);
    }
  });

  it('blends what its signal provider claims, scored like a model', async () => {
    const vertex = await eventually('claims of vertex', async () => {
      const text = (await system.redis('HGET', partsKey('demo'), 'router-0')) as string;
      const claimed = (JSON.parse(text) as RouterStatus).symbols['BTC-USD']?.models['vertex'];
      return claimed?.unhealthyBy === undefined ? claimed : undefined;
    });
    assert.ok(Math.abs(vertex.edgeBps) <= 100 && vertex.confidence > 0, JSON.stringify(vertex));
  });

  it('makes paper trades within five minutes', async () => {
    const status = await eventually(
      'a paper trade',
      async () => {
        const seen = await system.status();
        return (seen.trades ?? 0) > 0 ? seen : undefined;
      },
      { withinMs: 600_000, everyMs: 2000 },
    );
    assert.equal(status.mode, 'Paper');
    assert.ok((status.varPct ?? 99) < 1.5);
  });

  it('sends nothing to a market that its venue halts, stays Ready, and decides again when it trades', async () => {
    const halt = async (seconds: number): Promise<void> => {
      const ask = `fetch('http://127.0.0.1:8091/coinbase/faults', {method: 'POST', body: '{"fault":"halt","symbol":"BCH-USD","seconds":${seconds}}'}).then(async (said) => console.log(said.status, await said.text()))`;
      assert.match(await system.kubectl.run(['exec', 'deploy/demo-simulator', '--', 'node', '-e', ask]), /^200 /);
    };
    const decided = (what: string, is: (blockedBy: readonly string[]) => boolean) =>
      eventually(`a decision ${what} the halt`, async () => {
        const decision = await nextDecision(system, 'BCH-USD');
        return is(decision.blockedBy) ? decision : undefined;
      });
    await halt(240); // until it is lifted
    assert.equal((await decided('in', (blockedBy) => blockedBy.includes('Halted'))).order, undefined);
    assert.ok((await nextDecision(system, 'BTC-USD')).blockedBy.every((code) => code !== 'Halted'));
    assert.equal((await conditionOf(system.kubectl, 'tradingsystem', 'DataFlowing'))?.status, 'True');
    await halt(0);
    await decided('after', (blockedBy) => !blockedBy.includes('Halted') && !blockedBy.includes('BookInvalid'));
  });

  it('carries Kelly .20 → .15 to every pod, and decides by it', async () => {
    await system.kubectl.run(kelly(0.15));
    await system.ready('riskparams');
    for (const symbol of SYMBOLS) assert.equal((await nextDecision(system, symbol)).kellyFraction, 0.15);
    await system.kubectl.run(kelly(0.2));
    await system.ready('riskparams');
  });

  it('refuses Kelly 1.7 and names the field', async () => {
    const refused = await system.kubectl.try(kelly(1.7));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /spec\.positionSizing\.kellyFraction/);
  });

  it('opens nothing from the moment that a Hold is in force, and goes on when it is deleted', async () => {
    await stop();
    for (const symbol of SYMBOLS) {
      const decisions = await nextDecisions(system, symbol, 20);
      assert.ok(decisions.every(({ blockedBy }) => blockedBy.includes('TradingStopped')));
      assert.deepEqual(decisions.filter(opens), []);
    }
    assert.equal((await conditionOf(system.kubectl, 'tradingsystem', 'TradingEnabled'))?.status, 'False');
    await system.kubectl.run(['delete', 'hold', 'demo-stop']);
    await eventually('a decision that may open', async () => {
      const decision = await nextDecision(system, 'BTC-USD');
      return decision.blockedBy.includes('TradingStopped') ? undefined : decision;
    });
  });

  for (const part of ['redis', 'param-server', 'ingest', 'router', 'harmoniser', 'gateway', 'simulator']) {
    it(`is Ready again by itself, with its positions, after the pod of ${part} is deleted`, async () => {
      await eventually('a position', async () =>
        Object.values((await positions(system)).lots).some((lots) => lots !== 0) ? true : undefined,
        { withinMs: 600_000 },
      ); // prettier-ignore
      await stop(); // so that few fills come meanwhile; those that do are counted
      const held = await positions(system);
      await replacePod(system.kubectl, part);
      await system.ready('tradingsystem');
      for (const symbol of SYMBOLS) await nextDecision(system, symbol);
      await eventually('health', async () => ((await system.status()).health === 'healthy' ? true : undefined));
      const kept = await positions(system);
      assert.deepEqual(kept.lots, await withFillsTo(system, held, kept));
    });
  }

  it('is governed again after the pod of the operator is deleted', async () => {
    await replacePod(system.kubectl, 'operator', OPERATOR_NAMESPACE);
    await system.kubectl.run(kelly(0.19));
    await system.ready('riskparams');
    assert.equal((await nextDecision(system, 'BTC-USD')).kellyFraction, 0.19);
    await system.kubectl.run(kelly(0.2));
    await system.ready('riskparams');
  });

  it('writes nothing to the API server in 60 idle seconds', async () => {
    await system.ready('tradingsystem');
    // Events of what the tests did before.
    const before = await eventually('rest', async () => {
      const first = await writesOf(system.kubectl);
      await delay(5_000);
      const next = await writesOf(system.kubectl);
      return isDeepStrictEqual(first, next) ? next : undefined;
    });
    await delay(60_000);
    assert.deepEqual(await writesOf(system.kubectl), before);
  });
});
