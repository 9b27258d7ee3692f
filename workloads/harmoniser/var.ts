// Value at risk of a book and the positions that it allows (docs/trading.md). Pure. f are signed fractions of risk capital,
// Σ fractions² per day, z the quantile times √horizon; VaR and limits are fractions of capital, not percent.

type Matrix = readonly (readonly number[])[];

const product = (covariance: Matrix, f: readonly number[], i: number): number =>
  f.reduce((sum, weight, j) => sum + (covariance[i]?.[j] ?? 0) * weight, 0);

/** V = z·√(fᵀΣf). Positively homogeneous, subadditive, even; never negative or NaN for a positive semi-definite Σ. */
export function portfolioVar(covariance: Matrix, f: readonly number[], z: number): number {
  const variance = f.reduce((sum, weight, i) => sum + weight * product(covariance, f, i), 0);
  return z * Math.sqrt(Math.max(0, variance));
}

/** Component VaR per symbol: f_i·(Σf)_i·z²/V; they sum to V. All 0 for a flat book. */
export function componentVars(covariance: Matrix, f: readonly number[], z: number): number[] {
  const total = portfolioVar(covariance, f, z);
  return f.map((weight, i) => (total > 0 ? (z * z * weight * product(covariance, f, i)) / total : 0));
}

/** The positions of one symbol that keep the book within the limit, and the one with the least risk. */
export interface Allowed {
  readonly least: number;
  /** Undefined: none does, whatever this symbol holds. */
  readonly within: { readonly lo: number; readonly hi: number } | undefined;
}

/**
 * The exact interval for symbol `i` with the others at `f`: (−b ± √(b² − σ²(C0 − (L/z)²)))/σ². σ_i must be > 0 (the
 * volatility floor sees to it); f[i] is not read.
 */
export function allowedPositions(
  book: { covariance: Matrix; f: readonly number[] },
  i: number,
  limitOverZ: number,
): Allowed {
  const others = book.f.map((weight, j) => (j === i ? 0 : weight));
  const variance = book.covariance[i]?.[i] ?? 0;
  const b = product(book.covariance, others, i);
  const c0 = others.reduce((sum, weight, j) => sum + weight * product(book.covariance, others, j), 0);
  const under = b * b - variance * (c0 - limitOverZ * limitOverZ);
  const least = -b / variance;
  if (!(under >= 0)) return { least, within: undefined };
  const half = Math.sqrt(under) / variance;
  return { least, within: { lo: least - half, hi: least + half } };
}

/**
 * The part of the way from `held` to `wanted` that VaR allows: all of it where that leaves no more risk than there is;
 * else as far as the interval reaches; without an interval only toward the least risk and never through 0. A book that
 * drifted above the limit is not trimmed by this: only increases are bounded. Where the risk of the rest is not known
 * (NaN), a reduction passes and nothing else: another symbol's missing mark must not hold this one fast.
 */
export function withinVar(held: number, wanted: number, { least, within }: Allowed): number {
  if (!Number.isFinite(least)) return wanted * held < 0 ? 0 : isBetween(0, wanted, held) ? wanted : held;
  if (Math.abs(wanted - least) <= Math.abs(held - least)) return wanted;
  if (within !== undefined) {
    const bounded = Math.max(within.lo, Math.min(wanted, within.hi));
    return isBetween(held, bounded, wanted) ? bounded : held;
  }
  const toward = isBetween(held, least, wanted) ? least : held;
  return toward * held < 0 ? 0 : isBetween(0, toward, held) ? toward : held;
}

const isBetween = (from: number, x: number, to: number): boolean => Math.min(from, to) <= x && x <= Math.max(from, to);
