// One symbol's volatility on the 5 s grid of the venue's mid, by two clocks (TRADING B4, A7, A8). Pure; variances are
// fractions² per day.
import { clamp, integerPower, power } from '../kit/math.ts';

export const GRID_SECONDS = 5;
const DAY_SECONDS = 86_400;
/** Fast returns beyond so many fast σ are cut: one jump of 56 bps must not open the breaker in one tick (A7). */
const WINSOR_SIGMAS = 8;
/** σ is at most so many times the slow one. */
const FAST_OVER_SLOW = 4;

export interface VolatilityRules {
  /** Weights of one grid step. */
  readonly slowStepWeight: number;
  readonly fastStepWeight: number;
  /** Fractions per day. */
  readonly floorPerDay: number;
  readonly capPerDay: number;
}

/** Where the first estimate came from. */
export type VolatilitySource = 'Stored' | 'ClassDefault';

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
