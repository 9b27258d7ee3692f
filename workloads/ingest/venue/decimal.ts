// Decimal text ↔ integers, exactly. Called by every venue's decoder for each price and size.

/** What a text that is no such decimal gives; all valid results are ≥ 0. */
export const NOT_A_DECIMAL = -1;

const ZERO = 48;
const POINT = 46;

/**
 * `text` × 10^`decimals` as an integer, without going through a float: "61837.64000000" with 2 decimals is 6183764.
 * NOT_A_DECIMAL for what is not plain digits with at most one point (sign, exponent, blanks, empty), has a non-zero digit
 * beyond `decimals`, or exceeds 2^53−1. `decimals` 0 … 15.
 */
export function parseScaled(text: unknown, decimals: number): number {
  if (typeof text !== 'string') return NOT_A_DECIMAL;
  let value = 0;
  let at = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === 0) return NOT_A_DECIMAL;
  const scaled =
    at === text.length ? value * (POWERS[decimals] ?? Number.NaN) : withFraction(text, at, value, decimals);
  return scaled <= Number.MAX_SAFE_INTEGER ? scaled : NOT_A_DECIMAL;
}

function withFraction(text: string, pointAt: number, whole: number, decimals: number): number {
  const start = pointAt + 1;
  if (text.charCodeAt(pointAt) !== POINT || start === text.length) return NOT_A_DECIMAL;
  const end = Math.min(text.length, start + decimals);
  let value = whole;
  let at = start;
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return NOT_A_DECIMAL;
    value = value * 10 + digit;
  }
  for (; at < text.length; at++) if (text.charCodeAt(at) !== ZERO) return NOT_A_DECIMAL;
  return value * (POWERS[decimals - (end - start)] ?? Number.NaN);
}

const POWERS: readonly number[] = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/**
 * Digits after the point that a step needs: "0.00010000" → 4, "1.00" → 0, "0.05" → 2. Undefined where the text is no
 * positive decimal or needs more than 12.
 */
export function decimalsOfStep(step: unknown): number | undefined {
  for (let decimals = 0; decimals <= 12; decimals++) {
    const scaled = parseScaled(step, decimals);
    if (scaled > 0) return decimals;
  }
  return undefined;
}
