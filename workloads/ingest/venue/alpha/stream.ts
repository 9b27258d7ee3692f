// A signal provider over WebSocket: subscribe first, then edges and heartbeats (docs/alpha.md). Reconnects for ever, with back-off.
import { Connection, type Refusal, type Timing } from '../connection.ts';
import { newBudget } from '../limits.ts';
import { Inbox, type AlphaFeed, type AlphaFeedOptions } from './feed.ts';
import { MAX_BYTES } from './http.ts';
import { subscribeMessage } from './message.ts';
import { pauseMs, refusalOf } from './poll.ts';

/** A provider says something each 15 s at least: a connection that is silent for twice that is dead. */
export const STREAM_TIMING: Timing = {
  stallMs: 30_000,
  // No provider's limit is known.
  replaceMs: Number.MAX_SAFE_INTEGER,
  overlapMs: 0,
  firstRetryMs: 500,
  slowestRetryMs: 30_000,
};
/** Where a token is wanted and not there, it is looked for so often. */
const TOKEN_EVERY_MS = 1_000;
/** Whatever the back-off's dice. */
const DIALS_PER_MINUTE = 20;
/** What a provider may send in 5 s, each message counting as some bytes more: books share the thread. */
const FLOOD = { bytes: 5_000_000, perMessage: 1_000, windowMs: 5_000 };

export function openAlphaStream(options: AlphaFeedOptions, timing = STREAM_TIMING): AlphaFeed {
  const { url, symbols, now, wallNow, random } = options;
  const inbox = new Inbox(options);
  const admission = admissionOf(options, inbox);
  const received = newBudget(FLOOD.bytes, FLOOD.windowMs);
  const connection = new Connection({
    url,
    timing,
    now,
    random,
    maxFrameBytes: MAX_BYTES,
    headers: admission.headers,
    admit: admission.admit,
    onText: (text, t) => {
      if (received.spend(text.length + FLOOD.perMessage, t) === 0) inbox.take(text, t);
      else connection.drop('the provider sends more than 1 MB or 1,000 messages a second');
    },
    onPulse: (t) => inbox.heard(t),
    onUp: (t) => {
      inbox.up(t);
      connection.send(subscribeMessage([...symbols.keys()]));
    },
    onDown: (t, reason) => inbox.down(`connection lost: ${reason}`, t),
    onRefused: ({ at, reason, status, retryAfter }: Refusal) => {
      if (status !== undefined) admission.rest(at + pauseMs(status, retryAfter, wallNow()));
      inbox.down(status === undefined ? reason : refusalOf(status), at);
    },
  });
  connection.start();
  return inbox.feed(() => connection.stop());
}

/** When a connection may be made, and what it is made with. */
function admissionOf({ token }: AlphaFeedOptions, inbox: Inbox) {
  const dials = newBudget(DIALS_PER_MINUTE, 60_000);
  let headers: Readonly<Record<string, string>> = {};
  let notBefore = 0;
  return {
    headers: () => headers,
    rest: (until: number): void => {
      notBefore = until;
    },
    /** Ms to wait. */
    admit: (at: number): number => {
      if (at < notBefore) return notBefore - at;
      const read = token?.();
      if (read !== undefined && 'problem' in read) {
        inbox.down(read.problem, at);
        return TOKEN_EVERY_MS;
      }
      headers = read !== undefined ? { authorization: `Bearer ${read.token}` } : {};
      return dials.spend(1, at);
    },
  };
}
