// How far this machine's clock is from a venue's, by the times in its trades. Nothing is decided by it, as decisions go by
// the time of receipt; signed requests and whoever compares reports do go by it. Pure; driven by ingest.ts.

const BUCKET_MS = 60_000;
const BUCKETS = 10;
/** Further apart it is no clock, but a recording that is played. */
const NO_CLOCK_MS = 24 * 3_600_000;
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

/** A message of the venue's time `sentAt` came when this machine's clock said `receivedAt`, both epoch ms. */
export function noteTimes({ minima, minutes }: Skew, sentAt: number, receivedAt: number): void {
  const apart = receivedAt - sentAt;
  if (Math.abs(apart) > NO_CLOCK_MS) return;
  const minute = Math.floor(receivedAt / BUCKET_MS);
  const bucket = minute % BUCKETS;
  const isNew = minutes[bucket] !== minute;
  minima[bucket] = isNew ? apart : Math.min(minima[bucket] ?? Infinity, apart);
  minutes[bucket] = minute;
}

/**
 * By how many ms this machine's clock is ahead of the venue's (behind: negative), and the shortest way from there, which
 * cannot be told apart from it: the least of received − sent over the 9 to 10 minutes up to `now`, epoch ms. Undefined
 * where nothing came in them.
 */
export function skewMs({ minima, minutes }: Skew, now: number): number | undefined {
  const oldest = Math.floor(now / BUCKET_MS) - BUCKETS;
  let least = Infinity;
  for (const [bucket, minute] of minutes.entries()) {
    if (minute > oldest) least = Math.min(least, minima[bucket] ?? Infinity);
  }
  return least === Infinity ? undefined : least;
}
