// What the account is worth, and the day's and the drawdown's bounds on it (docs/trading.md). Changed in place by step.
import { clamp } from '../kit/math.ts';

const DAY_MS = 86_400_000;
/** Drawdown, as a share of its maximum, from which positions shrink toward 0 at the maximum (3 % of 5 %). */
const WARN_SHARE = 0.6;

export interface Equity {
  usd: number | undefined;
  highWaterUsd: number;
  /** UTC day of `dayStartUsd` and `turnoverUsd`, days since 1970. */
  day: number;
  dayStartUsd: number;
  turnoverUsd: number;
  /** A day's loss limit was hit: no opens until the next day, whatever the market does. */
  dayHalted: boolean;
}

export const emptyEquity = (): Equity => ({
  usd: undefined,
  highWaterUsd: 0,
  day: -1,
  dayStartUsd: 0,
  turnoverUsd: 0,
  dayHalted: false,
});

/** Takes the account's worth at `now` (epoch ms); the first one is the high-water mark and the day's start. */
export function takeEquity(equity: Equity, usd: number, now: number, maxDailyLossPct: number): void {
  equity.usd = usd;
  equity.highWaterUsd = Math.max(equity.highWaterUsd, usd);
  const day = Math.floor(now / DAY_MS);
  if (day > equity.day) Object.assign(equity, { day, dayStartUsd: usd, turnoverUsd: 0, dayHalted: false });
  if (dayLossPct(equity) >= maxDailyLossPct) equity.dayHalted = true;
}

/** Percent below the high-water mark; 0 while unknown, 100 for an account that was never worth anything. */
export function drawdownPct({ usd, highWaterUsd }: Equity): number {
  if (usd === undefined) return 0;
  return highWaterUsd > 0 ? (100 * (highWaterUsd - usd)) / highWaterUsd : 100;
}

/** Percent lost since the day's start; negative = gained. */
export const dayLossPct = ({ usd, dayStartUsd }: Equity): number =>
  usd === undefined || dayStartUsd <= 0 ? 0 : (100 * (dayStartUsd - usd)) / dayStartUsd;

/** g_dd: 1 below the warning, 0 at the maximum, straight between: (5 − DD)/2 for a maximum of 5. */
export const drawdownFactor = (drawdownPct: number, maxDrawdownPct: number): number =>
  clamp((maxDrawdownPct - drawdownPct) / (maxDrawdownPct * (1 - WARN_SHARE)), 0, 1);
