// τ²: how much more the blend errs than the market's own σ says (docs/trading.md). One per symbol, changed in place by step.
import { power } from '../kit/math.ts';

const HALF_LIFE_SAMPLES = 500;
const WEIGHT = power(0.5, 1 / HALF_LIFE_SAMPLES);
/** Below so many samples τ² is 0. */
const ENOUGH_SAMPLES = 30;

export interface Excess {
  /** EWMA sums of squared errors in bps² and of weights. */
  errors: number;
  weights: number;
  samples: number;
  /** The claim being scored: edge in bps, when, and the mid then. */
  open: { readonly edgeBps: number; readonly at: number; readonly mid: number } | undefined;
}

export const noExcess = (): Excess => ({ errors: 0, weights: 0, samples: 0, open: undefined });

/**
 * Offers a blend at `now` (ms) with a valid mid: scores the open one where its horizon has passed, and opens the next;
 * samples never overlap. One that could not be scored within twice its horizon (stalled feed, restart) is dropped.
 */
export function takeBlend(
  excess: Excess,
  edgeBps: number,
  mid: number,
  when: { now: number; horizonMs: number },
): void {
  const { open } = excess;
  if (open !== undefined && when.now - open.at < when.horizonMs) return;
  if (open !== undefined && when.now - open.at < 2 * when.horizonMs) {
    const error = 1e4 * (mid / open.mid - 1) - open.edgeBps;
    excess.errors = WEIGHT * excess.errors + error * error;
    excess.weights = WEIGHT * excess.weights + 1;
    excess.samples++;
  }
  excess.open = { edgeBps, at: when.now, mid };
}

/** τ² in bps²: the mean squared error beyond σ², never negative, 0 until there are 30 samples. */
export const excessBps2 = (excess: Excess, sigmaHorizonBps: number): number =>
  excess.samples < ENOUGH_SAMPLES ? 0 : Math.max(0, excess.errors / excess.weights - sigmaHorizonBps * sigmaHorizonBps);
