import assert from 'node:assert/strict';
import { takeGridStep } from './estimates.ts';
import { boundedByVar, isMarked, riskView, riskCapitalUsd, sigmaOf, varOf, worstVar, type RiskView } from './risk.ts';
import { aPolicy, CONFIG, aDocument } from './test/builders.ts';
import { compilePolicy } from './policy.ts';
import { Desk, T } from './test/desk.ts';
import { takeWorth } from './worth.ts';

const [BTC, ETH] = ['BTC-USD', 'ETH-USD'] as const;
const policy = aPolicy();
const Z = 1.6448536;
const close = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) < 1e-6, `${found} for ${expected}`);

/** A view of symbols with σ 1 and the correlations given. */
const aView = (rho: number[][], filled: number[], working: number[], z = 1): RiskView => ({
  names: filled.map((_, i) => `S${i}`),
  sigmas: filled.map(() => 1),
  covariance: rho,
  filled,
  working,
  isMarked: true,
  largest: filled.map(() => 1),
  capitalUsd: 1,
  z,
});
const identity = (n: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));

describe('the worst VaR over orders under way', () => {
  it('counts an order elsewhere as filled where that is worse, and as not filled where that is', () => {
    close(worstVar(aView(identity(2), [0, 0.3], [0, 0.1]), 0, 0), 0.4);
    close(worstVar(aView(identity(2), [0, 0.3], [0, -0.1]), 0, 0), 0.3);
    const hedged = [
      [1, 0.9],
      [0.9, 1],
    ];
    close(worstVar(aView(hedged, [0, 0], [0, -0.2]), 0, 0.2), 0.2); // the hedge may not fill
    close(worstVar(aView(hedged, [0, 0], [0, 0.2]), 0, 0.2), Math.sqrt(0.08 + 0.072));
  });
  it('beyond six symbols with orders under way leaves out the fills that reduce', () => {
    const n = 9;
    const working = Array.from({ length: n }, (_, i) => (i === 0 ? 0 : i % 2 === 1 ? -0.1 : 0.1));
    const filled = Array.from({ length: n }, () => 0.2);
    const f = filled.map((held, i) => (i > 0 && i % 2 === 0 ? held + 0.1 : held));
    close(worstVar(aView(identity(n), filled, working), 0, 0.2), Math.hypot(...f));
  });
  it('bounds a move whatever fills elsewhere', () => {
    const view = aView(identity(2), [0, 0], [0, 0.3]);
    close(boundedByVar(view, 0, { held: 0, wanted: 1, target: 0.5 }), 0.4);
    close(varOf(view, [0.4, 0.3]), 0.5);
  });
});

describe('marks', () => {
  const desk = new Desk().open({ cash: 8e11, positions: { [BTC]: 300_000, [ETH]: 0 } });
  desk.signal({ edges: [] });
  desk.tick(0);
  const own = policy.symbols.get(BTC)!;
  it('older than 60 s make a symbol the worst case, and the book not wholly marked', () => {
    const { state } = desk;
    close(sigmaOf(state, own, T + 60_000), 0.6 / Math.sqrt(365));
    assert.equal(isMarked(state.symbols.get(BTC)!, T + 60_000), true);
    assert.equal(riskView(state, policy, T + 60_000).isMarked, true, 'ETH has none, and no position');
    close(sigmaOf(state, own, T + 60_001), 0.15);
    assert.equal(riskView(state, policy, T + 60_001).isMarked, false);
    const view = riskView(state, policy, T + 60_001);
    close(varOf(view, view.filled), (Z * 0.15 * 180_000) / state.equity.usd!);
  });
  it('that are valid are worth the exit side; of a one-sided book less by σ·√age at once; old ones too', () => {
    const { state } = desk;
    const worthAt = (now: number): number => {
      takeWorth(state, policy, now);
      return state.equity.usd!;
    };
    const full = 800_000 + 3 * 59_999.9;
    close(worthAt(T + 30_000), full);
    const sigma = 0.6 / Math.sqrt(365);
    const old = worthAt(T + 90_000);
    close(old, 800_000 + 3 * 59_999.9 * (1 - 0.15 * Math.sqrt(90 / 86_400)));
    desk.now = T + 1_000;
    desk.signal({ edges: [], seq: 50, features: { valid: false, askTicks: 0 } });
    close(worthAt(T + 30_000), 800_000 + 3 * 59_999.9 * (1 - sigma * Math.sqrt(30 / 86_400)));
  });
  it('of an earlier boot are no worth: the last one stays until there is a book', () => {
    const next = new Desk().open({ cash: 8e11, positions: { [BTC]: 300_000 } });
    next.state.symbols.get(BTC)!.quote = desk.state.symbols.get(BTC)!.quote;
    next.state.equity.usd = 123;
    takeWorth(next.state, policy, T + 1e9);
    assert.equal(next.state.equity.usd, 123);
  });
});

describe('risk capital', () => {
  it('is the lesser of capital and equity, where each shard’s account has its even part of both', () => {
    const { state } = new Desk().open();
    state.equity.usd = 900_000;
    assert.equal(riskCapitalUsd(state, policy), 900_000);
    state.equity.usd = 1_100_000;
    assert.equal(riskCapitalUsd(state, policy), 1_000_000);
    const halved = compilePolicy(aDocument(), { ...CONFIG, shards: 2 }, 0);
    state.equity.usd = 450_000;
    assert.equal(riskCapitalUsd(state, halved), 900_000);
  });
});

describe('estimates that go out', () => {
  it('are the slow σ, of symbols with a fresh mark only', () => {
    const desk = new Desk().open();
    desk.signal({ edges: [] });
    const own = desk.state.volatilities.get(BTC)!;
    own.fastVariance = 0.09;
    const [at, late] = [T + 14_999, T + 30_000];
    assert.deepEqual(takeGridStep(desk.state, policy, at), [
      { kind: 'volatility', symbol: BTC, sigmaDay: Math.sqrt(own.slowVariance) },
    ]);
    assert.deepEqual(takeGridStep(desk.state, policy, late), []);
  });
});
