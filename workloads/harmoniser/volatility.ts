// One symbol's volatility on the 5 s grid of the venue's mid, by two clocks (docs/trading.md). Pure; variances are
// fractions² per day.
import { DAY_SECONDS, type DailyClose } from '../contract/bars.ts';
import { clamp, integerPower, power } from '../kit/math.ts';

export const GRID_SECONDS = 5;
/** Fast returns beyond so many fast σ are cut: one jump of 56 bps must not open the breaker in one tick. */
const WINSOR_SIGMAS = 8;
/** σ is at most so many times the slow one. */
const FAST_OVER_SLOW = 4;

export interface VolatilityRules {
  /** Weight of one day, of one grid step of either clock. */
  readonly dayWeight: number;
  readonly slowStepWeight: number;
  readonly fastStepWeight: number;
  /** Fractions per day. */
  readonly floorPerDay: number;
  readonly capPerDay: number;
}

/** Where the first estimate came from. */
export type VolatilitySource = 'Stored' | 'DailyBars' | 'ClassDefault';

export interface Volatility {
  slowVariance: number;
  fastVariance: number;
  /** The last grid point used; undefined until the first. */
  last: { index: number; mid: number } | undefined;
  readonly source: VolatilitySource;
  /** Epoch ms of the seed. */
  readonly seededAt: number;
}

/** Rules from the desk's parameters: `lambda` per day, half-life in seconds, floor and cap in percent per day. */
export function volatilityRules(spec: {
  readonly lambda: number;
  readonly fastHalfLifeSeconds: number;
  readonly floorPctPerDay: number;
  readonly capPctPerDay: number;
}): VolatilityRules {
  return {
    dayWeight: spec.lambda,
    slowStepWeight: power(spec.lambda, GRID_SECONDS / DAY_SECONDS),
    fastStepWeight: power(0.5, GRID_SECONDS / spec.fastHalfLifeSeconds),
    floorPerDay: spec.floorPctPerDay / 100,
    capPerDay: spec.capPctPerDay / 100,
  };
}

/** A warm start: the fast clock is seeded with the slow one and counts at once. */
export const seededVolatility = (sigmaDay: number, source: VolatilitySource, seededAt: number): Volatility => ({
  slowVariance: sigmaDay * sigmaDay,
  fastVariance: sigmaDay * sigmaDay,
  last: undefined,
  source,
  seededAt,
});

/** A warm start from daily closes needs so many, and a last one no older than this. */
const CLOSES_NEEDED = 60;
const LAST_CLOSE_DAYS = 3;

/**
 * σ per day from daily closes, oldest first: the slow clock's weights, λ per day, over all of them. A return over k days counts as
 * k of a k-th of its square. Undefined where there are fewer than 60, or the last day ended more than 3 days before `now`.
 */
export function sigmaOfCloses(closes: readonly DailyClose[], dayWeight: number, now: number): number | undefined {
  const [lastDay = 0] = closes.at(-1) ?? [];
  const ageDays = now / 1_000 / DAY_SECONDS - (lastDay / DAY_SECONDS + 1);
  if (closes.length < CLOSES_NEEDED || ageDays > LAST_CLOSE_DAYS) return undefined;
  let [variance, weights] = [0, 0];
  for (let i = 1; i < closes.length; i++) {
    const [dayBefore, before] = closes[i - 1] ?? [0, 0];
    const [day, close] = closes[i] ?? [0, 0];
    const days = (day - dayBefore) / DAY_SECONDS;
    const kept = integerPower(dayWeight, Math.round(days));
    const move = close / before - 1;
    variance = kept * variance + ((1 - kept) * move * move) / days;
    weights = kept * weights + 1 - kept;
  }
  return variance > 0 ? Math.sqrt(variance / weights) : undefined;
}

/**
 * Takes the mid at grid point `index` (in place) and returns the return over one step, 0 for the first point or one that
 * is not newer. A return over k steps is spread over them: its variance per step enters with the weight of k steps.
 */
export function takeGridPoint(volatility: Volatility, index: number, mid: number, rules: VolatilityRules): number {
  const { last } = volatility;
  if (last !== undefined && index <= last.index) return 0;
  volatility.last = { index, mid };
  if (last === undefined) return 0;

  const steps = index - last.index;
  const days = (steps * GRID_SECONDS) / DAY_SECONDS;
  const move = mid / last.mid - 1;
  const slow = integerPower(rules.slowStepWeight, steps);
  volatility.slowVariance = slow * volatility.slowVariance + ((1 - slow) * move * move) / days;

  const limit = WINSOR_SIGMAS * Math.sqrt(volatility.fastVariance * days);
  const cut = clamp(move, -limit, limit);
  const fast = integerPower(rules.fastStepWeight, steps);
  volatility.fastVariance = fast * volatility.fastVariance + ((1 - fast) * cut * cut) / days;
  return move / Math.sqrt(steps);
}

/** σ per day as a fraction: the larger clock, at most four times the slow one and the cap, at least the floor. */
export function sigmaDay(volatility: Volatility, rules: VolatilityRules): number {
  const slow = Math.sqrt(volatility.slowVariance);
  const sigma = Math.max(slow, Math.sqrt(volatility.fastVariance));
  return Math.max(rules.floorPerDay, Math.min(sigma, rules.capPerDay, FAST_OVER_SLOW * slow));
}
