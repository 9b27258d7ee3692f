// Binance spot: filters by REST, combined streams by WebSocket, snapshots on demand; reconnects within Binance's limits
// (web-socket-streams.md): 300 connections per 5 min and address, 1,024 streams per connection, 5 messages a second from us
// (pings and pongs count; nothing else is sent, as streams are named in the URL), 24 h per connection, server pings every 20 s.
import type { DailyClose } from '../../../contract/bars.ts';
import { decodeFrame, streamsOf } from './streams.ts';
import { readFilters } from './filters.ts';
import { decodeLastTrade, decodeSnapshot, decodeTrades, depthPath, tickerPath, tradesPath } from './rest.ts';
import { BINANCE_CLOSES_WEIGHT, binanceCloses, binanceClosesPath } from '../daily-closes.ts';
import type { Timing } from '../connection.ts';
import type { Feed, FeedOptions } from '../feed.ts';
import { FeedShell, LATE, type Group, type LateTiming, type Venue } from '../feed-shell.ts';
import type { Filters, Frame, Listing, TradeFrame } from '../frame.ts';
import { malformed } from '../json.ts';
import { newBudget } from '../limits.ts';
import type { MissedRange } from '../missed-trades.ts';
import { TRADE_SILENCE, type Silences, type SilenceTiming } from '../silences.ts';
import type { StatusTiming, Wanted } from '../status-watch.ts';
import { Snapshots, type Fetched } from './snapshots.ts';

/** Symbols per connection: 150 streams, a URL of some 3 kB. */
const SYMBOLS_PER_CONNECTION = 50;
const CONNECTIONS_PER_5_MIN = 250;
/** Half of Binance's 6,000 a minute: an address may be shared with others. */
const REST_WEIGHT_PER_MINUTE = 3_000;
const PROBED_LEVELS = 5;
/** Symbols of one question about status: some 1 kB each, read on the thread that reads frames. */
const STATUS_AT_ONCE = 100;
const WEIGHT = { depth: 50, shallowDepth: 5, exchangeInfo: 20, ticker: 2, trades: 25 } as const;

export interface BinanceTiming extends Timing {
  readonly silence: SilenceTiming;
  /** The same of a symbol's trades. */
  readonly trades: SilenceTiming;
  readonly status?: StatusTiming;
  readonly late: LateTiming;
}

export const BINANCE_TIMING: BinanceTiming = {
  stallMs: 30_000,
  ask: { afterMs: 700, deadMs: 6_000 },
  replaceMs: 23.5 * 3_600_000,
  overlapMs: 5_000,
  firstRetryMs: 500,
  slowestRetryMs: 30_000,
  silence: { silentMs: 10_000, everyMs: 30_000, graceMs: 3_000 },
  trades: TRADE_SILENCE,
  late: LATE,
};

/** Opens the feed in the background and returns at once; it tries for ever until stopped. */
export function openBinanceFeed(options: FeedOptions, timing: BinanceTiming = BINANCE_TIMING): Feed {
  const limits = {
    symbolsPerConnection: SYMBOLS_PER_CONNECTION,
    dials: newBudget(Math.max(10, Math.floor(CONNECTIONS_PER_5_MIN / options.shards)), 300_000),
    rest: newBudget(Math.max(100, REST_WEIGHT_PER_MINUTE / options.shards), 60_000),
    timing,
    ...(timing.status === undefined ? {} : { status: timing.status }),
    late: timing.late,
  };
  const feed = new FeedShell(options, limits, (shell) => new Binance(shell, timing));
  void feed.run();
  return feed;
}

class Binance implements Venue {
  readonly tradesWeight = WEIGHT.trades;
  readonly statusAtOnce = STATUS_AT_ONCE;
  readonly #shell: FeedShell;
  readonly #timing: SilenceTiming;
  readonly #snapshots: Snapshots;
  readonly #silences: Silences;
  readonly #tradeSilences: Silences;
  /** When a connection was last replaced for a dead stream: several of its symbols share one replacement. */
  readonly #renewedAt = new Map<Group, number>();

