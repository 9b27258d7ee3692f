// What a model's claims have been worth: slope and confidence from realised returns (docs/trading.md). Pure; changed in place; a
// plain JSON value. Every model is scored, not only the active one.

import { exponential } from '../kit/math.ts';

export interface Calibration {
  /** Exponentially weighted sums over samples (claim x, return y), both bps; `n` is the sum of the weights. */
  n: number;
  sxx: number;
  sxy: number;
  /** Of (x·y)². */
  sxxyy: number;
  /** Samples ever, for people. */
  samples: number;
  /** The claim under observation. At most one: samples never overlap. */
  pending:
    { readonly edgeBps: number; readonly horizonMs: number; readonly t: number; readonly mid: number } | undefined;
}

export interface CalibrationRules {
  readonly isEnabled: boolean;
  readonly priorSamples: number;
  readonly defaultConfidence: number;
}

export interface Score {
  readonly beta: number;
  readonly confidence: number;
  readonly sampleCount: number;
  /** Weight of what was seen, at most 722. */
  readonly effectiveSamples: number;
}

/** Half-life of 500 samples. */
const DECAY = exponential(-Math.LN2 / 500);
/** Later than this after its time a return says nothing about the claim: the feed stalled in between. */
const LATE_MS = 15_000;

export const newCalibration = (): Calibration => ({ n: 0, sxx: 0, sxy: 0, sxxyy: 0, samples: 0, pending: undefined });

interface Moment {
  /** Of a valid book. */
  readonly mid: number;
  readonly now: number;
}

/** Takes a claim and the mid of the same moment: matures the one before when its time has come, then observes this one. */
export function observe(
  calibration: Calibration,
  { edgeBps, horizonMs }: { readonly edgeBps: number; readonly horizonMs: number },
  moment: Moment,
): void {
  mature(calibration, moment);
  calibration.pending ??= { edgeBps, horizonMs, t: moment.now, mid: moment.mid };
}

/** Takes the sample under observation when its time has come: also of a model that claims nothing at the moment. */
export function mature(calibration: Calibration, { mid, now }: Moment): void {
  const { pending } = calibration;
  if (pending === undefined) return;
  const overdueMs = now - pending.t - pending.horizonMs;
  if (overdueMs < 0 && now >= pending.t) return;
  if (overdueMs >= 0 && overdueMs <= LATE_MS) takeSample(calibration, pending.edgeBps, 1e4 * (mid / pending.mid - 1));
  calibration.pending = undefined;
}

/** The book was not valid: what is under observation can no longer be judged. */
export function interrupt(calibration: Calibration): void {
  calibration.pending = undefined;
}

export function takeSample(calibration: Calibration, x: number, y: number): void {
  calibration.n = calibration.n * DECAY + 1;
  calibration.sxx = calibration.sxx * DECAY + x * x;
  calibration.sxy = calibration.sxy * DECAY + x * y;
  calibration.sxxyy = calibration.sxxyy * DECAY + x * y * (x * y);
  calibration.samples += 1;
}

/** β̂ = clamp((n0·v + Sxy)/(n0·v + Sxx), 0, 1), v = Sxx/n: the slope, shrunk toward 1 by n0 samples of the same size. */
export function scoreOf({ n, sxx, sxy, sxxyy, samples }: Calibration, rules: CalibrationRules): Score {
  const prior = n > 0 ? (rules.priorSamples * sxx) / n : 0;
  const slope = sxx + prior > 0 ? Math.max(0, Math.min(1, (prior + sxy) / (prior + sxx))) : 1;
  return {
    beta: rules.isEnabled ? slope : 1,
    confidence: n < 2 || sxx <= 0 ? rules.defaultConfidence : confidence(tValue({ n, sxy, sxxyy })),
    sampleCount: samples,
    effectiveSamples: n,
  };
}

/**
 * Σxy/√Σ(xy)², shrunk by √(n/(n + 30)): t of the slope through 0 with White's standard error (A heteroskedasticity-consistent
 * covariance matrix estimator, Econometrica 48, 1980) where the slope is none. Within ±√n. By the usual one a model of no worth whose
 * claims are large when prices move much looks sure (ADR 20).
 */
const tValue = ({ n, sxy, sxxyy }: Pick<Calibration, 'n' | 'sxy' | 'sxxyy'>): number =>
  sxxyy > 0 ? (sxy / Math.sqrt(sxxyy)) * Math.sqrt(n / (n + 30)) : 0;

/** Distribution function of Student's t with two degrees of freedom: exact and algebraic. */
const confidence = (t: number): number => 0.5 + (0.5 * t) / Math.sqrt(2 + t * t);
