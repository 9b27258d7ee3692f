// Decimal text → integers, exactly. Called by every venue's decoder for each price and size.

/** What a text that is no such decimal gives; all valid results are ≥ 0. */
export const NOT_A_DECIMAL = -1;
/** What a decimal with more digits than asked for gives. */
export const TOO_FINE = -2;

const ZERO = 48;

/**
 * `text` × 10^`decimals` as an integer, without going through a float: "61837.64000000" with 2 decimals is 6183764.
 * TOO_FINE where a digit beyond `decimals` is not 0; NOT_A_DECIMAL for what is not plain digits with at most one point
 * (sign, exponent, blanks, empty) or exceeds 2^53−1. `decimals` 0 … 15.
 */
export const parseScaled = (text: unknown, decimals: number): number => parse(text, decimals, false);

/** As parseScaled, rounded down where the text is finer. */
export const parseFloored = (text: unknown, decimals: number): number => parse(text, decimals, true);

function parse(text: unknown, decimals: number, isFloored: boolean): number {
  if (typeof text !== 'string' || text === '') return NOT_A_DECIMAL;
  const point = text.indexOf('.');
  if (point < 0) return shifted(digits(text, 0, text.length, 0), decimals);
  if (point === 0 || point === text.length - 1) return NOT_A_DECIMAL;
  const end = Math.min(text.length, point + 1 + decimals);
  const value = digits(text, point + 1, end, digits(text, 0, point, 0));
  const beyond = digits(text, end, text.length, 0);
  if (beyond < 0) return NOT_A_DECIMAL;
  return beyond > 0 && !isFloored ? TOO_FINE : shifted(value, decimals - (end - point - 1));
}

/** `value` with the digits from … to appended; negative where it was, or where one of them is no digit. */
function digits(text: string, from: number, to: number, value: number): number {
  let result = value;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9 || result < 0) return NOT_A_DECIMAL;
    result = result * 10 + digit;
  }
  return result;
}

function shifted(value: number, places: number): number {
  if (value < 0) return NOT_A_DECIMAL;
  const scaled = value * (POWERS[places] ?? Number.NaN);
  return scaled <= Number.MAX_SAFE_INTEGER ? scaled : NOT_A_DECIMAL;
}

const POWERS: readonly number[] = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/**
 * Digits after the point that a step needs: "0.00010000" → 4, "1.00" → 0, "0.05" → 2. Undefined where the text is no
 * positive decimal or needs more than 12.
 */
export function decimalsOfStep(step: unknown): number | undefined {
  for (let decimals = 0; decimals <= 12; decimals++) {
    if (parseScaled(step, decimals) > 0) return decimals;
  }
  return undefined;
}
