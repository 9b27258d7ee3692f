// Coinbase, both APIs: products by REST, subscriptions by message, books out of their own streams. Reconnects and messages stay
// within the API's limits per address; a subscription goes out at once, as connections without one are closed after 5 s
// ("WebSocket Overview" of both).
import type { DailyClose } from '../../../contract/bars.ts';
import { randomUUID } from 'node:crypto';
import { productsIn, NO_SEQUENCE, verdictOnSequence, type CoinbaseApi, type Request, type Spoils } from './message.ts';
import { jwtOf, type CoinbaseKey } from './key.ts';
import type { Timing } from '../connection.ts';
import type { Feed, FeedOptions } from '../feed.ts';
import { FeedShell, LATE, type Group, type LateTiming, type Venue } from '../feed-shell.ts';
import type { Filters, Listing, MarketFrame, NoticeFrame, TradeFrame } from '../frame.ts';
import type { MissedRange } from '../missed-trades.ts';
import { shareOf, type Budget } from '../limits.ts';
import { Renewals } from './renewals.ts';
import { TRADE_SILENCE, type Silences, type SilenceTiming } from '../silences.ts';
import type { StatusTiming, Wanted } from '../status-watch.ts';
import { readStatuses, requestsFor } from './statuses.ts';

/** Few enough that one book's trouble, and one thread of the venue, concern few others ("WebSocket Best Practices"). */
const SYMBOLS_PER_CONNECTION = 20;

export interface CoinbaseTiming extends Timing {
  readonly silence: SilenceTiming;
  /** The same of a product's trades. */
  readonly trades: SilenceTiming;
  readonly status?: StatusTiming;
  readonly late: LateTiming;
}

/** Heartbeats come once a second: 10 s without anything is no quiet market. Connections have no age at which they end. */
export const COINBASE_TIMING: CoinbaseTiming = {
  stallMs: 10_000,
  replaceMs: Infinity,
  overlapMs: 0,
  firstRetryMs: 500,
  slowestRetryMs: 30_000,
  silence: { silentMs: 10_000, everyMs: 30_000, graceMs: 3_000 },
  trades: TRADE_SILENCE,
  late: LATE,
};

export interface CoinbaseOptions extends FeedOptions {
  readonly api: CoinbaseApi;
  /** Asked at each message; a text says why there is none, and the message goes without. Undefined: without a login. */
  readonly key?: (() => CoinbaseKey | string) | undefined;
}

/** Opens the feed in the background and returns at once; it tries for ever until stopped. */
export function openCoinbaseFeed(options: CoinbaseOptions, timing: CoinbaseTiming = COINBASE_TIMING): Feed {
  const { api, shards } = options;
  const limits = {
    symbolsPerConnection: SYMBOLS_PER_CONNECTION,
    dials: shareOf(api.perSecond.dials, shards),
    rest: shareOf(api.perSecond.requests, shards),
    timing,
    ...(timing.status === undefined ? {} : { status: timing.status }),
    late: timing.late,
  };
  const feed = new FeedShell(options, limits, (shell) => new Coinbase(shell, options, timing));
  void feed.run();
  return feed;
}

/** What the venue refused is told for so long: what goes on being refused is asked for again, and refused again, before. */
const TROUBLE_MS = 60_000;

/** What is known of one connection. Changed in place. */
interface Line {
  readonly group: Group;
  sequence: number;
  /** The venue's time of each book's last update, where nothing numbers them. */
  readonly updatedAt: Map<string, string>;
  /** Requests that wait for the limit of messages: a connection's first ones, or those of one renewal. */
  unsent: readonly Request[];
  readonly renewals: Renewals;
  /** Since it is up: no book came yet · its products were subscribed to one by one. */
  isBare: boolean;
  isApart: boolean;
}

/** The venue's best levels of a book, and how often they were seen to have changed. */
interface Top {
  readonly text: string;
  readonly version: number;
}

class Coinbase implements Venue {
  readonly tradesWeight = 1;
  readonly statusAtOnce = Infinity;
  readonly #shell: FeedShell;
  readonly #api: CoinbaseApi;
  readonly #key: CoinbaseOptions['key'];
  readonly #messages: Budget;
  readonly #silences: Silences;
  readonly #tradeSilences: Silences;
  readonly #lines = new Map<Group, Line>();
  readonly #tops = new Map<string, Top>();
  /** What the venue refused last, until a book comes. */
  #trouble: { readonly reason: string; readonly at: number } | undefined;
  #unsigned: string | undefined;

