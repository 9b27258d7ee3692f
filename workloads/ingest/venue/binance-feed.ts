// Binance spot: the shell. Filters by REST, combined streams by WebSocket, snapshots on demand; reconnects within Binance's
// limits (web-socket-streams.md): 300 connections per 5 min and address, 1,024 streams per connection, 5 messages a second
// from us (we send pongs only: streams are named in the URL), 24 h per connection, server pings every 20 s.
import { setTimeout as delay } from 'node:timers/promises';
import type { Link } from '../market.ts';
import { decodeFrame, streamsOf } from './binance.ts';
import { readFilters } from './binance-filters.ts';
import { decodeSnapshot, depthPath } from './binance-rest.ts';
import { Connection, type Timing } from './connection.ts';
import type { Feed, FeedOptions } from './feed.ts';
import type { Frame, Listing, Listings } from './frame.ts';
import { getText, type Answer } from './http.ts';
import { malformed } from './json.ts';
import { backoffMs, newBudget, type Budget } from './limits.ts';
import { Silences, type SilenceTiming } from './silences.ts';
import { Snapshots, type Fetched } from './snapshots.ts';

/** Symbols per connection: 150 streams, a URL of some 3 kB. */
const SYMBOLS_PER_CONNECTION = 50;
const CONNECTIONS_PER_5_MIN = 250;
/** Half of Binance's 6,000 a minute: an address may be shared with others. */
const REST_WEIGHT_PER_MINUTE = 3_000;
const PROBED_LEVELS = 5;
const WEIGHT = { depth: 50, shallowDepth: 5, exchangeInfo: 20 } as const;
const TICK_MS = 100;
const RETRY = { firstMs: 500, ceilingMs: 30_000 };

export interface BinanceTiming extends Timing {
  readonly silence: SilenceTiming;
}

export const BINANCE_TIMING: BinanceTiming = {
  stallMs: 30_000,
  replaceMs: 23.5 * 3_600_000,
  overlapMs: 5_000,
  firstRetryMs: RETRY.firstMs,
  slowestRetryMs: RETRY.ceilingMs,
  silence: { silentMs: 10_000, everyMs: 30_000, graceMs: 3_000 },
};

/** Up to half an hour earlier for each, so that pods do not replace their connections together. */
const spread = (timing: Timing, random: number): Timing => ({
  ...timing,
  replaceMs: timing.replaceMs * (1 - random / 48),
});

/** Opens the feed in the background and returns at once; it tries for ever until stopped. */
export function openBinanceFeed(options: FeedOptions, timing: BinanceTiming = BINANCE_TIMING): Feed {
  const feed = new BinanceFeed(options, timing);
  void feed.run();
  return feed;
}

class BinanceFeed implements Feed {
  readonly #options: FeedOptions;
  readonly #timing: BinanceTiming;
  readonly #connections: Group[] = [];
  readonly #rest: Budget;
  readonly #dials: Budget;
  readonly #snapshots: Snapshots;
  readonly #silences: Silences;
  readonly #stop = new AbortController();
  #listings: Listings = new Map();
  #reason: string | undefined = 'filters not read yet';

