// Daily bars of the synthetic market: a walk backward from its starting price. Pure: the same seed, symbol and day give the same
// day's return, so that yesterday's bars are today's.
import type { Bar } from './player.ts';
import { normalFrom, randomFrom } from './random.ts';

const DAY_SECONDS = 86_400;
/** Per day, as the market's own volatility of a year. */
const RETURN_SD = 0.6 / Math.sqrt(365);
const TURNOVER_USD = 50e6;

export interface BarsOptions {
  readonly symbol: string;
  readonly seed: number;
  /** The close of the last day. */
  readonly price: number;
}

/** The last `count` closed days before `now` (epoch ms), oldest first. */
export function dailyBars({ symbol, seed, price }: BarsOptions, now: number, count: number): Bar[] {
  const today = Math.floor(now / 1_000 / DAY_SECONDS);
  const bars: Bar[] = [];
  let close = price;
  for (let day = today - 1; day >= today - count; day--) {
    const random = randomFrom(hashOf(symbol) ^ (seed + day * 2_654_435_761));
    const normal = normalFrom(random);
    const open = close / (1 + RETURN_SD * Math.max(-4, Math.min(4, normal())));
    const wick = (): number => 1 + Math.abs(normal()) * RETURN_SD * 0.3;
    bars.push({
      start: day * DAY_SECONDS,
      open,
      high: Math.max(open, close) * wick(),
      low: Math.min(open, close) / wick(),
      close,
      volume: (TURNOVER_USD * (0.5 + random())) / close,
    });
    close = open;
  }
  return bars.reverse();
}

const hashOf = (text: string): number => Buffer.from(text).reduce((hash, byte) => (hash * 31 + byte) | 0, 7);
