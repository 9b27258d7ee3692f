import assert from 'node:assert/strict';
import { correlations, covarianceMatrix, seededCovariance } from './covariance.ts';
import { randomFrom } from '../simulator/random.ts';
import { allowedPositions, componentVars, portfolioVar, withinVar } from './var.ts';

const Z = 1.645;
const L = 0.0135;

/** 20,000 random books of up to five assets (the prototype's number). */
function books(
  visit: (book: { covariance: number[][]; f: number[]; random: () => number }) => void,
  runs = 20_000,
): void {
  const random = randomFrom(17);
  for (let run = 0; run < runs; run++) {
    const n = 1 + Math.floor(random() * 5);
    const loadings = Array.from({ length: n }, () => random() * 1.8 - 0.9);
    const rho = loadings.map((a, i) => loadings.map((b, j) => (i === j ? 1 : a * b)));
    const sigmas = rho.map(() => 0.005 + random() * 0.1);
    visit({ covariance: covarianceMatrix(rho, sigmas), f: rho.map(() => (random() - 0.5) * 0.6), random });
  }
}

describe('portfolio VaR', () => {
  it('is the closed form for one asset', () => {
    assert.ok(Math.abs(portfolioVar([[0.0009]], [-0.2], Z) - Z * 0.03 * 0.2) < 1e-15);
  });

  it('is homogeneous, even, subadditive and never negative', () =>
    books(({ covariance, f, random }) => {
      const V = portfolioVar(covariance, f, Z);
      const k = random() * 3;
      const scaled = portfolioVar(
        covariance,
        f.map((x) => k * x),
        Z,
      );
      assert.ok(V >= 0 && Math.abs(scaled - k * V) < 1e-12);
      const mirrored = portfolioVar(
        covariance,
        f.map((x) => -x),
        Z,
      );
      assert.equal(mirrored, V);
      const g = f.map(() => random() - 0.5);
      const sum = portfolioVar(
        covariance,
        f.map((x, i) => x + g[i]!),
        Z,
      );
      assert.ok(sum <= V + portfolioVar(covariance, g, Z) + 1e-12);
    }, 5_000));

  it('is the sum of its components', () =>
    books(({ covariance, f }) => {
      const sum = componentVars(covariance, f, Z).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - portfolioVar(covariance, f, Z)) < 1e-12);
    }, 5_000));

  it('comes back to the target exactly where everything is scaled by 1.35/V', () =>
    books(({ covariance, f }) => {
      const V = portfolioVar(covariance, f, Z);
      if (V < 0.02) return;
      const cut = f.map((x) => (x * L) / V);
      assert.ok(Math.abs(portfolioVar(covariance, cut, Z) - L) < 1e-12);
    }, 5_000));

  it('puts BTC and ETH at .2 each', () => {
    const sigmaDay = 0.6 / Math.sqrt(365);
    const pair = ['BTC', 'ETH'].map((name) => ({ name, assetClass: 'crypto', sigmaDay }));
    const covariance = covarianceMatrix(correlations(seededCovariance(pair)), [sigmaDay, sigmaDay]);
    assert.ok(Math.abs(100 * portfolioVar(covariance, [0.2, 0.2], Z) - 1.91) < 0.01);
    assert.ok(Math.abs(100 * portfolioVar(covariance, [0.2, 0], Z) - 1.03) < 0.01);
  });
});

describe('allowed positions', () => {
  it('end exactly at the limit', () =>
    books(({ covariance, f }) => {
      const i = f.length - 1;
      const { within, least } = allowedPositions({ covariance, f }, i, L / Z);
      const at = (x: number): number => portfolioVar(covariance, f.with(i, x), Z);
      if (within === undefined) assert.ok(at(least) > L - 1e-12);
      else for (const edge of [within.lo, within.hi]) assert.ok(Math.abs(at(edge) - L) < 1e-9);
      assert.ok(at(least) <= Math.min(at(0), at(f[i]!)) + 1e-12);
    }, 5_000));

  it('never let an accepted change exceed the limit or the risk before', () =>
    books(({ covariance, f, random }) => {
      const i = Math.floor(random() * f.length);
      const wanted = (random() - 0.5) * 0.8;
      const allowed = withinVar(f[i]!, wanted, allowedPositions({ covariance, f }, i, L / Z));
      const before = portfolioVar(covariance, f, Z);
      const after = portfolioVar(covariance, f.with(i, allowed), Z);
      assert.ok(after <= Math.max(L, before) + 1e-9, `${after} from ${before}`);
      assert.ok((allowed - f[i]!) * (wanted - f[i]!) >= 0, 'turned round');
      assert.ok(Math.abs(allowed - f[i]!) <= Math.abs(wanted - f[i]!) + 1e-15, 'went beyond');
    }));

  it('let a hedge that lowers the risk pass, and a closing order always', () =>
    books(({ covariance, f, random }) => {
      const i = Math.floor(random() * f.length);
      const allowed = allowedPositions({ covariance, f }, i, L / Z);
      const wanted = f[i]! + (allowed.least - f[i]!) * random();
      assert.equal(withinVar(f[i]!, wanted, allowed), wanted);
    }, 5_000));

  it('without an interval go only toward the least risk, never through 0', () => {
    const none = { least: -0.1, within: undefined };
    assert.equal(withinVar(0.2, 0.3, none), 0.2);
    assert.equal(withinVar(0.2, -0.5, none), 0);
    assert.equal(withinVar(0, -0.5, none), 0);
    assert.equal(withinVar(-0.05, -0.5, none), -0.05);
    assert.equal(withinVar(-0.3, 0.5, none), -0.1);
  });
});
