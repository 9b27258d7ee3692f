// A signal provider by HTTP polling (docs/alpha.md): asked again and again for all symbols at once, one request at a time.
import { setTimeout as delay } from 'node:timers/promises';
import { Inbox, type AlphaFeed, type AlphaFeedOptions } from './feed.ts';
import { poll } from './http.ts';
import { nextPollMs, type Polled } from './poll.ts';

/** Pods that start together do not ask together. */
const SPREAD_MS = 1_000;

export function openAlphaPolling(options: AlphaFeedOptions, pollMs: number): AlphaFeed {
  const stop = new AbortController();
  const inbox = new Inbox(options);
  void keepPolling(options, { inbox, pollMs, signal: stop.signal });
  return inbox.feed(() => stop.abort());
}

interface Polling {
  readonly inbox: Inbox;
  readonly pollMs: number;
  readonly signal: AbortSignal;
}

/** Until the signal aborts; never rejects. */
async function keepPolling(options: AlphaFeedOptions, { inbox, pollMs, signal }: Polling): Promise<void> {
  const { now, random } = options;
  let failures = 0;
  let etag: string | undefined;
  await pause(random() * Math.min(pollMs, SPREAD_MS), signal);
  while (!signal.aborted) {
    const startedAt = now();
    const polled = await ask(options, etag, signal);
    if (signal.aborted) return;
    failures = polled.kind === 'failed' ? failures + 1 : 0;
    const isRead = tell(inbox, polled, now());
    // What could not be read is asked for again whole: 304 would make a provider of it that lives. So is what is of a time to come,
    // which nobody would say again when it has.
    if (polled.kind === 'body') etag = isRead ? polled.etag : undefined;
    const tookMs = now() - startedAt;
    const afterMs = polled.kind === 'failed' ? polled.afterMs : 0;
    await pause(nextPollMs({ failures, afterMs, tookMs }, pollMs, random()) - tookMs, signal);
  }
}

async function ask({ url, symbols, token, wallNow }: AlphaFeedOptions, etag: string | undefined, signal: AbortSignal) {
  const read = token?.();
  if (read !== undefined && 'problem' in read) return { kind: 'failed', reason: read.problem, afterMs: 0 } as const;
  const asked = new URL(url);
  asked.searchParams.set('symbols', [...symbols.keys()].join(','));
  return poll({ url: asked.href, ...read, ...(etag === undefined ? {} : { etag }), wallNow: wallNow() }, signal);
}

/** Whether the provider said something that is all of use. */
function tell(inbox: Inbox, polled: Polled, t: number): boolean {
  switch (polled.kind) {
    case 'failed':
      inbox.down(polled.reason, t);
      return false;
    case 'unchanged':
      inbox.up(t);
      inbox.heard(t);
      return true;
    case 'body':
      inbox.up(t);
      return inbox.take(polled.text, t);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
