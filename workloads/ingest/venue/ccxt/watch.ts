// Keeps the books and trades of one exchange by ccxt: by its WebSocket side where it has one, by polling else. Runs in a thread
// of its own (thread.ts); nothing that ccxt throws ends it.
//
//   Watching ──(it wants a login, or has none)──▶ Polling          each: fails ─▶ pause with full jitter ─▶ again, for ever
import type { CcxtClient, CcxtExchange } from './exchange.ts';
import type { CcxtTiming, FromThread } from './messages.ts';
import { haltOf, listingOf, newestAt, newTape, readBook, readTrades, topOf, type Shown, type Tape } from './unified.ts';
import { ccxtCloses, DAYS } from '../daily-closes.ts';
import type { Filters, Listing } from '../frame.ts';
import { malformed } from '../json.ts';
import { backoffMs, newBudget, shareOf, type Budget } from '../limits.ts';
import { Silences } from '../silences.ts';
import { QUIET_MS } from '../status-watch.ts';

export interface WatchOptions {
  readonly exchange: CcxtExchange;
  /** The exchange's name of a symbol → ours. */
  readonly symbols: ReadonlyMap<string, string>;
  readonly shards: number;
  readonly timing: CcxtTiming;
  readonly post: (message: FromThread) => void;
  readonly now: () => number;
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
}

type Kind = 'book' | 'trades';

/** Of one symbol. Changed in place. */
interface Watched {
  readonly listing: Listing;
  readonly by: Record<Kind, 'Watching' | 'Polling'>;
  isUp: boolean;
  shown: Shown | undefined;
  tape: Tape;
  pongAt: number;
  top: { readonly text: string; readonly version: number } | undefined;
}

/** Told to go slow, all requests rest for this long. */
const REST_PAUSE_MS = 30_000;
const TICK_MS = 500;
const PROBES_PER_SECOND = 1;

export class Watch {
  readonly #options: WatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #dials: Budget;
  readonly #silences: Silences;
  readonly #tradeSilences: Silences;
  #pausedUntil = 0;
  #renewedAt = -Infinity;
  /** When markets are read again, and the soonest that something may make it. */
  readonly #reading = { isBusy: false, at: Infinity, notBefore: 0, failures: 0 };
  /** As they were told. */
  #told = '';

