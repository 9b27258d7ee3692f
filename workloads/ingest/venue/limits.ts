// How often a venue may be asked: back-off and budgets, pure but for the clock and the dice that the caller hands in.

/**
 * Full jitter (Brooker, "Exponential Backoff And Jitter"): anywhere in 0 … min(ceilingMs, firstMs · 2^failures), so that
 * clients that lost a venue together do not come back together. `failures` ≥ 0, `random` in [0, 1).
 */
export function backoffMs(
  failures: number,
  random: number,
  { firstMs, ceilingMs }: { readonly firstMs: number; readonly ceilingMs: number },
): number {
  return random * Math.min(ceilingMs, firstMs * 2 ** Math.min(failures, 30));
}

/** Weight that may be spent per window; spending beyond it has to wait. Idle budget does not add up. */
export interface Budget {
  /** What it is on average. */
  readonly perMs: number;
  /** Spends `weight` at `now` and gives 0, or spends nothing and gives the ms to wait. A weight above the limit never fits. */
  spend(weight: number, now: number): number;
  /** Spends `weight` where half of the limit is left to others, or where nothing was spent; else nothing, and gives false. */
  spendSpare(weight: number, now: number): boolean;
}

/** A pod's part of what one address may do per second, where `shards` pods may share it; never less than one in a while. */
export function shareOf(perSecond: number, shards: number): Budget {
  const part = perSecond / shards;
  return part >= 1 ? newBudget(Math.floor(part), 1_000) : newBudget(1, Math.ceil(1_000 / part));
}

/** A sliding window: within any `windowMs` at most `limit`. */
export function newBudget(limit: number, windowMs: number): Budget {
  const spent: { readonly at: number; readonly weight: number }[] = [];
  let total = 0;
  const take = (weight: number, now: number, most: number): boolean => {
    for (let first = spent[0]; first !== undefined && now - first.at >= windowMs; first = spent[0]) {
      total -= first.weight;
      spent.shift();
    }
    if (total + weight > most) return false;
    spent.push({ at: now, weight });
    total += weight;
    return true;
  };
  return {
    perMs: limit / windowMs,
    spend: (weight, now) => (take(weight, now, limit) ? 0 : Math.max(1, (spent[0]?.at ?? now) + windowMs - now)),
    spendSpare: (weight, now) => take(weight, now, Math.min(limit, Math.max(weight, limit / 2))),
  };
}

/** A server that tells us to wait without a time gets this pause. */
const DEFAULT_PAUSE_MS = 10_000;
/** However long it wants: somebody may have mended it. */
const LONGEST_PAUSE_MS = 3_600_000;

/** How long a server wants to be left alone: seconds or a date (RFC 9110, 10.2.3), an hour at most; 10 s where it does not say. */
export function retryAfterMs(header: string | null | undefined, wallNow: number): number {
  const text = header?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - wallNow;
  return Number.isNaN(ms) ? DEFAULT_PAUSE_MS : Math.max(0, Math.min(LONGEST_PAUSE_MS, ms));
}
