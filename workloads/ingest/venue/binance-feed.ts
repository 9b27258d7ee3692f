// Binance spot: the shell. Filters by REST, combined streams by WebSocket, snapshots on demand; reconnects within Binance's
// limits (web-socket-streams.md): 300 connections per 5 min and address, 1,024 streams per connection, 5 messages a second
// from us (we send pongs only: streams are named in the URL), 24 h per connection, server pings every 20 s.
import { setTimeout as delay } from 'node:timers/promises';
import type { Link } from '../market.ts';
import { decodeFrame, streamsOf } from './binance.ts';
import { decodeExchangeInfo, decodeSnapshot, depthPath, exchangeInfoPath } from './binance-rest.ts';
import { Connection, type Timing } from './connection.ts';
import type { Feed, FeedOptions } from './feed.ts';
import type { Frame, Listing, Listings } from './frame.ts';
import { getText } from './http.ts';
import { backoffMs, newBudget, type Budget } from './limits.ts';
import { Snapshots, type Fetched } from './snapshots.ts';

/** Symbols per connection: 150 streams, a URL of some 3 kB. */
const SYMBOLS_PER_CONNECTION = 50;
const CONNECTIONS_PER_5_MIN = 250;
/** Half of Binance's 6,000 a minute: an address may be shared with others. */
const REST_WEIGHT_PER_MINUTE = 3_000;
const WEIGHT = { depth: 50, shallowDepth: 5, exchangeInfo: 20 } as const;
const RETRY = { firstMs: 500, ceilingMs: 30_000 };

export const BINANCE_TIMING: Timing = {
  stallMs: 30_000,
  replaceMs: 23.5 * 3_600_000,
  overlapMs: 5_000,
  firstRetryMs: RETRY.firstMs,
  slowestRetryMs: RETRY.ceilingMs,
};

/** Without data for this long, though pings come, the venue is asked whether its book moved on without us. */
const SILENT_MS = 10_000;
const PROBE_EVERY_MS = 30_000;
const PROBE_GRACE_MS = 3_000;

/** Up to half an hour earlier for each, so that pods do not replace their connections together. */
const spread = (timing: Timing, random: number): Timing => ({
  ...timing,
  replaceMs: timing.replaceMs * (1 - random / 48),
});

/** Opens the feed in the background and returns at once; it tries for ever until stopped. */
export function openBinanceFeed(options: FeedOptions, timing: Timing = BINANCE_TIMING): Feed {
  const feed = new BinanceFeed(options, timing);
  void feed.run();
  return feed;
}

class BinanceFeed implements Feed {
  readonly #options: FeedOptions;
  readonly #timing: Timing;
  readonly #connections: Group[] = [];
  readonly #rest: Budget;
  readonly #dials: Budget;
  readonly #snapshots: Snapshots;
  readonly #stop = new AbortController();
  #listings: Listings = new Map();
  #reason: string | undefined = 'filters not read yet';

