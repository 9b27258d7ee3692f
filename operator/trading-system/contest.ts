// How often a child was put right after somebody else had changed or deleted it, and whether it is put right once more: a person is
// answered at once, a controller that keeps writing is not fought for ever. Pure.
import type { Drift } from '../runtime/drift.ts';

export interface Contest {
  /** Corrections so far, none of them later than CALM_MS after the one before. */
  readonly rounds: number;
  /** Epoch ms of the last. */
  readonly lastAt: number;
  /** What was changed; empty where it was not there. */
  readonly fields: readonly Drift[];
}

/** So many corrections are made at once. */
export const PATIENCE = 5;
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** Nobody has written for so long: the contest is over. */
export const CALM_MS = 10 * 60_000;

/** What a HorizontalPodAutoscaler writes as, and through. */
const SCALER = 'kube-controller-manager at /scale';

export const isOver = ({ lastAt }: Contest, now: number): boolean => now - lastAt >= CALM_MS;

/** Whether somebody keeps writing, as far as is known. */
export const isContested = (contest: Contest | undefined, now: number): contest is Contest =>
  contest !== undefined && contest.rounds >= PATIENCE && !isOver(contest, now);

/** From when on the next correction may be made, epoch ms. */
export function nextRoundAt(contest: Contest | undefined): number {
  if (contest === undefined || contest.rounds < PATIENCE) return 0;
  return contest.lastAt + Math.min(FIRST_WAIT_MS * 2 ** (contest.rounds - PATIENCE), LONGEST_WAIT_MS);
}

/** After one more correction of `fields`. An autoscaler is known for one at its first write. */
export function afterRound(before: Contest | undefined, fields: readonly Drift[], now: number): Contest {
  const rounds = before === undefined || isOver(before, now) ? 1 : before.rounds + 1;
  return { rounds: fields.some(isScaler) ? Math.max(rounds, PATIENCE) : rounds, lastAt: now, fields };
}

/** Who writes what, and what becomes of it. */
export function contestText({ fields }: Contest): string {
  const advice = fields.some(isScaler) ? '; parts take no HorizontalPodAutoscaler: delete it' : '';
  const what = fields.length === 0 ? 'was deleted, or lost its labels,' : driftText(fields);
  return `${what} again and again; put right at most every 5 minutes until that ends${advice}`;
}

/** `.spec.replicas was changed by kubectl at /scale`. */
export function driftText(fields: readonly Drift[]): string {
  const shown = fields.slice(0, 3).map(({ path, by }) => `${path} was changed by ${by ?? 'somebody'}`);
  return [...shown, ...(fields.length > 3 ? [`${fields.length - 3} more`] : [])].join(', ');
}

const isScaler = ({ by }: Drift): boolean => by === SCALER;
