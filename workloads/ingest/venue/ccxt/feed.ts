// Any exchange by ccxt: the feed that owns the thread in which it runs, and turns what it says into events. A thread that ended
// is started anew after back-off.
import { Worker } from 'node:worker_threads';
import type { DailyClose } from '../../../contract/bars.ts';
import type { Link } from '../../market.ts';
import type { CcxtTiming, FromThread, ThreadOptions, ToThread } from './messages.ts';
import type { Feed, FeedOptions } from '../feed.ts';
import type { Filters, Listing } from '../frame.ts';
import { newVenueClock } from '../lag.ts';
import { backoffMs } from '../limits.ts';
import { TRADE_SILENCE } from '../silences.ts';
import { Standings } from '../standings.ts';

export interface CcxtOptions extends FeedOptions {
  /** Its id in ccxt. */
  readonly exchange: string;
}

export const CCXT_TIMING: CcxtTiming = {
  pollMs: 1_000,
  firstRetryMs: 500,
  slowestRetryMs: 30_000,
  dialEveryMs: 1_000,
  // Sooner than for venues whose trades tell of a dead book at once.
  silence: { silentMs: 5_000, everyMs: 10_000, graceMs: 3_000 },
  trades: TRADE_SILENCE,
  // All markets of an exchange are some 100 kB to some MB.
  status: { everyMs: 60_000, hurryMs: 20_000 },
};

/** A thread that wants more than this ends, and not the pod. */
const THREAD_HEAP_MB = 256;
/** A thread that lived this long starts its back-off from the beginning. */
const LIVED_MS = 60_000;
/** A thread that has not answered by then does not now. */
const CLOSES_WITHIN_MS = 30_000;
/** At most one line of this kind per source and this long. */
const SAMPLE_EVERY_MS = 10_000;

/** Opens the feed in the background and returns at once; it tries for ever until stopped. */
export function openCcxtFeed(options: CcxtOptions, timing: CcxtTiming = CCXT_TIMING): Feed {
  const feed = new CcxtFeed(options, timing);
  feed.start();
  return feed;
}

class CcxtFeed implements Feed {
  readonly #options: CcxtOptions;
  readonly #timing: CcxtTiming;
  /** One per symbol: each is lost and found by itself. */
  readonly #links = new Map<string, Link>();
  readonly #standings: Standings;
  /** Why a symbol is without its book, until it comes. */
  readonly #problems = new Map<string, string>();
  /** Who waits for the closes of a symbol. */
  readonly #asked = new Map<string, (closes: readonly DailyClose[] | undefined) => void>();
  #thread: Worker | undefined;
  #starting: NodeJS.Timeout | undefined;
  #failures = 0;
  #startedAt = 0;
  #reconnects = 0;
  /** Why there are no listings, or why the thread is gone. */
  #reason: string | undefined = 'listings not read yet';
  #sampledAt = -Infinity;
  #stopped = false;

  constructor(options: CcxtOptions, timing: CcxtTiming) {
    this.#options = options;
    this.#timing = timing;
    this.#standings = new Standings(options);
  }