  constructor(options: FeedOptions, timing: Timing) {
    this.#options = options;
    this.#timing = timing;
    this.#rest = newBudget(Math.max(100, REST_WEIGHT_PER_MINUTE / options.shards), 60_000);
    this.#dials = newBudget(Math.max(10, Math.floor(CONNECTIONS_PER_5_MIN / options.shards)), 300_000);
    this.#snapshots = new Snapshots({
      fetch: (symbol) => this.#fetchSnapshot(symbol),
      budget: this.#rest,
      weight: WEIGHT.depth,
      now: options.now,
      random: options.random,
      onSnapshot: (snapshot) => this.#emit({ kind: 'snapshot', snapshot, t: options.now() }),
      onProblem: (symbol, reason) => options.log.warn({ symbol, reason }, 'snapshot not fetched, trying again'),
    });
  }

  wantSnapshot(symbol: string): void {
    this.#snapshots.want(symbol);
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
      for (const group of this.#connections) void this.#probe(group);
      await delay(100, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** Filters first: without them no price can be read. Tries for ever. */
  async #readListings(): Promise<void> {
    const { symbols, endpoints, random, now, log } = this.#options;
    const url = endpoints.rest + exchangeInfoPath([...symbols.keys()]);
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      this.#rest.spend(WEIGHT.exchangeInfo, now());
      const answer = await getText(url, this.#stop.signal);
      const decoded = answer.kind === 'text' ? decodeExchangeInfo(answer.text, symbols) : undefined;
      if (decoded !== undefined && 'listings' in decoded) {
        this.#listings = decoded.listings;
        this.#reason = decoded.refused.size === 0 ? undefined : [...decoded.refused.values()].join('; ');
        if (this.#reason !== undefined) log.error({ reason: this.#reason }, 'symbols without data');
        return;
      }
      const problem = answer.kind === 'text' ? `unreadable: ${answer.text.slice(0, 100)}` : answer.reason;
      this.#reason = `filters not read: ${problem}`;
      log.warn({ url, problem }, 'filters not read, trying again');
      const pause = Math.max(backoffMs(failures, random(), RETRY), answer.kind === 'text' ? 0 : answer.afterMs);
      await delay(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  #connect(listings: readonly Listing[]): void {
    const { source, endpoints, now, random, log } = this.#options;
    const link: Link = { source, up: false, heardAt: 0 };
    const streams = listings.flatMap(({ venueSymbol }) => streamsOf(venueSymbol)).join('/');
    const group: Group = {
      listings,
      bookIds: new Map(),
      dataAt: now(),
      probeAt: 0,
      connection: new Connection({
        url: `${endpoints.ws}/stream?streams=${streams}`,
        timing: spread(this.#timing, random()),
        now,
        random,
        admit: (at) => this.#dials.spend(1, at),
        onText: (text, t) => this.#onText(group, text, t),
        onPulse: (t) => this.#emit({ kind: 'heard', link, t }),
        onUp: (t) => {
          group.dataAt = t;
          log.info({ source, symbols: listings.length }, 'connected');
          this.#emit({ kind: 'linkUp', link, t });
        },
        onDown: (t, reason) => {
          log.warn({ source, reason }, 'connection lost, reconnecting');
          for (const { symbol } of listings) this.#snapshots.forget(symbol);
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
    group.dataAt = t;
    if (frame.kind === 'malformed') return this.#options.onMalformed(frame, text);
    if (frame.kind === 'notice') {
      if (frame.notice === 'ServerShutdown') group.connection.replace();
      return;
    }
    if (frame.kind === 'depth') group.bookIds.set(frame.symbol, frame.lastId);
    this.#emit({ kind: 'frame', frame, t });
  }

  /** Pings alone do not prove that data flows: after a silence the venue's own book says whether we missed anything. */
  async #probe(group: Group): Promise<void> {
    const silentSince = group.dataAt;
    if (!this.#mayProbe(group)) return;
    group.probeAt = this.#options.now() + PROBE_EVERY_MS;
    if (!(await this.#hasMovedOn(group))) return;
    await delay(PROBE_GRACE_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    if (group.dataAt !== silentSince || this.#stop.signal.aborted) return;
    group.connection.drop('silent though the venue trades');
  }

  #mayProbe({ connection, dataAt, probeAt }: Group): boolean {
    const now = this.#options.now();
    return (
      connection.isUp && now - dataAt >= SILENT_MS && now >= probeAt && this.#rest.spend(WEIGHT.shallowDepth, now) === 0
    );
  }

  async #hasMovedOn({ listings, bookIds }: Group): Promise<boolean> {
    const listing = listings.find(({ symbol }) => bookIds.has(symbol));
    if (listing === undefined) return false;
    const answer = await getText(this.#options.endpoints.rest + depthPath(listing.venueSymbol, 5), this.#stop.signal);
    const seen = answer.kind === 'text' ? decodeSnapshot(answer.text, listing) : answer;
    return seen.kind === 'snapshot' && seen.lastId > (bookIds.get(listing.symbol) ?? 0);
  }

  async #fetchSnapshot(symbol: string): Promise<Fetched> {
    const listing = [...this.#listings.values()].find((candidate) => candidate.symbol === symbol);
    if (listing === undefined) return { kind: 'retry', reason: 'not listed', afterMs: RETRY.ceilingMs };
    const answer = await getText(this.#options.endpoints.rest + depthPath(listing.venueSymbol), this.#stop.signal);
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
  /** Last update id of each book that came by stream. */
  readonly bookIds: Map<string, number>;
  dataAt: number;
  probeAt: number;
}
