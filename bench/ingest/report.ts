// One line of an engine about one recording: what engines in other languages print as well (peers/).
import { quantile } from '../stats.ts';

export interface Played {
  /** Of one pass over all frames. */
  readonly ns: number;
}

/** A row of the benchmark, as each engine prints it. */
export interface Row {
  readonly engine: string;
  readonly symbol: string;
  readonly frames: number;
  readonly frames_per_s: number;
  readonly us_p50: number;
  readonly us_p99: number;
  /** p50 by kind of frame, µs. */
  readonly us_p50_by_kind: Readonly<Record<string, number>>;
  /** Best bid and ask at the end, and how many levels each side has. */
  readonly final_book: readonly (string | number)[];
}

export interface Measured {
  readonly engine: string;
  readonly symbol: string;
  /** ns of each pass without timers inside. */
  readonly walls: readonly number[];
  /** µs of each frame, of a pass of its own. */
  readonly us: readonly number[];
  /** Kind of each frame. */
  readonly kinds: readonly string[];
  readonly finalBook: readonly (string | number)[];
  readonly more?: object;
}

export const kindOf = (text: string): string => {
  if (text.includes('@depth') || text.includes('"l2_data"')) return 'depth';
  return text.includes('@trade') || text.includes('"market_trades"') ? 'trade' : 'book';
};

export function report({ engine, symbol, walls, us, kinds, finalBook, more = {} }: Measured): void {
  const wall = quantile(walls, 0.5);
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  const ofKind = (kind: string): number =>
    rounded(
      quantile(
        us.filter((_, i) => kinds[i] === kind),
        0.5,
      ),
    );
  const row: Row = {
    engine,
    symbol,
    frames: us.length,
    frames_per_s: Math.round((us.length / wall) * 1e9),
    us_p50: rounded(quantile(us, 0.5)),
    us_p99: rounded(quantile(us, 0.99)),
    us_p50_by_kind: Object.fromEntries([...new Set(kinds)].map((kind) => [kind, ofKind(kind)])),
    final_book: finalBook,
  };
  console.log(JSON.stringify({ ...row, ...more }));
}
