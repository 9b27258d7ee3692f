// When a provider is asked again over HTTP, and what its answer means. Pure; feed.ts asks.
import { backoffMs, retryAfterMs } from '../limits.ts';

export type Polled =
  /** 200. `etag` is sent back with the next question. */
  | { readonly kind: 'body'; readonly text: string; readonly etag?: string }
  /** 304: nothing new, and the provider lives. */
  | { readonly kind: 'unchanged' }
  /** Anything else; not again before `afterMs`. */
  | { readonly kind: 'failed'; readonly reason: string; readonly afterMs: number };

const RETRY = { firstMs: 500, ceilingMs: 30_000 };
const ETAG = /^[\x21-\x7e]{1,256}$/;

/** Ms from the start of one poll to the start of the next: `pollMs`, or later after failures. `tookMs` is what this one took. */
export function nextPollMs(
  { failures, afterMs, tookMs }: { readonly failures: number; readonly afterMs: number; readonly tookMs: number },
  pollMs: number,
  random: number,
): number {
  const wait = failures === 0 ? 0 : backoffMs(failures - 1, random, RETRY);
  return Math.max(pollMs, tookMs + Math.max(afterMs, wait));
}

/** How long it is left alone for its answer to a question or a hand-shake; 0 where it did not ask for that. */
export const pauseMs = (status: number, retryAfter: string | null | undefined, wallNow: number): number =>
  status === 429 || status === 503 ? retryAfterMs(retryAfter, wallNow) : 0;

/** Why a provider does not give what it was asked for, in words that say what to do. */
export function refusalOf(status: number): string {
  if (status === 401 || status === 403)
    return `credentials refused (status ${status}): see to key token of the Secret in options.secretRef`;
  if (status === 429) return 'told to ask less often (status 429): raise options.pollSeconds, or ask the provider';
  if (status >= 300 && status < 400) return `redirected (status ${status}), which is not followed: see to url`;
  if (status === 404) return 'not found (status 404): see to url';
  return `status ${status}`;
}

/** What of an ETag may stand in a header of ours. */
export const etagIn = (header: string | null): { readonly etag?: string } =>
  header !== null && ETAG.test(header) ? { etag: header } : {};
