import assert from 'node:assert/strict';
import { correlations, covarianceMatrix, seededCovariance, takeReturns, type Covariance } from './covariance.ts';
import { normalFrom, randomFrom } from '../simulator/random.ts';

const symbols = (...classes: string[]): { name: string; assetClass: string; sigmaDay: number }[] =>
  classes.map((assetClass, i) => ({ name: `S${i}`, assetClass, sigmaDay: 0.03 }));

function feed(covariance: Covariance, steps: number, next: () => number[]): void {
  for (let i = 0; i < steps; i++) takeReturns(covariance, next());
}

/** Smallest fᵀMf over random unit-cube vectors: negative = not positive semi-definite. */
function leastForm(matrix: readonly (readonly number[])[], random: () => number): number {
  let least = Infinity;
  for (let k = 0; k < 40; k++) {
    const f = matrix.map(() => random() - 0.5);
    least = Math.min(
      least,
      f.reduce((sum, a, i) => sum + a * f.reduce((inner, b, j) => inner + b * matrix[i]![j]!, 0), 0),
    );
  }
  return least;
}

describe('correlations', () => {
  it('start at the classes’ constants', () => {
    const rho = correlations(seededCovariance(symbols('crypto', 'crypto', 'forex')));
    assert.ok(Math.abs(rho[0]![1]! - 0.7) < 1e-12);
    assert.ok(Math.abs(rho[0]![2]! - 0.3) < 1e-12);
    assert.deepEqual(
      rho.map((row, i) => row[i]),
      [1, 1, 1],
    );
  });

  it('learn from the data, shrunk by a fifth', () => {
    const covariance = seededCovariance(symbols('crypto', 'crypto'));
    const normal = normalFrom(randomFrom(1));
    feed(covariance, 20_000, () => {
      const common = normal();
      return [1e-4 * common, 1e-4 * (0.9 * common + Math.sqrt(1 - 0.81) * normal())];
    });
    assert.ok(Math.abs(correlations(covariance)[0]![1]! - (0.8 * 0.9 + 0.2 * 0.7)) < 0.03);
  });

  it('keep to the floor within a class until 300 samples', () => {
    const covariance = seededCovariance(symbols('crypto', 'crypto'));
    const opposed = (): number[] => [0.01, -0.01];
    feed(covariance, 299, opposed);
    assert.ok(Math.abs(correlations(covariance)[0]![1]! - 0.5) < 1e-12);
    feed(covariance, 1, opposed);
    assert.ok(correlations(covariance)[0]![1]! < 0.5);
  });

  it('stay positive semi-definite for any data and order, early too', () => {
    const random = randomFrom(2);
    const normal = normalFrom(random);
    for (let run = 0; run < 100; run++) {
      const covariance = seededCovariance(symbols('crypto', 'crypto', 'crypto', 'forex', 'stocks'));
      const loadings = covariance.symbols.map(() => normal());
      feed(covariance, Math.floor(random() * 30), () => {
        const common = normal();
        return loadings.map((b) => (random() < 0.3 ? 0 : 0.01 * (b * common + 0.05 * normal())));
      });
      const rho = correlations(covariance);
      assert.ok(leastForm(rho, random) > -1e-12);
      const sigma = covarianceMatrix(
        rho,
        rho.map(() => random() * 0.1),
      );
      assert.ok(leastForm(sigma, random) > -1e-14);
      for (let i = 0; i < 5; i++) for (let j = 0; j < 5; j++) assert.ok(Math.abs(rho[i]![j]! - rho[j]![i]!) < 1e-15);
    }
  });

  it('survive a symbol that never moves', () => {
    const covariance = seededCovariance([
      { name: 'A', assetClass: 'crypto', sigmaDay: 0 },
      { name: 'B', assetClass: 'crypto', sigmaDay: 0.03 },
    ]);
    takeReturns(covariance, [0, 0.01]);
    assert.ok(correlations(covariance).flat().every(Number.isFinite));
  });
});