  start(): void {
    const { exchange, endpoints, symbols, shards } = this.#options;
    const data: ThreadOptions = {
      exchange,
      endpoints,
      shards,
      venueSymbols: [...symbols.keys()],
      symbols: [...symbols],
      timing: this.#timing,
    };
    const thread = new Worker(addressOfThread(), {
      workerData: data,
      name: `ccxt-${exchange}`,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
    });
    this.#thread = thread;
    this.#startedAt = this.#options.now();
    let problem = 'it ended';
    thread.on('message', (message: FromThread) => {
      if (!this.#stopped && this.#thread === thread) this.#on(message);
    });
    thread.on('error', (error: unknown) => {
      problem = error instanceof Error ? error.message : String(error);
    });
    thread.on('exit', () => this.#ended(problem));
  }

  wantSnapshot(symbol: string): void {
    this.#tell({ kind: 'whole', symbol });
  }

  renew(symbol: string): void {
    this.#tell({ kind: 'renew', symbol });
  }

  /** Ids are ours, and without holes: nothing is missed by them. */
  wantTrades(): void {}

  dailyCloses(symbol: string): Promise<readonly DailyClose[] | undefined> {
    if (this.#thread === undefined) return Promise.resolve(undefined);
    this.#answer(symbol, undefined);
    return new Promise((resolve) => {
      setTimeout(resolve, CLOSES_WITHIN_MS, undefined).unref();
      this.#asked.set(symbol, resolve);
      this.#tell({ kind: 'closes', symbol });
    });
  }

  status(): ReturnType<Feed['status']> {
    const links = [...this.#links.values()];
    const [problem] = this.#problems;
    const reason =
      this.#reason ?? this.#standings.reason() ?? (problem === undefined ? undefined : `${problem[0]}: ${problem[1]}`);
    return {
      connected: links.length > 0 && links.every(({ up }) => up),
      reconnects: this.#reconnects,
      ...(reason === undefined ? {} : { reason }),
    };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#starting);
    void this.#thread?.terminate();
  }

  #answer(symbol: string, closes: readonly DailyClose[] | undefined): void {
    this.#asked.get(symbol)?.(closes);
    this.#asked.delete(symbol);
  }

  #tell(message: ToThread): void {
    this.#thread?.postMessage(message);
  }

  #on(message: FromThread): void {
    const { now, onMalformed } = this.#options;
    const t = now();
    switch (message.kind) {
      case 'listings':
        return this.#onListings(message.filters, t);
      case 'closes':
        return this.#answer(message.symbol, message.closes);
      case 'frame':
        return this.#options.emit({ kind: 'frame', frame: message.frame, t });
      case 'stalled':
        return this.#options.emit({ kind: 'stalled', symbol: message.symbol, t });
      case 'tradesStalled':
        return this.#options.emit({ kind: 'tradesLost', symbol: message.symbol, count: 1, t });
      case 'malformed':
        return onMalformed(message.malformed, message.text);
      case 'up':
      case 'down':
      case 'heard':
        return this.#onLink(message, t);
    }
  }

  #onLink(message: Extract<FromThread, { kind: 'up' | 'down' | 'heard' }>, t: number): void {
    const link = this.#links.get(message.symbol);
    if (link === undefined) return;
    if (message.kind === 'heard') return this.#options.emit({ kind: 'heard', link, t });
    if (message.kind === 'up') {
      this.#problems.delete(message.symbol);
      return this.#options.emit({ kind: 'linkUp', link, t });
    }
    this.#problems.set(message.symbol, message.reason);
    this.#down(link, t);
    this.#warn({ symbol: message.symbol, reason: message.reason }, 'no book, trying again');
  }

  #down(link: Link, t: number): void {
    if (!link.up) return;
    this.#reconnects += 1;
    this.#options.emit({ kind: 'linkDown', link, t });
  }

  #onListings(filters: Filters, t: number): void {
    if (filters.kind === 'retry') {
      // What was known stays.
      if (this.#standings.listings.size === 0) this.#reason = `listings not read: ${filters.reason}`;
      return this.#warn({ reason: filters.reason }, 'listings not read, trying again');
    }
    this.#reason = undefined;
    for (const listing of this.#standings.begin(filters)) this.#list(listing, t);
    this.#standings.take(this.#options.symbols, filters);
  }

  /** A market begins once: a thread that was started anew tells the same again. */
  #list(listing: Listing, t: number): void {
    const link: Link = { source: this.#options.source, up: false, heardAt: 0, clock: newVenueClock() };
    this.#links.set(listing.symbol, link);
    this.#options.emit({ kind: 'listed', listing, link, t });
  }

  #ended(problem: string): void {
    for (const symbol of this.#asked.keys()) this.#answer(symbol, undefined);
    if (this.#stopped) return;
    const { now, random } = this.#options;
    this.#thread = undefined;
    if (now() - this.#startedAt > LIVED_MS) this.#failures = 0;
    for (const link of this.#links.values()) this.#down(link, now());
    this.#reason = `ccxt ended: ${problem}`;
    this.#warn({ reason: problem }, 'the thread of ccxt ended, starting it anew');
    const { firstRetryMs: firstMs, slowestRetryMs: ceilingMs } = this.#timing;
    this.#starting = setTimeout(() => this.start(), backoffMs(this.#failures++, random(), { firstMs, ceilingMs }));
  }

  #warn(found: object, said: string): void {
    const { log, source, now } = this.#options;
    if (now() - this.#sampledAt < SAMPLE_EVERY_MS) return;
    this.#sampledAt = now();
    log.warn({ source, ...found }, said);
  }
}

/** In the images it is a program of its own (hack/images/bundles.ts). */
const addressOfThread = (): URL =>
  new URL(import.meta.url.endsWith('.js') ? './ccxt-thread.js' : './thread.ts', import.meta.url);
