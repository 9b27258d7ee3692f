// The closed loop of test/market.ts: what the desk may expect on the planted market (docs/trading.md).
import assert from 'node:assert/strict';
import { contentHash } from '../contract/canonical.ts';
import type { Decision } from '../contract/messages.ts';
import { drawdownPct } from './equity.ts';
import { step } from './step.ts';
import { aPolicy, STOPPED, withKelly } from './test/builders.ts';
import { runMarket, type Run } from './test/market.ts';

const MINUTE = 60_000;
const opens = ({ order, held }: Decision): boolean => order?.side === 'buy' && held >= 0;

/** Laws that hold in every run, whatever the market does. */
function assertLaws({ decisions, state, notes }: Run): void {
  const policy = state.policy!;
  for (const decision of decisions) {
    const { symbol, target, varPct, order } = decision;
    assert.ok(varPct <= 1.5, `VaR ${varPct}`);
    assert.ok(target >= 0, 'short on spot');
    assert.ok(decision.lo >= 0 && decision.lo <= decision.hi && decision.hi <= 0.2);
    const limits = policy.symbols.get(symbol)!;
    if (order !== undefined) assert.ok(order.lots / 1e5 <= limits.maxOrderQuantity && order.id.length <= 36);
    assert.ok(!(order !== undefined && decision.blockedBy.length > 0 && opens(decision)));
  }
  assert.deepEqual(notes, []);
  for (const name of policy.symbols.keys()) {
    const own = decisions.filter(({ symbol }) => symbol === name);
    own.slice(1).forEach((decision, i) => assert.ok(decision.t - own[i]!.t >= 250));
  }
  assert.ok(Object.keys(state.account.working).length === 0 || decisions.at(-1)!.order !== undefined);
}

describe('half an hour on the planted market', () => {
  for (const seed of [1, 2])
    it(`trades at once, stays small and within every limit (seed ${seed})`, () => {
      const run = runMarket({ seed, seconds: 1_800 });
      const start = run.decisions[0]!.t;
      const inMinutes = (n: number): number => run.fills.filter(({ t }) => t - start < n * MINUTE).length;
      assertLaws(run);
      assert.ok(inMinutes(5) >= 9, `${inMinutes(5)} fills in 5 min`);
      assert.ok(inMinutes(30) <= 200, `${inMinutes(30)} fills in 30 min: it churns`);
      assert.ok(drawdownPct(run.state.equity) < 0.3, `drawdown ${drawdownPct(run.state.equity)} %`);
      assert.ok(run.state.equity.usd! > 0.997e6);
    });

  it('decides the same again, to the bit (golden)', () => {
    const hash = (): string => contentHash(runMarket({ seed: 7, seconds: 300 }).decisions);
    const first = hash();
    assert.equal(hash(), first);
    assert.equal(first, 'ea78267d02e11f03');
  });
});

describe('while it trades', () => {
  it('a stop lets nothing be opened from the next decision on; reductions go on; its end resumes', () => {
    const stoppedFrom = 120;
    const stoppedTo = 420;
    let start = 0;
    const run = runMarket({
      seed: 3,
      seconds: 900,
      meanwhile: (state, now) => {
        start ||= now;
        const second = (now - start) / 1_000;
        if (second === stoppedFrom) return step(state, { kind: 'control', restraint: STOPPED, readable: true, now });
        if (second !== stoppedTo) return [];
        return step(state, { kind: 'control', restraint: { ...STOPPED, tradingStopped: false }, readable: true, now });
      },
    });
    assertLaws(run);
    const at = (from: number, to: number): Decision[] =>
      run.decisions.filter(({ t }) => t >= start + from * 1_000 && t < start + to * 1_000);
    const stopped = at(stoppedFrom, stoppedTo);
    assert.ok(stopped.every(({ blockedBy }) => blockedBy.includes('TradingStopped')));
    assert.ok(stopped.every(({ order }) => order?.side !== 'buy'));
    assert.ok(stopped.some(({ order }) => order?.side === 'sell'));
    assert.ok(at(stoppedTo, 900).some(({ order }) => order?.side === 'buy'));
  });

  it('Kelly .20 → .15 scales lo and hi, and a size that the cap alone decides, by exactly .75', () => {
    const at20 = runMarket({ seed: 5, seconds: 60 });
    const at15 = runMarket({ seed: 5, seconds: 60, policy: aPolicy({}, withKelly(0.15)) });
    at20.decisions.forEach((decision, i) => {
      const other = at15.decisions[i]!;
      assert.ok(Math.abs(other.lo - 0.75 * decision.lo) < 1e-12 && Math.abs(other.hi - 0.75 * decision.hi) < 1e-12);
    });
    const first = (run: Run): Decision => run.decisions.find(({ order }) => order !== undefined)!;
    assert.ok(Math.abs(first(at15).target / first(at20).target - 0.75) < 1e-12);
  });

  it('Kelly cut in flight brings the positions down with it', () => {
    let start = 0;
    const run = runMarket({
      seed: 1,
      seconds: 600,
      meanwhile: (state, now) => {
        start ||= now;
        return now - start === 300_000
          ? step(state, { kind: 'policy', policy: aPolicy({}, withKelly(0.05)), now })
          : [];
      },
    });
    assertLaws(run);
    const late = run.decisions.filter(({ t }) => t > start + 310_000);
    // .05/.25 of 20 %: 4 % of capital, 1.05 of it before a trim.
    assert.ok(late.every(({ held, kellyFraction }) => kellyFraction === 0.05 && held <= 0.04 * 1.06));
  });

  it('a market without the planted edge earns less, on the same noise', () => {
    const total = (plantedBps: number): number =>
      [11, 12].reduce((sum, seed) => sum + runMarket({ seed, seconds: 900, plantedBps }).state.equity.usd! - 1e6, 0);
    assert.ok(total(0) < total(25));
  }).timeout(30_000);
});
