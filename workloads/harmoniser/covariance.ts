// Correlations of a shard's symbols on the common 5 s grid (docs/trading.md). Pure. All pairs share one weight per step, so
// the estimate is a sum of outer products and stays positive semi-definite for any data.
import { integerPower, power } from '../kit/math.ts';
import { GRID_SECONDS } from './volatility.ts';

const HALF_LIFE_SECONDS = 4 * 3_600;
const STEP_WEIGHT = power(0.5, GRID_SECONDS / HALF_LIFE_SECONDS);
const SHRINKAGE = 0.2;
const WITHIN_CLASS = 0.7;
const ACROSS_CLASSES = 0.3;
/** Within a class ρ is at least this until there are so many samples: mids of one venue understate it. */
const EARLY_FLOOR = 0.5;
const EARLY_SAMPLES = 300;

export interface Covariance {
  readonly symbols: readonly string[];
  readonly classes: readonly string[];
  /** Σ weight·x·xᵀ of returns per step, seeded with the classes' correlation. */
  readonly products: number[][];
  samples: number;
}

const classCorrelation = (a: string, b: string): number => (a === b ? WITHIN_CLASS : ACROSS_CLASSES);

/** Starts at the classes' correlation with each symbol's own σ per step. */
export function seededCovariance(
  symbols: readonly { readonly name: string; readonly assetClass: string; readonly sigmaDay: number }[],
): Covariance {
  const perStep = Math.sqrt(GRID_SECONDS / 86_400);
  return {
    symbols: symbols.map(({ name }) => name),
    classes: symbols.map(({ assetClass }) => assetClass),
    products: symbols.map((a, i) =>
      symbols.map(
        (b, j) =>
          a.sigmaDay * perStep * b.sigmaDay * perStep * (i === j ? 1 : classCorrelation(a.assetClass, b.assetClass)),
      ),
    ),
    samples: 0,
  };
}

/**
 * Takes one step's returns in place, in the order of `symbols`; 0 for a symbol without a new point. `steps` is how many
 * grid steps have passed since the last call.
 */
export function takeReturns(covariance: Covariance, returns: readonly number[], steps = 1): void {
  const weight = integerPower(STEP_WEIGHT, steps);
  covariance.products.forEach((row, i) => {
    for (let j = 0; j < row.length; j++)
      row[j] = weight * (row[j] ?? 0) + (1 - weight) * (returns[i] ?? 0) * (returns[j] ?? 0);
  });
  covariance.samples++;
}

/**
 * The correlation matrix: the estimate shrunk toward the classes' constants by .2, or by as much more as the early floor
 * needs. One share for the whole matrix, so it is a convex sum of two positive semi-definite matrices; raising single
 * entries is not (three symbols at .99, .9 and .5).
 */
export function correlations(covariance: Covariance): number[][] {
  const { products, classes } = covariance;
  const estimate = products.map((row, i) =>
    row.map((product, j) => (i === j ? 1 : normalised(product, products[i]?.[i] ?? 0, products[j]?.[j] ?? 0))),
  );
  const shrink = Math.max(SHRINKAGE, covariance.samples < EARLY_SAMPLES ? shareForFloor(estimate, classes) : 0);
  return estimate.map((row, i) =>
    row.map((rho, j) =>
      i === j ? 1 : (1 - shrink) * rho + shrink * classCorrelation(classes[i] ?? '', classes[j] ?? ''),
    ),
  );
}

const normalised = (product: number, a: number, b: number): number =>
  a > 0 && b > 0 ? Math.max(-1, Math.min(1, product / Math.sqrt(a * b))) : 0;

/** The least share of the class constant at which no pair within a class is below the floor. */
function shareForFloor(estimate: readonly (readonly number[])[], classes: readonly string[]): number {
  const shares = estimate.flatMap((row, i) =>
    row.map((rho, j) =>
      i !== j && classes[i] === classes[j] && rho < EARLY_FLOOR ? (EARLY_FLOOR - rho) / (WITHIN_CLASS - rho) : 0,
    ),
  );
  return Math.max(0, ...shares);
}

/** Σ = D·ρ·D in fractions² per day, in the order of `symbols`. */
export const covarianceMatrix = (rho: readonly (readonly number[])[], sigmas: readonly number[]): number[][] =>
  rho.map((row, i) => row.map((r, j) => r * (sigmas[i] ?? 0) * (sigmas[j] ?? 0)));