  constructor(shell: FeedShell, { api, key, shards }: CoinbaseOptions, { silence, trades }: CoinbaseTiming) {
    this.#shell = shell;
    this.#api = api;
    this.#key = key;
    this.#messages = shareOf(api.perSecond.messages, shards);
    this.#silences = shell.watchBooks({ askId: (symbol) => this.#askTop(symbol), weight: 1, timing: silence });
    this.#tradeSilences = shell.watchTrades({
      askLast: (listing) => this.#askTrade(listing),
      renew: (symbol) => this.#renewTrades(symbol),
      weight: 1,
      timing: trades,
    });
  }

  async readListings(): Promise<Filters> {
    return productsIn(this.#api, await this.#shell.ask(this.#api.productsPath, 1), this.#shell.options.symbols);
  }

  readStatus(wanted: Wanted): Promise<Filters> {
    return readStatuses(this.#api, wanted, (path) => this.#shell.ask(path, 1));
  }

  statusWeight(symbols: number): number {
    return requestsFor(this.#api.status, symbols);
  }

  /** A product that is not traded may be refused to subscribers: nothing of it came then, and all of it is asked for. */
  resumed(symbol: string): void {
    const line = this.#lineOf(symbol);
    const listing = this.#shell.listingOf(symbol);
    if (line === undefined || listing === undefined || !line.renewals.isMissing(symbol)) return;
    line.unsent = [...line.unsent, ...this.#api.subscribeAll([listing.venueSymbol])];
    this.#flush(line);
  }

  async dailyCloses(product: string): Promise<readonly DailyClose[] | undefined> {
    const answer = await this.#shell.ask(this.#api.closesPath(product, Date.now()), 1);
    return answer.kind === 'text' ? this.#api.decodeCloses(answer.text, Date.now()) : undefined;
  }

  url(): string {
    return this.#shell.options.endpoints.ws;
  }

  trouble(): string | undefined {
    const { reason, at = 0 } = this.#trouble ?? {};
    return this.#shell.options.now() - at < TROUBLE_MS ? (reason ?? this.#unsigned) : this.#unsigned;
  }

  wantSnapshot(symbol: string): void {
    this.#lineOf(symbol)?.renewals.want(symbol);
  }

  renew(symbol: string): void {
    this.wantSnapshot(symbol);
  }

  tick(): void {
    for (const line of this.#lines.values()) {
      this.#flush(line);
      line.renewals.tick();
    }
    this.#silences.tick();
    this.#tradeSilences.tick();
  }

  onUp(group: Group, t: number): void {
    const line = this.#lines.get(group) ?? this.#newLine(group);
    const symbols = group.listings.map(({ symbol }) => symbol);
    line.sequence = NO_SEQUENCE;
    line.updatedAt.clear();
    line.isBare = true;
    line.isApart = false;
    line.unsent = this.#api.subscribeAll(group.listings.map(({ venueSymbol }) => venueSymbol));
    line.renewals.expect(symbols);
    for (const symbol of symbols) {
      this.#silences.expect(symbol, t);
      this.#tradeSilences.expect(symbol, t);
    }
    this.#flush(line);
  }

  onDown(group: Group): void {
    const line = this.#lines.get(group);
    if (line !== undefined) line.unsent = [];
    line?.renewals.forgetAll();
    for (const { symbol } of group.listings) {
      this.#silences.forget(symbol);
      this.#tradeSilences.forget(symbol);
    }
  }

  onText(group: Group, text: string, t: number): void {
    const line = this.#lines.get(group);
    if (line === undefined) return;
    const message = this.#api.decode(text, this.#shell.listings);
    const verdict = verdictOnSequence(message.sequence, line.sequence);
    if (verdict === 'Gap') this.#lose(line, 'Everything', t);
    if (verdict !== 'Repeat' && message.sequence !== NO_SEQUENCE) line.sequence = message.sequence;
    if (message.kind === 'unreadable') {
      this.#shell.options.onMalformed(message.malformed, text);
      if (message.malformed.reason === 'Refused') this.#onRefused(line, message.malformed.detail, t);
      return this.#lose(line, message.spoils, t);
    }
    // Late or a repeat: what it said is in the books by now, or they are on their way anew.
    if (verdict === 'Repeat') return this.#shell.emit({ kind: 'heard', link: group.link, t });
    for (const frame of message.frames) this.#onFrame(line, frame, t);
    if (message.time !== undefined) this.#checkTime(line, message.frames[0], { time: message.time, t });
  }

  /** An update that is older than the one before it has put levels back to what they were. */
  #checkTime(line: Line, frame: MarketFrame | NoticeFrame | undefined, { time, t }: { time: string; t: number }): void {
    if (frame?.kind !== 'change') return;
    const { symbol } = frame;
    const last = line.updatedAt.get(symbol) ?? '';
    // Of other lengths they are of other precisions, and no text tells which is older.
    if (time.length === last.length && time < last) this.#lose(line, { symbol }, t);
    else line.updatedAt.set(symbol, time);
  }

  /**
   * One product that the venue does not take (any more) may have had the subscription of all refused: while none of them has
   * come, each is asked for by itself.
   */
  #onRefused(line: Line, reason: string, t: number): void {
    this.#trouble = { reason: `refused: ${reason}`, at: t };
    if (!line.isBare || line.isApart) return;
    line.isApart = true;
    const each = line.group.listings.flatMap(({ venueSymbol }) => this.#api.subscribeAll([venueSymbol]));
    line.unsent = [...line.unsent, ...each];
    this.#flush(line);
  }

  #onFrame(line: Line, frame: MarketFrame | NoticeFrame, t: number): void {
    if (frame.kind === 'notice') return this.#shell.emit({ kind: 'heard', link: line.group.link, t });
    if (frame.kind === 'book') {
      this.#trouble = undefined;
      line.isBare = false;
      line.renewals.came(frame.symbol);
    }
    if (frame.kind === 'book' || frame.kind === 'change') this.#silences.heard(frame.symbol, undefined, t);
    else if (frame.kind === 'trade') this.#tradeSilences.heard(frame.symbol, frame.tradeId, t);
    this.#shell.emit({ kind: 'frame', frame, t });
  }

  /** Messages of books were lost: those are out, and asked for anew, while the others go on. */
  #lose({ group, renewals }: Line, spoils: Spoils, t: number): void {
    if (spoils === 'Nothing') return;
    const lost = spoils === 'Everything' ? group.listings.map(({ symbol }) => symbol) : [spoils.symbol];
    for (const symbol of lost) {
      this.#shell.emit({ kind: 'lost', symbol, t });
      renewals.wantAnew(symbol);
    }
  }

  #lineOf(symbol: string): Line | undefined {
    const group = this.#shell.groupOf(symbol);
    return group === undefined ? undefined : this.#lines.get(group);
  }

  #newLine(group: Group): Line {
    const { now, random } = this.#shell.options;
    const line: Line = {
      group,
      sequence: NO_SEQUENCE,
      updatedAt: new Map(),
      unsent: [],
      isBare: true,
      isApart: false,
      renewals: new Renewals({ ask: (symbols) => this.#askBooks(line, symbols), now, random }),
    };
    this.#lines.set(group, line);
    return line;
  }

  #askBooks(line: Line, symbols: readonly string[]): boolean {
    if (line.unsent.length > 0) return false;
    const products = line.group.listings.filter(({ symbol }) => symbols.includes(symbol));
    this.#shell.options.log.info({ source: this.#shell.options.source, symbols }, 'asking for books anew');
    line.unsent = this.#api.renewBooks(products.map(({ venueSymbol }) => venueSymbol));
    this.#flush(line);
    return true;
  }

  #flush(line: Line): void {
    while (line.unsent.length > 0) {
      const [first, ...rest] = line.unsent;
      if (first === undefined || this.#messages.spend(1, this.#shell.options.now()) > 0) return;
      line.unsent = rest;
      line.group.connection.send(JSON.stringify(this.#signed(first)));
    }
  }

  /** By the wall clock, which is what the venue compares with. */
  #signed(request: Request): Request {
    const key = this.#api.isSigned ? this.#key?.() : undefined;
    this.#unsigned = typeof key === 'string' ? key : undefined;
    return typeof key === 'object' ? { ...request, jwt: jwtOf(key, Date.now() / 1_000, randomUUID()) } : request;
  }

  /** The stream of its trades is dead: it is asked for anew. */
  #renewTrades(symbol: string): void {
    const { log, source } = this.#shell.options;
    const line = this.#lineOf(symbol);
    const listing = this.#shell.listingOf(symbol);
    if (line === undefined || listing === undefined) return;
    log.warn({ source, symbol }, 'trades are dead, asking for them anew');
    line.unsent = [...line.unsent, ...this.#api.renewTrades([listing.venueSymbol])];
    this.#flush(line);
  }

  async fetchTrades({ symbol, lastId }: MissedRange): Promise<readonly TradeFrame[] | undefined> {
    const listing = this.#shell.listingOf(symbol);
    if (listing === undefined) return undefined;
    const answer = await this.#shell.get(this.#api.tradesPath(listing.venueSymbol, lastId));
    return answer.kind === 'text' ? this.#api.decodeTrades(answer.text, listing) : undefined;
  }

  async #askTrade({ venueSymbol }: Listing): Promise<number | undefined> {
    const answer = await this.#shell.get(this.#api.tradePath(venueSymbol));
    return answer.kind === 'text' ? this.#api.decodeTrade(answer.text) : undefined;
  }

  /** The budget was asked before. Counts up when the best levels changed: nothing on Coinbase's streams numbers a book. */
  async #askTop(symbol: string): Promise<number | undefined> {
    const listing = this.#shell.listingOf(symbol);
    if (listing === undefined) return undefined;
    const answer = await this.#shell.get(this.#api.topPath(listing.venueSymbol));
    const text = answer.kind === 'text' ? this.#api.decodeTop(answer.text) : undefined;
    if (text === undefined) return undefined;
    const last = this.#tops.get(symbol);
    const version = last === undefined ? 0 : last.text === text ? last.version : last.version + 1;
    this.#tops.set(symbol, { text, version });
    return version;
  }
}
