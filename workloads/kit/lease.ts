// The right to act for a shard, as its holder sees it: a closed union of states and one total step function. Pure; the
// clock is the process's own monotonic one. lease-keeper.ts asks Redis and owns the timers.
//
//   Waiting ──granted──▶ Held ──granted──▶ Held (later deadline)
//      ▲                  │ deadline passed, or another has it
//      └──────────────────┘          any ──released──▶ Released (for good)

/** What Redis is asked for: it forgets the holder so long after it was last heard of. */
export const LEASE_MS = 10_000;
/** The holder stops so much before Redis would give it to another: clocks run at slightly different speeds. */
const MARGIN_MS = 1_000;
/** The holder asks again this often: many times within the lease. */
const RENEW_EVERY_MS = 1_000;
/** One that waits asks this often: a lease that was given back is taken within it. */
const ASK_EVERY_MS = 500;
/** After silence; Redis is asked again soon, as only its answer moves the deadline. */
const RETRY_MS = 250;

export type Lease =
  /** Nobody has said that it is ours. `holder` is the pod that has it, where one was named. */
  | { readonly kind: 'Waiting'; readonly askAt: number; readonly holder?: string }
  /** Ours until `until`, whatever Redis says or does not say meanwhile. */
  | { readonly kind: 'Held'; readonly epoch: number; readonly until: number; readonly askAt: number }
  | { readonly kind: 'Released' };

export type LeaseEvent =
  /** Redis has written our name; it was asked at `askedAt`, which is when the lease began at the latest. */
  | { readonly kind: 'granted'; readonly epoch: number; readonly askedAt: number; readonly now: number }
  | { readonly kind: 'refused'; readonly holder: string; readonly now: number }
  /** Redis is away, or did not answer in time: it may have written our name or not. */
  | { readonly kind: 'unanswered'; readonly now: number }
  | { readonly kind: 'tick'; readonly now: number }
  | { readonly kind: 'released' };

export const unasked: Lease = { kind: 'Waiting', askAt: 0 };

export function stepLease(lease: Lease, event: LeaseEvent): Lease {
  if (lease.kind === 'Released' || event.kind === 'released') return { kind: 'Released' };
  switch (event.kind) {
    case 'granted':
      return granted(event);
    case 'refused':
      return { kind: 'Waiting', askAt: event.now + ASK_EVERY_MS, holder: event.holder };
    case 'unanswered':
      return lapsed({ ...lease, askAt: event.now + RETRY_MS }, event.now);
    case 'tick':
      return lapsed(lease, event.now);
  }
}

function granted({ epoch, askedAt, now }: Extract<LeaseEvent, { kind: 'granted' }>): Lease {
  const until = askedAt + LEASE_MS - MARGIN_MS;
  // An answer that was so long on its way (the process was paused) grants nothing: it is asked for anew.
  return until <= now
    ? { kind: 'Waiting', askAt: now }
    : { kind: 'Held', epoch, until, askAt: askedAt + RENEW_EVERY_MS };
}

const lapsed = (lease: Exclude<Lease, { kind: 'Released' }>, now: number): Lease =>
  lease.kind === 'Held' && lease.until <= now ? { kind: 'Waiting', askAt: Math.min(lease.askAt, now) } : lease;

/** The epoch under which its holder may act at `now`; undefined where it may not. */
export const heldEpoch = (lease: Lease, now: number): number | undefined =>
  lease.kind === 'Held' && now < lease.until ? lease.epoch : undefined;
