// Daily closes of a symbol, for the warm start of its volatility: ingest has them from the venue and writes them (keys.ts), the
// harmoniser starts from them. Pure.
import { isObject, parseJson } from './json.ts';

/** Start of a closed UTC day, epoch s, and its last price in quote currency. */
export type DailyClose = readonly [day: number, close: number];

export interface DailyBars {
  /** Name of the source. */
  readonly source: string;
  /** Oldest first, each day at most once. */
  readonly closes: readonly DailyClose[];
}

export const DAY_SECONDS = 86_400;

/** The bars in a text, or undefined where it is none. */
export function parseDailyBars(text: string): DailyBars | undefined {
  const parsed = parseJson(text);
  if (!isObject(parsed) || typeof parsed['source'] !== 'string' || !Array.isArray(parsed['closes'])) return undefined;
  const closes = parsed['closes'].filter(isClose);
  const isWhole = closes.length === parsed['closes'].length;
  const isAscending = closes.every(([day], i) => i === 0 || day > (closes[i - 1]?.[0] ?? 0));
  return isWhole && isAscending ? { source: parsed['source'], closes } : undefined;
}

function isClose(pair: unknown): pair is DailyClose {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  const [day, close] = pair as readonly unknown[];
  return Number.isSafeInteger(day) && typeof close === 'number' && Number.isFinite(close) && close > 0;
}
