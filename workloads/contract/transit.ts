// How old a message is, without subtracting the clocks of two pods: `t` is the sender's monotonic clock, `now` the reader's.
// Their difference is an unknown offset plus the time on the way; the least of it seen is taken for the offset (TRADING B7,
// A19), so an age is what a message took longer than the quickest. Pure; used by the router and the harmoniser.

/** One per stream of one sender. A plain value, changed in place. */
export interface Transit {
  bootId: string;
  /** Least difference of the window in progress and of the one before it. */
  leastMs: number;
  leastBeforeMs: number;
  windowStart: number;
}

/** Two clocks drift apart: the least of so long ago says nothing any more. */
const WINDOW_MS = 600_000;

export const newTransit = (): Transit => ({ bootId: '', leastMs: Infinity, leastBeforeMs: Infinity, windowStart: 0 });

/**
 * Milliseconds ≥ 0 since the message was stamped, less the quickest way of the last 10 to 20 minutes; 0 for the first of a
 * boot. Infinity where `t` is no number.
 */
export function messageAgeMs(
  transit: Transit,
  message: { readonly bootId: string; readonly t: number },
  now: number,
): number {
  const difference = now - message.t;
  if (!Number.isFinite(difference)) return Infinity;
  if (message.bootId !== transit.bootId)
    Object.assign(transit, newTransit(), { bootId: message.bootId, windowStart: now });
  if (now - transit.windowStart >= WINDOW_MS) {
    transit.leastBeforeMs = transit.leastMs;
    transit.leastMs = Infinity;
    transit.windowStart = now;
  }
  transit.leastMs = Math.min(transit.leastMs, difference);
  return difference - Math.min(transit.leastMs, transit.leastBeforeMs);
}
