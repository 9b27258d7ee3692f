// How far a clock is from a venue's, by the times in its messages. Signed requests and whoever compares reports go by it; what
// is late is judged by lag.ts, on top of this. Pure.

const BUCKET_MS = 60_000;
const BUCKETS = 10;
/** From here on it is told: signatures of venues are good for 5 s and more, in both directions. */
export const SKEWED_MS = 1_000;

/** The smallest of received − sent per minute. Changed in place. */
export interface Skew {
  readonly minima: Float64Array;
  /** Which minute a bucket is of. */
  readonly minutes: Float64Array;
}

export const newSkew = (): Skew => ({
  minima: new Float64Array(BUCKETS).fill(Infinity),
  minutes: new Float64Array(BUCKETS).fill(-1),
});

/** A message of the venue's time `sentAt` came when our clock said `receivedAt`, both epoch ms. */
export function noteTimes({ minima, minutes }: Skew, sentAt: number, receivedAt: number): void {
  const apart = receivedAt - sentAt;
  const minute = Math.floor(receivedAt / BUCKET_MS);
  const bucket = minute % BUCKETS;
  const isNew = minutes[bucket] !== minute;
  minima[bucket] = isNew ? apart : Math.min(minima[bucket] ?? Infinity, apart);
  minutes[bucket] = minute;
}

export interface Range {
  readonly least: number;
  readonly most: number;
  /** By how much the least of the last five minutes is above that of the four before; 0 where one of them is not known. */
  readonly risen: number;
}

/** The least and the greatest of the minutes' minima, over the 9 to 10 minutes up to `now`; Infinity and −Infinity where there is none. */
export function rangeOf({ minima, minutes }: Skew, now: number): Range {
  const newest = Math.floor(now / BUCKET_MS);
  let [early, late, most] = [Infinity, Infinity, -Infinity];
  for (const [bucket, minute] of minutes.entries()) {
    const minimum = minima[bucket] ?? Infinity;
    if (minute <= newest - BUCKETS || minimum === Infinity) continue;
    if (minute < newest - BUCKETS / 2) early = Math.min(early, minimum);
    else late = Math.min(late, minimum);
    most = Math.max(most, minimum);
  }
  const risen = early < Infinity && late < Infinity ? late - early : 0;
  return { least: Math.min(early, late), most, risen };
}

/**
 * By how many ms our clock is ahead of the venue's (behind: negative), and the shortest way from there, which
 * cannot be told apart from it: the least of received − sent over the 9 to 10 minutes up to `now`, epoch ms. Undefined
 * where nothing came in them.
 */
export function skewMs(skew: Skew, now: number): number | undefined {
  const { least } = rangeOf(skew, now);
  return least === Infinity ? undefined : least;
}
