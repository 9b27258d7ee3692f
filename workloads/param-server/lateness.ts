// Which books are told to be behind their venue: with hysteresis, as each change is a write to the API server. Pure.
import { BOOK_FRESH_MS } from '../contract/messages.ts';
import type { IngestStatus } from '../contract/status.ts';

/** A book is told to be late once it was at each look for so long: a burst of a venue is no event. */
const LATE_AFTER_MS = 10_000;
/** And to be in time again once it was for so long. */
const IN_TIME_AFTER_MS = 30_000;

interface Standing {
  readonly isLate: boolean;
  /** Since when it has been otherwise at each look; undefined = it is as told. */
  readonly otherwiseSince: number | undefined;
}

/** By symbol, of those that ingest tells of. */
export type Lateness = ReadonlyMap<string, Standing>;

/** What is known after a look at `now`, epoch ms; a symbol that no ingest tells of is forgotten. */
export function lookAtLags(before: Lateness, ingest: readonly IngestStatus[], now: number): Lateness {
  const after = new Map<string, Standing>();
  for (const { symbols } of ingest)
    for (const [name, { lagMs = 0 }] of Object.entries(symbols))
      after.set(name, standingOf(before.get(name), lagMs > BOOK_FRESH_MS, now));
  return after;
}

const IN_TIME: Standing = { isLate: false, otherwiseSince: undefined };

function standingOf({ isLate, otherwiseSince } = IN_TIME, isLateNow: boolean, now: number): Standing {
  if (isLateNow === isLate) return { isLate, otherwiseSince: undefined };
  // A time to come is of before a clock was set back.
  const since = Math.min(otherwiseSince ?? now, now);
  const isSoFor = now - since >= (isLateNow ? LATE_AFTER_MS : IN_TIME_AFTER_MS);
  return isSoFor ? { isLate: isLateNow, otherwiseSince: undefined } : { isLate, otherwiseSince: since };
}

/** Names of those that are told to be late, sorted. */
export const lateOf = (lateness: Lateness): string[] =>
  [...lateness].flatMap(([name, { isLate }]) => (isLate ? [name] : [])).sort();
