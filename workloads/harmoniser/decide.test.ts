// Sizes as the core makes them, to the figure: what goes into a size and how it gets there.
import assert from 'node:assert/strict';
import { aPolicy, PARAMS } from './test/builders.ts';
import { decisions, Desk, orders, T } from './test/desk.ts';

const BTC = 'BTC-USD';
const close = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) < 1e-9, `${found} for ${expected}`);

const SIGMA_BPS = 1e4 * (0.6 / Math.sqrt(365)) * Math.sqrt(60 / 86_400);
const COST = 3 + 1 + 2.5 + 0.5 * Math.log(1 + 200_000 / 10_000) + (0.5 * 1e4 * 0.2) / 60_000;
const sat = (x: number): number => x / Math.sqrt(1 + x * x);
/** The upper bound of a size for an edge of 20 bps blended at a confidence of .8, that is 20·.714/(.714 + 1/9). */
const EDGE = (20 * (0.5 / 0.7)) / (0.5 / 0.7 + 1 / 9);
const hiOf = (change: { factor?: number; scale?: number } = {}): number =>
  0.16 * (change.factor ?? 1) * sat((EDGE + COST) / (change.scale ?? 0.5 * SIGMA_BPS));

describe('a size', () => {
  it('is the saturated signal-to-noise within the costs, to the figure', () => {
    const [decision] = decisions(new Desk().open().signal());
    close(decision!.edgeBps, EDGE);
    close(decision!.hi, hiOf());
    close(decision!.lo, 0.16 * sat((EDGE - COST) / (0.5 * SIGMA_BPS)));
    close(decision!.target, decision!.lo);
  });
  for (const [drawdown, factor] of [
    [0.03, 1],
    [0.04, 0.5],
    [0.0475, 0.125],
    [0.05, 0],
  ] as const)
    it(`is ${factor} of it at a drawdown of ${100 * drawdown} %`, () => {
      const desk = new Desk().open();
      desk.state.equity.highWaterUsd = 1_000_000 / (1 - drawdown);
      close(decisions(desk.signal())[0]!.hi, hiOf({ factor }));
    });
  it('has its cap from VaR where σ is high', () => {
    const desk = new Desk().open();
    desk.signal({ edges: [] });
    Object.assign(desk.state.volatilities.get(BTC)!, { slowVariance: 0.01, fastVariance: 0.01 });
    desk.now += 250;
    const [decision] = decisions(desk.signal({ edges: [{ edgeBps: 100, confidence: 1 }] }));
    const cap = 0.8 * (0.0135 / (aPolicy().var.z * 0.1));
    const edge = (100 * 1) / (1 + 1 / 9);
    close(decision!.hi, cap * sat((edge + COST) / (0.5 * 1e4 * 0.1 * Math.sqrt(60 / 86_400))));
  });
  it('shrinks by what the blend errs beyond σ, once 30 samples say so', () => {
    for (const samples of [29, 30]) {
      const desk = new Desk().open();
      Object.assign(desk.state.symbols.get(BTC)!.excess, { errors: 3 * 4 * SIGMA_BPS ** 2, weights: 3, samples });
      const scale = samples < 30 ? 0.5 * SIGMA_BPS : 0.5 * 2 * SIGMA_BPS; // √(σ² + (4σ² − σ²))
      close(decisions(desk.signal())[0]!.hi, hiOf({ scale }));
    }
  });
  it('learns what the blend errs from one claim a horizon, in bps against the return that followed', () => {
    const desk = new Desk().open();
    for (let i = 0; i <= 240; i++) {
      desk.signal({ mid: i < 240 ? 60_000 : 60_060 }); // 60 s later 10 bps higher
      desk.now += 250;
    }
    const { errors, weights, samples, open } = desk.state.symbols.get(BTC)!.excess;
    assert.deepEqual([weights, samples, open?.at], [1, 1, T + 60_000]);
    close(errors, (10 - EDGE) ** 2);
  });
});

describe('a class', () => {
  it('bounds the sum of its positions, increases only', () => {
    const params = {
      ...PARAMS,
      limits: {
        ...PARAMS.limits,
        var: { ...PARAMS.limits.var, targetPct: 20, gatePct: 30, alertPct: 40, limitPct: 50 },
        concentration: { singleAssetPct: 25, assetClassPct: 30 },
      },
    };
    const held = (ethLots: number) => {
      const desk = new Desk().open(
        { cash: 1e12 - ethLots * 25_000, positions: { 'ETH-USD': ethLots } },
        aPolicy({}, params),
      );
      desk.signal({ symbol: 'ETH-USD', mid: 2_500, edges: [] });
      const [decision] = decisions(desk.signal({ edges: [{ edgeBps: 80, confidence: 1 }] }));
      return decision!;
    };
    const bounded = held(10_000_000); // 25 % of the capital
    assert.ok(Math.abs(bounded.target - 0.05) < 1e-5, `${bounded.target}`);
    assert.ok(bounded.notes?.includes('ClassBound'));
    assert.equal(held(16_000_000).target, 0, '40 %: nothing may be added, nothing is sold');
    assert.ok(held(0).target > 0.15);
  });
});

describe('the trim to the cap', () => {
  it('does not take a hedge away: VaR has the last word', () => {
    const desk = new Desk().open({ cash: 37e10, positions: { [BTC]: 300_000, 'ETH-USD': 18_000_000 } });
    desk.signal({ symbol: 'ETH-USD', mid: 2_500, edges: [] });
    desk.state.correlations = [
      [1, -0.95],
      [-0.95, 1],
    ];
    const outputs = desk.signal({ edges: [{ edgeBps: -20, confidence: 1 }] });
    const [decision] = decisions(outputs);
    assert.ok(decision!.held > 1.05 * 0.16, 'above its cap');
    assert.deepEqual([orders(outputs), decision!.target], [[], decision!.held]);
  });
});
