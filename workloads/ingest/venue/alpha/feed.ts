// A signal provider over WebSocket or by HTTP polling: what both do alike with its messages, and how they are. Opened by
// open-feed.ts; one for each source and shard.
import type { Token } from '../../../kit/bearer-token.ts';
import type { Logger } from '../../../kit/log.ts';
import { isFuture, type AlphaLink } from '../../alphas.ts';
import type { Event } from '../../step.ts';
import type { Feed } from '../feed.ts';
import type { Malformed } from '../frame.ts';
import { decodeAlpha } from './message.ts';

export interface AlphaFeedOptions {
  readonly source: string;
  /** Whole: what it ends in is the provider's. */
  readonly url: string;
  /** Ms between two polls; absent: a WebSocket. */
  readonly pollMs?: number;
  /** The provider's name of a symbol → ours. */
  readonly symbols: ReadonlyMap<string, string>;
  /** The bearer token as it is now. Absent: none is sent. */
  readonly token?: () => Token;
  readonly now: () => number;
  /** Epoch ms of the wall clock, as the provider dates what it says. */
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly log: Logger;
  readonly emit: (event: Event) => void;
  readonly onMalformed: (malformed: Malformed, text: string) => void;
}

export interface AlphaFeed extends Pick<Feed, 'status' | 'stop'> {
  readonly link: AlphaLink;
}

/** Of a provider that is neither heard nor says that it lives: what it said no longer counts. */
const SILENT_MS = 30_000;
/** A poll that fails is no silence; more than two in a row are. */
const POLLS = 3;
/** How long a message that could not be read, or an error, is shown as the reason. */
const SHOWN_MS = 60_000;
/** One error of the provider's goes to the log in this time. */
const SAMPLE_EVERY_MS = 10_000;

const alphaLink = ({ source, pollMs = 0 }: Pick<AlphaFeedOptions, 'source' | 'pollMs'>): AlphaLink => ({
  source,
  up: false,
  heardAt: 0,
  silentAfterMs: Math.max(SILENT_MS, POLLS * pollMs),
});

/** Takes the provider's messages, and keeps why it gives none. */
export class Inbox {
  readonly link: AlphaLink;
  readonly #options: AlphaFeedOptions;
  /** Why there is no connection, or no answer. */
  #down: string | undefined = 'not connected yet';
  /** What it said last that was of no use. */
  #said: { readonly text: string; readonly at: number } | undefined;
  #connections = 0;
  #upAt = 0;
  #loggedAt = -Infinity;
  #stopped = false;

  constructor(options: AlphaFeedOptions) {
    this.#options = options;
    this.link = alphaLink(options);
  }

  /** Whether all of it was of use, and will not be more so later. */
  take(text: string, t: number): boolean {
    const message = decodeAlpha(text, this.#options.symbols);
    switch (message.kind) {
      case 'malformed':
        this.#onMalformed(message, text, t);
        return false;
      case 'error':
        this.#onError(message.text, t);
        return false;
      case 'heartbeat':
        this.heard(t);
        return true;
      case 'edges': {
        if (message.edges.length > 0 || message.unread.length === 0) this.heard(t);
        for (const malformed of message.unread) this.#onMalformed(malformed, text, t);
        const wallNow = this.#options.wallNow();
        for (const edge of message.edges)
          this.#emit({ kind: 'alpha', link: this.link, edge, ageMs: wallNow - edge.at, t });
        return message.unread.length === 0 && message.edges.every(({ at }) => !isFuture(wallNow - at));
      }
    }
  }

  /** It lives, though it may have nothing to say. */
  heard(t: number): void {
    this.#emit({ kind: 'heard', link: this.link, t });
  }

  up(t: number): void {
    if (this.link.up) return;
    this.#connections += 1;
    this.#upAt = t;
    this.#down = undefined;
    const { source, symbols, log } = this.#options;
    log.info({ source, symbols: symbols.size }, 'connected');
    this.#emit({ kind: 'linkUp', link: this.link, t });
  }

  down(reason: string, t: number): void {
    const { source, log } = this.#options;
    if (this.link.up || reason !== this.#down) log.warn({ source, reason }, 'provider not heard, trying again');
    this.#down = reason;
    if (this.link.up) this.#emit({ kind: 'linkDown', link: this.link, t });
  }

  /** As ingest has it; `end` ends the connection. */
  feed(end: () => void): AlphaFeed {
    return {
      link: this.link,
      status: () => {
        const reason = this.#reason();
        const reconnects = Math.max(0, this.#connections - 1);
        return { connected: this.link.up, reconnects, ...(reason === undefined ? {} : { reason }) };
      },
      stop: () => {
        this.#stopped = true;
        end();
      },
    };
  }

  /** Why the provider gives nothing, or not what it should, where that is so. */
  #reason(): string | undefined {
    const now = this.#options.now();
    if (this.#down !== undefined) return this.#down;
    const { heardAt, silentAfterMs } = this.link;
    const lastAt = Math.max(heardAt, this.#upAt);
    if (this.#said !== undefined && now - this.#said.at <= SHOWN_MS) return this.#said.text;
    if (now - lastAt <= silentAfterMs) return undefined;
    return `neither an edge nor a heartbeat for ${Math.round(silentAfterMs / 1_000)} s: what it said no longer counts`;
  }

  #onError(said: string, t: number): void {
    this.#note(`the provider says: ${said}`, t);
    if (t - this.#loggedAt < SAMPLE_EVERY_MS) return;
    this.#loggedAt = t;
    this.#options.log.warn({ source: this.#options.source, said }, 'the provider reports an error');
  }

  #onMalformed(malformed: Malformed, text: string, t: number): void {
    this.#note(`messages cannot be read: ${malformed.detail}`, t);
    this.#options.onMalformed(malformed, text);
  }

  #note(text: string, at: number): void {
    this.#said = { text, at };
  }

  #emit(event: Event): void {
    if (!this.#stopped) this.#options.emit(event);
  }
}
