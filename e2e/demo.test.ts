// The whole path in a whole cluster: what `make up` promises, as its user would check it.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { startDemo } from './cluster.ts';
import { eventually } from './kubectl.ts';
import { type System, conditionOf, nextDecision, positions } from './system.ts';
import { writesOf } from './writes.ts';

const SYMBOLS = ['BTC-USD', 'ETH-USD'];
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

describe('the demo', function () {
  let system: System;
  before(async () => {
    system = await startDemo();
  });
  after(async () => {
    await system.kubectl.try(['delete', 'hold', '--all']);
  });

  it('has TradingSystem, RiskParams and RouterRules Ready', async () => {
    for (const kind of ['tradingsystem', 'riskparams', 'routerrules']) await system.ready(kind);
  });

  it('takes decisions for every symbol, on numbers that move', async () => {
    const first = await Promise.all(SYMBOLS.map((symbol) => nextDecision(system, symbol)));
    const second = await Promise.all(SYMBOLS.map((symbol) => nextDecision(system, symbol)));
    assert.notDeepEqual(first.map((d) => d.edgeBps), second.map((d) => d.edgeBps)); // prettier-ignore
    for (const symbol of SYMBOLS) {
      const fields = (await system.redis('HGETALL', `risk.edge_blended.${symbol}`)) as Record<string, string>;
      assert.deepEqual(Object.keys(fields).sort(), ['at', 'confidence', 'edge_bps', 'position_usd']);
    }
  });

  it('makes paper trades within five minutes', async () => {
    const status = await eventually(
      'a paper trade',
      async () => {
        const seen = await system.status();
        return (seen.trades ?? 0) > 0 ? seen : undefined;
      },
      { withinMs: 300_000, everyMs: 2000 },
    );
    assert.equal(status.mode, 'Paper');
    assert.ok((status.varPct ?? 99) < 1.5);
  });

  it('carries Kelly .20 → .15 to every pod, and decides by it', async () => {
    await system.kubectl.run(kelly(0.15));
    await system.ready('riskparams');
    const decision = await nextDecision(system, 'BTC-USD');
    assert.equal(decision.kellyFraction, 0.15);
    await system.kubectl.run(kelly(0.2));
    await system.ready('riskparams');
  });

  it('refuses Kelly 1.7 and names the field', async () => {
    const refused = await system.kubectl.try(kelly(1.7));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /spec\.positionSizing\.kellyFraction/);
  });

  it('opens nothing while a Hold stops trading, and goes on when it is deleted', async () => {
    await system.kubectl.run(['create', '-f', '-'], STOP);
    const stopped = await eventually('a stopped decision', async () => {
      const decision = await nextDecision(system, 'BTC-USD');
      return decision.blockedBy.includes('TradingStopped') ? decision : undefined;
    });
    assert.ok(stopped);
    const held = await positions(system);
    await delay(5000);
    for (const [symbol, lots] of Object.entries(await positions(system))) {
      assert.ok(Math.abs(lots) <= Math.abs(held[symbol] ?? 0), `${symbol} grew from ${held[symbol]} to ${lots}`);
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
      // Stopped, so that a position can only change by being lost.
      await system.kubectl.run(['create', '-f', '-'], STOP);
      await eventually('a stop', async () =>
        (await nextDecision(system, 'BTC-USD')).blockedBy.includes('TradingStopped') ? true : undefined,
      );
      await delay(2000);
      const held = await positions(system);
      await system.kubectl.run(['delete', 'pod', '-l', `app.kubernetes.io/component=${part}`, '--wait=true']);
      await system.ready('tradingsystem');
      for (const symbol of SYMBOLS) await nextDecision(system, symbol);
      await eventually('positions as they were', async () => {
        const now = await positions(system);
        assert.deepEqual(Object.keys(now).sort(), SYMBOLS);
        const kept = SYMBOLS.every((symbol) => Math.abs(now[symbol] ?? 0) <= Math.abs(held[symbol] ?? 0));
        return kept && (SYMBOLS.every((s) => held[s] === 0) || SYMBOLS.some((s) => now[s] !== 0)) ? true : undefined;
      });
      await system.kubectl.run(['delete', 'hold', 'demo-stop']);
    });
  }

  it('writes nothing to the API server in 60 idle seconds', async () => {
    await system.ready('tradingsystem');
    await eventually('data', async () =>
      (await conditionOf(system.kubectl, 'tradingsystem', 'DataFlowing'))?.status === 'True' ? true : undefined,
    );
    await delay(5000);
    const before = await writesOf(system.kubectl);
    await delay(60_000);
    assert.deepEqual(await writesOf(system.kubectl), before);
  });
});