  constructor(options: FeedOptions, timing: BinanceTiming) {
    this.#options = options;
    this.#timing = timing;
    this.#rest = newBudget(Math.max(100, REST_WEIGHT_PER_MINUTE / options.shards), 60_000);
    this.#dials = newBudget(Math.max(10, Math.floor(CONNECTIONS_PER_5_MIN / options.shards)), 300_000);
    this.#snapshots = new Snapshots({
      fetch: (symbol) => this.#fetchBook(symbol),
      budget: this.#rest,
      weight: WEIGHT.depth,
      now: options.now,
      random: options.random,
      onSnapshot: (snapshot) => this.#emit({ kind: 'snapshot', snapshot, t: options.now() }),
      onProblem: (symbol, reason) => options.log.warn({ symbol, reason }, 'snapshot not fetched, trying again'),
    });
    this.#silences = new Silences({
      askId: (symbol) => this.#askId(symbol),
      budget: this.#rest,
      weight: WEIGHT.shallowDepth,
      now: options.now,
      timing: timing.silence,
      onStalled: (symbol) => {
        this.#emit({ kind: 'stalled', symbol, t: options.now() });
        this.renew(symbol);
      },
    });
  }

  wantSnapshot(symbol: string): void {
    this.#snapshots.want(symbol);
  }

  renew(symbol: string): void {
    const group = this.#connections.find(({ listings }) => listings.some((listing) => listing.symbol === symbol));
    const now = this.#options.now();
    if (group === undefined || now - group.renewedAt < this.#timing.silence.everyMs) return;
    group.renewedAt = now;
    this.#options.log.warn({ source: this.#options.source, symbol }, 'stream is dead, replacing its connection');
    group.connection.replace();
  }

  status(): ReturnType<Feed['status']> {
    const up = this.#connections.filter(({ connection }) => connection.isUp).length;
    return {
      connected: up > 0 && up === this.#connections.length,
      reconnects: this.#connections.reduce((sum, { connection }) => sum + Math.max(0, connection.reconnects), 0),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  stop(): void {
    this.#stop.abort();
    for (const { connection } of this.#connections) connection.stop();
  }

  async run(): Promise<void> {
    await this.#readListings();
    if (this.#stop.signal.aborted) return;
    const listings = [...this.#listings.values()];
    for (let at = 0; at < listings.length; at += SYMBOLS_PER_CONNECTION) {
      this.#connect(listings.slice(at, at + SYMBOLS_PER_CONNECTION));
    }
    while (!this.#stop.signal.aborted) {
      this.#snapshots.tick();
      this.#silences.tick();
      await this.#pause(TICK_MS);
    }
  }

  /** Filters first: without them no price can be read. Tries for ever. */
  async #readListings(): Promise<void> {
    const { symbols, random, log } = this.#options;
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      const filters = await readFilters(symbols, (path) => this.#ask(path, WEIGHT.exchangeInfo));
      if (filters.kind === 'filters') {
        this.#listings = filters.listings;
        this.#reason = filters.refused.size === 0 ? undefined : [...filters.refused.values()].join('; ');
        if (this.#reason !== undefined) log.error({ reason: this.#reason }, 'symbols without data');
        return;
      }
      this.#reason = `filters not read: ${filters.reason}`;
      log.warn({ reason: filters.reason }, 'filters not read, trying again');
      await this.#pause(Math.max(backoffMs(failures, random(), RETRY), filters.afterMs));
    }
  }

  /** One request, when the budget allows it. */
  async #ask(path: string, weight: number): Promise<Answer> {
    const { endpoints, now } = this.#options;
    for (let wait = this.#rest.spend(weight, now()); wait > 0; wait = this.#rest.spend(weight, now())) {
      await this.#pause(wait);
      if (this.#stop.signal.aborted) break;
    }
    return getText(endpoints.rest + path, this.#stop.signal);
  }

  #pause(ms: number): Promise<unknown> {
    return delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  #connect(listings: readonly Listing[]): void {
    const { source, endpoints, now, random, log } = this.#options;
    const link: Link = { source, up: false, heardAt: 0 };
    const streams = listings.flatMap(({ venueSymbol }) => streamsOf(venueSymbol)).join('/');
    const group: Group = {
      listings,
      renewedAt: Number.NEGATIVE_INFINITY,
      connection: new Connection({
        url: `${endpoints.ws}/stream?streams=${streams}`,
        timing: spread(this.#timing, random()),
        now,
        random,
        admit: (at) => this.#dials.spend(1, at),
        onText: (text, t) => this.#onText(group, text, t),
        onPulse: (t) => this.#emit({ kind: 'heard', link, t }),
        onUp: (t) => {
          for (const { symbol } of listings) this.#silences.expect(symbol, t);
          log.info({ source, symbols: listings.length }, 'connected');
          this.#emit({ kind: 'linkUp', link, t });
        },
        onDown: (t, reason) => {
          log.warn({ source, reason }, 'connection lost, reconnecting');
          for (const { symbol } of listings) {
            this.#snapshots.forget(symbol);
            this.#silences.forget(symbol);
          }
          this.#emit({ kind: 'linkDown', link, t });
        },
      }),
    };
    for (const listing of listings) this.#emit({ kind: 'listed', listing, link, t: now() });
    this.#connections.push(group);
    group.connection.start();
  }

  #onText(group: Group, text: string, t: number): void {
    const frame: Frame = decodeFrame(text, this.#listings);
    if (frame.kind === 'malformed') return this.#options.onMalformed(frame, text);
    if (frame.kind === 'notice') {
      if (frame.notice === 'ServerShutdown') group.connection.replace();
      return;
    }
    if (frame.kind === 'depth') this.#silences.heard(frame.symbol, frame.lastId, t);
    this.#emit({ kind: 'frame', frame, t });
  }

  /** The budget was asked before. */
  async #askId(symbol: string): Promise<number | undefined> {
    const answer = await this.#fetchBook(symbol, PROBED_LEVELS);
    return answer.kind === 'snapshot' ? answer.lastId : undefined;
  }

  async #fetchBook(symbol: string, levels?: number): Promise<Fetched> {
    const listing = [...this.#listings.values()].find((candidate) => candidate.symbol === symbol);
    if (listing === undefined) return malformed('UnknownSymbol', symbol);
    const url = this.#options.endpoints.rest + depthPath(listing.venueSymbol, levels);
    const answer = await getText(url, this.#stop.signal);
    if (answer.kind === 'refused') return malformed('Refused', answer.text.slice(0, 100));
    return answer.kind === 'text' ? decodeSnapshot(answer.text, listing) : answer;
  }

  #emit(event: Parameters<FeedOptions['emit']>[0]): void {
    if (!this.#stop.signal.aborted) this.#options.emit(event);
  }
}

/** The symbols of one connection. Changed in place. */
interface Group {
  readonly listings: readonly Listing[];
  readonly connection: Connection;
  /** When it was last replaced for a dead stream: several of its symbols share one replacement. */
  renewedAt: number;
}
