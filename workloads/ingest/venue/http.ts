// GET with a deadline, as values: what a venue's REST gives or why not.

const DEADLINE_MS = 10_000;
/** A server that tells us to wait without a time gets this pause. */
const DEFAULT_PAUSE_MS = 10_000;
/** However long it wants: somebody may have mended it. */
const LONGEST_PAUSE_MS = 3_600_000;

export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  /** 400: asking again for the same gives the same. */
  | { readonly kind: 'refused'; readonly text: string }
  /** Not reached, or told to wait: not before `afterMs`. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number };

/** The body of a 200 or 400, else retry with the reason. Never throws. */
export async function getText(url: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) });
    const text = await response.text();
    if (response.status === 200) return { kind: 'text', text };
    if (response.status === 400) return { kind: 'refused', text };
    const reason = `status ${response.status}: ${text.slice(0, 100)}`;
    return { kind: 'retry', reason, afterMs: pauseOf(response.status, response.headers.get('retry-after')) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { kind: 'retry', reason: cause instanceof Error ? cause.message : String(cause), afterMs: 0 };
  }
}

/** Binance: 429 = limit reached, 418 = banned for not heeding it. */
const pauseOf = (status: number, retryAfter: string | null): number =>
  status === 429 || status === 418 ? retryAfterMs(retryAfter, Date.now()) : 0;

/** How long a server wants to be left alone: seconds or a date (RFC 9110, 10.2.3), an hour at most; 10 s where it does not say. */
export function retryAfterMs(header: string | null | undefined, wallNow: number): number {
  const text = header?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - wallNow;
  return Number.isNaN(ms) ? DEFAULT_PAUSE_MS : Math.max(0, Math.min(LONGEST_PAUSE_MS, ms));
}
