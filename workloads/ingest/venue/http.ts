// GET with a deadline, as values: what a venue's REST gives or why not.
import { retryAfterMs } from './limits.ts';

const DEADLINE_MS = 10_000;

export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  /** 400, 404: asking again for the same gives the same. */
  | { readonly kind: 'refused'; readonly text: string }
  /** Not reached, or told to wait: not before `afterMs`. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number };

/** The body of a 200, 400 or 404, else retry with the reason. Never throws. */
export async function getText(url: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) });
    const text = await response.text();
    if (response.status === 200) return { kind: 'text', text };
    if (response.status === 400 || response.status === 404) return { kind: 'refused', text };
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
