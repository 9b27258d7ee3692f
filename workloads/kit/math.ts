// The few functions beyond + − × ÷ √ that the cores need, built from those alone, so that a replay gives the same bits
// on every machine. Nothing else in a core may call Math.exp, Math.log or Math.pow.

export const clamp = (x: number, low: number, high: number): number => Math.max(low, Math.min(high, x));

/** x/√(1+x²): odd, increasing, within (−1, 1). Beyond 1e8 it is ±1 to the last bit; squaring there would overflow. */
export const sat = (x: number): number => (Math.abs(x) > 1e8 ? Math.sign(x) : x / Math.sqrt(1 + x * x));

/** Natural logarithm of x > 0, relative error < 1e-14: x = m·2^k with m near 1, then 2·atanh((m−1)/(m+1)). */
export function naturalLog(x: number): number {
  if (!(x > 0) || x === Infinity) throw new RangeError(`naturalLog: ${x} is not a positive number`);
  let m = x;
  let k = 0;
  for (; m > Math.SQRT2; k++) m *= 0.5;
  for (; m < Math.SQRT1_2; k--) m *= 2;
  const s = (m - 1) / (m + 1);
  const s2 = s * s;
  let sum = 0;
  for (let n = 27; n >= 1; n -= 2) sum = sum * s2 + 1 / n;
  return 2 * s * sum + k * Math.LN2;
}

/** e^x, relative error < 1e-14; 0 below −700, Infinity above 700. */
export function exponential(x: number): number {
  if (x < -700) return 0;
  if (x > 700) return Infinity;
  const k = Math.round(x / Math.LN2);
  const r = x - k * Math.LN2;
  let value = 1;
  for (let n = 18; n >= 1; n--) value = 1 + (value * r) / n;
  const factor = k < 0 ? 0.5 : 2;
  for (let i = Math.abs(k); i > 0; i--) value *= factor;
  return value;
}

/** base^exponent for base > 0; 0 for base 0. */
export const power = (base: number, exponent: number): number =>
  base === 0 ? 0 : exponential(exponent * naturalLog(base));

/** base^n for an integer n ≥ 0 by squaring: what a grid of equal steps needs. */
export function integerPower(base: number, n: number): number {
  let result = 1;
  let square = base;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/** Standard normal quantile for 0 < p < 1, relative error < 1.2e-9 (P. J. Acklam's rational approximation). */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`normalQuantile: ${p} is not within (0, 1)`);
  const tail = 0.02425;
  if (p > 1 - tail) return -lowerTail(1 - p);
  if (p < tail) return lowerTail(p);
  const q = p - 0.5;
  const r = q * q;
  return (polynomial(CENTRE_UP, r) * q) / polynomial(CENTRE_DOWN, r);
}

function lowerTail(p: number): number {
  const q = Math.sqrt(-2 * naturalLog(p));
  return polynomial(TAIL_UP, q) / polynomial(TAIL_DOWN, q);
}

const CENTRE_UP = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const CENTRE_DOWN = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
];
const TAIL_UP = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_DOWN = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