  constructor(options: WatchOptions) {
    const { timing, shards, now } = options;
    this.#options = options;
    this.#dials = newBudget(1, timing.dialEveryMs * shards);
    this.#silences = new Silences({
      askId: (symbol) => this.#askTop(symbol),
      budget: shareOf(PROBES_PER_SECOND, shards),
      weight: 1,
      now,
      timing: timing.silence,
      quiet: { afterMs: QUIET_MS, on: () => (this.#reading.at = this.#reading.notBefore) },
      onStalled: (symbol) => {
        options.post({ kind: 'stalled', symbol });
        this.renew();
      },
    });
    this.#tradeSilences = new Silences({
      askId: (symbol) => this.#askTrade(symbol),
      budget: shareOf(PROBES_PER_SECOND, shards),
      weight: 1,
      now,
      timing: timing.trades,
      onStalled: (symbol) => {
        options.post({ kind: 'tradesStalled', symbol });
        this.renew();
      },
    });
    options.exchange.log = (...said) =>
      options.post({ kind: 'malformed', malformed: malformed('NotJson'), text: said.map(String).join(' ') });
  }

  /** Never ends and never rejects. */
  async run(): Promise<void> {
    const { pause } = this.#options;
    await this.#readListings();
    for (;;) {
      await pause(TICK_MS);
      this.#silences.tick();
      this.#tradeSilences.tick();
      for (const watched of this.#watched.values()) this.#listen(watched);
      void this.#readAgain();
    }
  }

  whole(symbol: string): void {
    const watched = this.#watched.get(symbol);
    if (watched !== undefined) watched.shown = undefined;
  }

  /** ccxt cannot ask every exchange for one book anew: all connections are made again, once in a while at most. */
  renew(): void {
    const { exchange, now, timing } = this.#options;
    if (now() - this.#renewedAt < timing.silence.everyMs) return;
    this.#renewedAt = now();
    for (const client of Object.values(exchange.clients)) {
      delete (exchange.clients as Record<string, CcxtClient>)[client.url];
      // So that its end, which comes later, is not taken for that of the next one at the same address.
      client.error = new Renewed('a stream of it was dead');
      client.reset(client.error);
      client.connection?.terminate?.();
    }
  }

  /** Answers with the daily closes of a symbol. */
  async closes(symbol: string): Promise<void> {
    const { exchange, post } = this.#options;
    const venueSymbol = this.#watched.get(symbol)?.listing.venueSymbol;
    const isGiven = venueSymbol !== undefined && exchange.has['fetchOHLCV'] === true;
    const candles = isGiven
      ? await exchange.fetchOHLCV(venueSymbol, '1d', undefined, DAYS).catch(() => undefined)
      : undefined;
    post({ kind: 'closes', symbol, closes: ccxtCloses(candles, Date.now()) });
  }

  async #readListings(): Promise<void> {
    const { exchange, post, pause } = this.#options;
    for (let failures = 0; ; failures++) {
      try {
        await exchange.loadMarkets(true);
        return this.#takeMarkets();
      } catch (error) {
        const afterMs = this.#backoff(failures);
        post({ kind: 'listings', filters: { kind: 'retry', reason: reasonOf(error), afterMs } });
        await pause(afterMs);
      }
    }
  }

  /**
   * Markets again: whether they are active, and their filters. ccxt has no way to ask about one, so it is seldom. Not by
   * loadMarkets, of which one that failed makes whatever is asked after it fail.
   */
  async #readAgain(): Promise<void> {
    const { exchange, post, now, timing } = this.#options;
    const reading = this.#reading;
    if (reading.isBusy || now() < Math.max(reading.at, this.#pausedUntil)) return;
    reading.isBusy = true;
    try {
      exchange.setMarkets(await exchange.fetchMarkets());
      this.#takeMarkets();
    } catch (error) {
      const afterMs = timing.status.hurryMs + this.#backoff(reading.failures++);
      Object.assign(reading, { at: now() + afterMs, notBefore: now() + afterMs });
      post({ kind: 'listings', filters: { kind: 'retry', reason: reasonOf(error), afterMs } });
    }
    reading.isBusy = false;
  }

  #takeMarkets(): void {
    const { post, now, timing } = this.#options;
    const filters = this.#filters();
    const { everyMs, hurryMs } = timing.status;
    Object.assign(this.#reading, { at: now() + everyMs, notBefore: now() + hurryMs, failures: 0 });
    const told = JSON.stringify([[...filters.listings], [...filters.refused], [...filters.halted]]);
    if (told === this.#told) return;
    this.#told = told;
    post({ kind: 'listings', filters });
    for (const listing of filters.listings.values()) this.#begin(listing);
  }

  /** A symbol that is there for the first time. */
  #begin(listing: Listing): void {
    if (this.#watched.has(listing.symbol)) return;
    const watched = this.#newWatched(listing);
    this.#watched.set(listing.symbol, watched);
    void this.#keep(watched, 'book');
    void this.#keep(watched, 'trades');
  }

  #filters(): Extract<Filters, { kind: 'filters' }> {
    const { exchange, symbols } = this.#options;
    const { precisionMode } = exchange;
    const listings = new Map<string, Listing>();
    const refused = new Map<string, string>();
    const halted = new Map<string, string>();
    for (const [venueSymbol, symbol] of symbols) {
      const market = exchange.markets[venueSymbol];
      const listing = listingOf(market, { symbol, venueSymbol, precisionMode });
      if (typeof listing === 'string') refused.set(venueSymbol, listing);
      else listings.set(venueSymbol, listing);
      const halt = typeof listing === 'object' ? haltOf(market) : undefined;
      if (halt !== undefined) halted.set(venueSymbol, halt);
    }
    return { kind: 'filters', listings, refused, halted };
  }

  #newWatched(listing: Listing): Watched {
    const { has } = this.#options.exchange;
    const by = {
      book: has['watchOrderBook'] === true ? 'Watching' : 'Polling',
      trades: has['watchTrades'] === true ? 'Watching' : 'Polling',
    } as const;
    return {
      listing,
      by: { ...by },
      isUp: false,
      shown: undefined,
      tape: newTape(this.#options.exchange.id),
      pongAt: 0,
      top: undefined,
    };
  }

  async #keep(watched: Watched, kind: Kind): Promise<never> {
    const { pause, timing } = this.#options;
    for (let failures = 0; ;) {
      const by = watched.by[kind];
      try {
        await this.#admitted(by);
        this.#take(watched, kind, await this.#get(watched, kind));
        failures = 0;
        if (by === 'Polling') await pause(timing.pollMs);
      } catch (error) {
        if (by === 'Watching' && isNotWatchable(error)) watched.by[kind] = 'Polling';
        else await this.#failed(watched, kind, { error, failures: failures++ });
      }
    }
  }

  /** Requests wait while the exchange wants none; connections, while there is none, are tried one after the other. */
  async #admitted(by: 'Watching' | 'Polling'): Promise<void> {
    const { exchange, now, pause } = this.#options;
    for (;;) {
      const isFree = by === 'Watching' && Object.values(exchange.clients).length > 0;
      const wait = by === 'Polling' ? this.#pausedUntil - now() : isFree ? 0 : this.#dials.spend(1, now());
      if (wait <= 0) return;
      await pause(Math.min(wait, TICK_MS));
    }
  }

  #get({ by, listing: { venueSymbol } }: Watched, kind: Kind): Promise<unknown> {
    const { exchange } = this.#options;
    if (kind === 'book')
      return by.book === 'Watching' ? exchange.watchOrderBook(venueSymbol) : exchange.fetchOrderBook(venueSymbol);
    return by.trades === 'Watching' ? exchange.watchTrades(venueSymbol) : exchange.fetchTrades(venueSymbol);
  }

  #take(watched: Watched, kind: Kind, got: unknown): void {
    if (kind === 'book') return this.#takeBook(watched, got);
    const { post } = this.#options;
    const { frames, bad } = readTrades(got, watched.listing, watched.tape, Date.now());
    for (const frame of frames) post({ kind: 'frame', frame });
    if (frames.length > 0) this.#tradeSilences.heard(watched.listing.symbol, watched.tape.lastAt, this.#options.now());
    for (const one of bad) post({ kind: 'malformed', malformed: one, text: watched.listing.venueSymbol });
  }

  #takeBook(watched: Watched, got: unknown): void {
    const { post, now } = this.#options;
    const { symbol, venueSymbol } = watched.listing;
    const read = readBook(got, watched.listing, watched.shown);
    if (read.kind === 'malformed') {
      post({ kind: 'malformed', malformed: read, text: venueSymbol });
      return this.#lose(watched, `${read.reason} ${read.detail}`);
    }
    if (!watched.isUp) {
      watched.isUp = true;
      post({ kind: 'up', symbol });
      if (watched.by.book === 'Watching') this.#silences.expect(symbol, now());
      if (watched.by.trades === 'Watching') this.#tradeSilences.expect(symbol, now());
    }
    watched.shown = read.shown;
    this.#silences.heard(symbol, undefined, now());
    post({ kind: 'frame', frame: read.frame });
  }

  async #failed(
    watched: Watched,
    kind: Kind,
    { error, failures }: { error: unknown; failures: number },
  ): Promise<void> {
    const { post, pause, now } = this.#options;
    const { venueSymbol } = watched.listing;
    const reason = reasonOf(error);
    if (kind === 'trades') watched.tape.lastAt = undefined;
    else this.#lose(watched, reason);
    if (['DDoSProtection', 'RateLimitExceeded'].some((name) => isNamed(error, name)))
      this.#pausedUntil = now() + REST_PAUSE_MS;
    if (!isNamed(error, 'OperationFailed') && !(error instanceof Renewed))
      post({ kind: 'malformed', malformed: malformed('Refused', reason), text: `${kind} of ${venueSymbol}` });
    await pause(this.#backoff(failures));
  }

  /** A book that could not be had or read is out until the next one: a connection that lives would make an old one look new. */
  #lose(watched: Watched, reason: string): void {
    const { symbol } = watched.listing;
    watched.isUp = false;
    watched.shown = undefined;
    this.#silences.forget(symbol);
    this.#tradeSilences.forget(symbol);
    this.#options.post({ kind: 'down', symbol, reason });
  }

  #backoff(failures: number): number {
    const { timing, random } = this.#options;
    return backoffMs(failures, random(), { firstMs: timing.firstRetryMs, ceilingMs: timing.slowestRetryMs });
  }

  /** A pong on the connection that the symbol is waited for on: it lives. Where that cannot be told, it ages. */
  #listen(watched: Watched): void {
    if (!watched.isUp || watched.by.book === 'Polling') return;
    const { symbol, venueSymbol } = watched.listing;
    const client = Object.values(this.#options.exchange.clients).find(({ futures }) =>
      Object.keys(futures).some((name) => name.includes(venueSymbol)),
    );
    const pongAt = client?.lastPong ?? 0;
    if (pongAt <= watched.pongAt) return;
    watched.pongAt = pongAt;
    this.#options.post({ kind: 'heard', symbol });
  }

  /** The time of the exchange's newest trade: ids have no order that we could rely on. */
  async #askTrade(symbol: string): Promise<number | undefined> {
    const { exchange, now } = this.#options;
    const watched = this.#watched.get(symbol);
    const isAskable = watched !== undefined && this.#pausedUntil <= now() && exchange.has['fetchTrades'] === true;
    if (!isAskable) return undefined;
    return newestAt(await exchange.fetchTrades(watched.listing.venueSymbol).catch(() => undefined), Date.now());
  }

  /** Counts up when the best levels changed: nothing numbers a book alike on all exchanges. */
  async #askTop(symbol: string): Promise<number | undefined> {
    const watched = this.#watched.get(symbol);
    if (watched === undefined || this.#pausedUntil > this.#options.now()) return undefined;
    const book = await this.#options.exchange.fetchOrderBook(watched.listing.venueSymbol).catch(() => undefined);
    const text = topOf(book);
    if (text === undefined) return undefined;
    const { top } = watched;
    watched.top = { text, version: top === undefined ? 0 : top.text === text ? top.version : top.version + 1 };
    return watched.top.version;
  }
}

/** What those who wait on a connection are told when it is made anew. */
class Renewed extends Error {}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 200);

/** Whether ccxt's class of this name is among the error's: https://docs.ccxt.com, "Error Handling". */
export function isNamed(error: unknown, name: string): boolean {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    if ((at as { constructor?: { name?: string } }).constructor?.name === name) return true;
  }
  return false;
}

const isNotWatchable = (error: unknown): boolean =>
  isNamed(error, 'AuthenticationError') || isNamed(error, 'NotSupported');