  constructor(shell: FeedShell, { silence, trades }: BinanceTiming) {
    const { now, random, log } = shell.options;
    this.#shell = shell;
    this.#timing = silence;
    this.#snapshots = new Snapshots({
      fetch: (symbol) => this.#fetchBook(symbol),
      budget: shell.rest,
      weight: WEIGHT.depth,
      now,
      random,
      onSnapshot: (snapshot) => shell.emit({ kind: 'snapshot', snapshot, t: now() }),
      onProblem: (symbol, reason) => log.warn({ symbol, reason }, 'snapshot not fetched, trying again'),
    });
    this.#silences = shell.watchBooks({
      askId: (symbol) => this.#askId(symbol),
      weight: WEIGHT.shallowDepth,
      timing: silence,
    });
    this.#tradeSilences = shell.watchTrades({
      askLast: (listing) => this.#askTrade(listing),
      renew: (symbol) => this.renew(symbol),
      weight: WEIGHT.ticker,
      timing: trades,
    });
  }

  readListings(): Promise<Filters> {
    return this.readStatus(this.#shell.options.symbols);
  }

  readStatus(wanted: Wanted): Promise<Filters> {
    return readFilters(wanted, (path) => this.#shell.ask(path, WEIGHT.exchangeInfo));
  }

  /** However many they are (rest-api.md, "Exchange information"). */
  statusWeight(): number {
    return WEIGHT.exchangeInfo;
  }

  async dailyCloses(venueSymbol: string): Promise<readonly DailyClose[] | undefined> {
    const answer = await this.#shell.ask(binanceClosesPath(venueSymbol), BINANCE_CLOSES_WEIGHT);
    return answer.kind === 'text' ? binanceCloses(answer.text, Date.now()) : undefined;
  }

  url(listings: readonly Listing[]): string {
    const streams = listings.flatMap(({ venueSymbol }) => streamsOf(venueSymbol)).join('/');
    return `${this.#shell.options.endpoints.ws}/stream?streams=${streams}`;
  }

  wantSnapshot(symbol: string): void {
    this.#snapshots.want(symbol);
  }

  /** A stream cannot be asked for anew by itself: the whole connection is replaced, without a break. */
  renew(symbol: string): void {
    const { now, log, source } = this.#shell.options;
    const group = this.#shell.groupOf(symbol);
    const at = now();
    if (group === undefined || at - (this.#renewedAt.get(group) ?? -Infinity) < this.#timing.everyMs) return;
    this.#renewedAt.set(group, at);
    log.warn({ source, symbol }, 'stream is dead, replacing its connection');
    group.connection.replace();
  }

  trouble(): undefined {
    return undefined;
  }

  tick(): void {
    this.#snapshots.tick();
    this.#silences.tick();
    this.#tradeSilences.tick();
  }

  onUp({ listings }: Group, t: number): void {
    for (const { symbol } of listings) {
      this.#silences.expect(symbol, t);
      this.#tradeSilences.expect(symbol, t);
    }
  }

  onDown({ listings }: Group): void {
    for (const { symbol } of listings) {
      this.#snapshots.forget(symbol);
      this.#silences.forget(symbol);
      this.#tradeSilences.forget(symbol);
    }
  }

  onText(group: Group, text: string, t: number): void {
    const frame: Frame = decodeFrame(text, this.#shell.listings);
    if (frame.kind === 'malformed') return this.#shell.options.onMalformed(frame, text);
    if (frame.kind === 'notice') {
      if (frame.notice === 'ServerShutdown') group.connection.replace();
      return;
    }
    if (frame.kind === 'depth') this.#silences.heard(frame.symbol, frame.lastId, t);
    else if (frame.kind === 'trade') this.#tradeSilences.heard(frame.symbol, frame.tradeId, t);
    this.#shell.emit({ kind: 'frame', frame, t });
  }

  /** The budget was asked before. */
  async #askId(symbol: string): Promise<number | undefined> {
    const answer = await this.#fetchBook(symbol, PROBED_LEVELS);
    return answer.kind === 'snapshot' ? answer.lastId : undefined;
  }

  async fetchTrades({ symbol }: MissedRange): Promise<readonly TradeFrame[] | undefined> {
    const listing = this.#shell.listingOf(symbol);
    if (listing === undefined) return undefined;
    const answer = await this.#shell.get(tradesPath(listing.venueSymbol));
    return answer.kind === 'text' ? decodeTrades(answer.text, listing) : undefined;
  }

  async #askTrade({ venueSymbol }: Listing): Promise<number | undefined> {
    const answer = await this.#shell.get(tickerPath(venueSymbol));
    return answer.kind === 'text' ? decodeLastTrade(answer.text) : undefined;
  }

  async #fetchBook(symbol: string, levels?: number): Promise<Fetched> {
    const listing = this.#shell.listingOf(symbol);
    if (listing === undefined) return malformed('UnknownSymbol', symbol);
    const answer = await this.#shell.get(depthPath(listing.venueSymbol, levels));
    if (answer.kind === 'refused') return malformed('Refused', answer.text.slice(0, 100));
    return answer.kind === 'text' ? decodeSnapshot(answer.text, listing) : answer;
  }
}
