// The shell that the feeds of all venues share: the venue's listings first, then connections that share out its symbols, REST
// within its budget, and a tick. What a venue adds (a Venue) knows its messages; this knows none.
import { setTimeout as delay } from 'node:timers/promises';
import type { DailyClose } from '../../contract/bars.ts';
import type { Link } from '../market.ts';
import { Connection, type Timing } from './connection.ts';
import type { Feed, FeedOptions } from './feed.ts';
import type { Filters, Listing, Listings, TradeFrame } from './frame.ts';
import { getText, type Answer } from './http.ts';
import { isBehind, newVenueClock } from './lag.ts';
import { backoffMs, type Budget } from './limits.ts';
import { MissedTrades, type MissedRange } from './missed-trades.ts';
import { Silences, type SilenceOptions } from './silences.ts';
import { Standings } from './standings.ts';
import { QUIET_MS, STATUS_TIMING, StatusWatch, type StatusTiming, type Wanted } from './status-watch.ts';

const TICK_MS = 100;

/** The symbols of one connection. */
export interface Group {
  readonly listings: readonly Listing[];
  readonly link: Link;
  readonly connection: Connection;
}

/** What a venue allows of one pod. */
export interface Limits {
  readonly symbolsPerConnection: number;
  readonly dials: Budget;
  /** In the venue's weights. */
  readonly rest: Budget;
  readonly timing: Timing;
  readonly status?: StatusTiming;
  readonly late: LateTiming;
}

/** A connection all of whose books are late is made anew, as its queue may be to blame. */
export interface LateTiming {
  readonly afterMs: number;
  /** Where that does not help, it is not done again before. */
  readonly everyMs: number;
}

export const LATE: LateTiming = { afterMs: 30_000, everyMs: 300_000 };

export interface Venue {
  /** Of all symbols. Never rejects. */
  readListings(): Promise<Filters>;
  /** The same of some of them, later, by the cheapest way for so many; and what that costs, in the venue's weights. */
  readStatus(wanted: Wanted): Promise<Filters>;
  statusWeight(symbols: number): number;
  /** Symbols of one question at most. */
  readonly statusAtOnce: number;
  /** The venue trades it again: where its stream was not to be had before, it is asked for. */
  resumed?(symbol: string): void;
  /** As Feed.dailyCloses, by the venue's name. */
  dailyCloses(venueSymbol: string): Promise<readonly DailyClose[] | undefined>;
  url(listings: readonly Listing[]): string;
  onText(group: Group, text: string, t: number): void;
  onUp(group: Group, t: number): void;
  onDown(group: Group): void;
  /** Several times a second, from the first connection on. */
  tick(t: number): void;
  wantSnapshot(symbol: string): void;
  renew(symbol: string): void;
  /** The venue's trades around a range, undefined where it could not be asked; the budget was asked before. */
  fetchTrades(range: MissedRange): Promise<readonly TradeFrame[] | undefined>;
  /** What that costs, in the venue's weights. */
  readonly tradesWeight: number;
  /** Why the venue does not give what it was asked for, where it said so. */
  trouble(): string | undefined;
}

interface TradeWatch extends Pick<SilenceOptions, 'weight' | 'timing'> {
  /** The id of the venue's last trade; its weight was spent before. Undefined where it could not be asked. */
  readonly askLast: (listing: Listing) => Promise<number | undefined>;
  readonly renew: (symbol: string) => void;
}

export class FeedShell implements Feed {
  readonly options: FeedOptions;
  readonly rest: Budget;
  readonly groups: Group[] = [];
  readonly #limits: Limits;
  readonly #venue: Venue;
  readonly #missed: MissedTrades;
  readonly #statuses: StatusWatch;
  readonly #stop = new AbortController();
  /** The venue said 429 or 418: whoever goes on asking is banned. */
  #restUntil = 0;
  readonly #standings: Standings;
  /** Until listings were read once. */
  #unread: string | undefined = 'listings not read yet';
  /** When a connection was last made anew for being late. */
  readonly #lateAt = new Map<Group, number>();

  /** `venueOf` is given this shell before it runs. */
  constructor(options: FeedOptions, limits: Limits, venueOf: (shell: FeedShell) => Venue) {
    this.options = options;
    this.rest = limits.rest;
    this.#limits = limits;
    this.#venue = venueOf(this);
    const { now, random, log, source } = options;
    this.#standings = new Standings({ source, log, now, emit: (event) => this.emit(event) });
    this.#statuses = new StatusWatch({
      read: (wanted) => this.#venue.readStatus(wanted),
      onRead: (wanted, filters) => this.#onStatus(wanted, filters),
      onFailed: (reason) => {
        if (!this.#stop.signal.aborted) log.warn({ source, reason }, 'status of symbols not read, trying again');
      },
      timing: limits.status ?? STATUS_TIMING,
      atOnce: this.#venue.statusAtOnce,
      weightOf: (symbols) => this.#venue.statusWeight(symbols),
      budget: limits.rest,
      now,
      random,
    });
    this.#missed = new MissedTrades({
      fetch: (range) => this.#venue.fetchTrades(range),
      budget: limits.rest,
      weight: this.#venue.tradesWeight,
      now,
      onFound: (symbol, trades) => this.emit({ kind: 'tradesFound', symbol, trades, t: now() }),
    });
  }

  get listings(): Listings {
    return this.#standings.listings;
  }

  wantSnapshot(symbol: string): void {
    this.#venue.wantSnapshot(symbol);
  }

  wantTrades(range: MissedRange): void {
    this.#missed.want(range);
  }

  async dailyCloses(symbol: string): Promise<readonly DailyClose[] | undefined> {
    const listing = this.listingOf(symbol);
    return listing === undefined ? undefined : this.#venue.dailyCloses(listing.venueSymbol);
  }

  renew(symbol: string): void {
    this.#venue.renew(symbol);
  }

  status(): ReturnType<Feed['status']> {
    const up = this.groups.filter(({ connection }) => connection.isUp).length;
    const reason = this.#unread ?? this.#standings.reason() ?? this.#venue.trouble();
    return {
      connected: up > 0 && up === this.groups.length,
      reconnects: this.groups.reduce((sum, { connection }) => sum + Math.max(0, connection.reconnects), 0),
      ...(reason === undefined ? {} : { reason }),
    };
  }

  stop(): void {
    this.#stop.abort();
    for (const { connection } of this.groups) connection.stop();
  }

  /** Tries for ever until stopped; never rejects. */
  async run(): Promise<void> {
    const filters = await this.#readListings();
    if (filters === undefined) return;
    this.#statuses.begin(this.options.symbols, filters);
    this.#onStatus(this.options.symbols, filters);
    while (!this.#stop.signal.aborted) {
      this.#venue.tick(this.options.now());
      this.#missed.tick();
      this.#statuses.tick();
      this.#renewLate();
      await this.#pause(TICK_MS);
    }
  }

  /** Silent books are compared with the venue's own: one whose stream is dead is out, and asked for anew. */
  watchBooks(watch: Pick<SilenceOptions, 'askId' | 'weight' | 'timing'>): Silences {
    return this.#watch({
      ...watch,
      quiet: { afterMs: QUIET_MS, on: (symbol) => this.#hurry(symbol) },
      onStalled: (symbol) => {
        this.emit({ kind: 'stalled', symbol, t: this.options.now() });
        this.renew(symbol);
      },
    });
  }

  /**
   * Silent trades are compared with the venue's own. What it names as its last counts as missed unless it comes; `renew` asks for a
   * stream anew that is dead.
   */
  watchTrades({ askLast, renew, weight, timing }: TradeWatch): Silences {
    const named = new Map<string, number>();
    const mark = (symbol: string): void => {
      const tradeId = named.get(symbol);
      const frame = { kind: 'tradeMark', symbol, tradeId: tradeId ?? 0 } as const;
      if (tradeId !== undefined) this.emit({ kind: 'frame', frame, t: this.options.now() });
    };
    return this.#watch({
      weight,
      timing,
      askId: async (symbol) => {
        const listing = this.listingOf(symbol);
        const tradeId = listing === undefined ? undefined : await askLast(listing);
        if (tradeId === undefined) return undefined;
        named.set(symbol, tradeId);
        mark(symbol);
        return tradeId;
      },
      onStalled: (symbol) => {
        mark(symbol);
        renew(symbol);
      },
    });
  }

  #watch(watch: Omit<SilenceOptions, 'budget' | 'now'>): Silences {
    return new Silences({ ...watch, budget: this.rest, now: this.options.now });
  }

  groupOf(symbol: string): Group | undefined {
    return this.groups.find(({ listings }) => listings.some((listing) => listing.symbol === symbol));
  }

  listingOf(symbol: string): Listing | undefined {
    return this.groupOf(symbol)?.listings.find((listing) => listing.symbol === symbol);
  }

  emit(event: Parameters<FeedOptions['emit']>[0]): void {
    if (this.#stop.signal.aborted) return;
    // Who trades is not halted any more, or was not.
    if (event.kind === 'frame' && event.frame.kind === 'trade' && this.#standings.isHalted(event.frame.symbol))
      this.#hurry(event.frame.symbol);
    this.options.emit(event);
  }

  #hurry(symbol: string): void {
    const listing = this.listingOf(symbol);
    if (listing !== undefined) this.#statuses.hurry(listing.venueSymbol);
  }

  /** One REST request, when the budget allows it. */
  async ask(path: string, weight: number): Promise<Answer> {
    const { now } = this.options;
    for (let wait = this.rest.spend(weight, now()); wait > 0; wait = this.rest.spend(weight, now())) {
      await this.#pause(wait);
      if (this.#stop.signal.aborted) break;
    }
    return this.get(path);
  }

  /** One REST request whose weight was spent before; while the venue wants none, it is not made. */
  async get(path: string): Promise<Answer> {
    const { now, endpoints } = this.options;
    const afterMs = this.#restUntil - now();
    if (afterMs > 0) return { kind: 'retry', reason: 'the venue wants no requests', afterMs };
    const answer = await getText(endpoints.rest + path, this.#stop.signal);
    if (answer.kind === 'retry') this.#restUntil = Math.max(this.#restUntil, now() + answer.afterMs);
    return answer;
  }

  /** Listings first: without them no price can be read. Undefined where it was stopped before. */
  async #readListings(): Promise<Extract<Filters, { kind: 'filters' }> | undefined> {
    const { random, log } = this.options;
    const { firstRetryMs: firstMs, slowestRetryMs: ceilingMs } = this.#limits.timing;
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      const filters = await this.#venue.readListings();
      if (this.#stop.signal.aborted) return undefined;
      if (filters.kind === 'filters') {
        this.#unread = undefined;
        return filters;
      }
      this.#unread = `listings not read: ${filters.reason}`;
      log.warn({ reason: filters.reason }, 'listings not read, trying again');
      await this.#pause(Math.max(backoffMs(failures, random(), { firstMs, ceilingMs }), filters.afterMs));
    }
    return undefined;
  }

  /** What the venue says of some symbols now: those that are new get connections of their own, so that no other's is touched. */
  #onStatus(wanted: Wanted, filters: Extract<Filters, { kind: 'filters' }>): void {
    const fresh = this.#standings.begin(filters);
    const { symbolsPerConnection } = this.#limits;
    for (let at = 0; at < fresh.length; at += symbolsPerConnection) {
      this.#connect(fresh.slice(at, at + symbolsPerConnection));
    }
    for (const symbol of this.#standings.take(wanted, filters)) this.#venue.resumed?.(symbol);
  }

  #renewLate(): void {
    const { source, now, log } = this.options;
    const { afterMs, everyMs } = this.#limits.late;
    const at = now();
    for (const group of this.groups) {
      const { link, connection, listings } = group;
      const isLate = link.up && link.clock !== undefined && isBehind(link.clock, afterMs, at);
      if (!isLate || at - (this.#lateAt.get(group) ?? -Infinity) < everyMs) continue;
      this.#lateAt.set(group, at);
      log.warn({ source, symbols: listings.length }, 'behind the venue for too long, connecting anew');
      connection.drop(`behind the venue for ${afterMs} ms`);
    }
  }

  #pause(ms: number): Promise<unknown> {
    return delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  #connect(listings: readonly Listing[]): void {
    const { source, now, random, log } = this.options;
    const clock = this.options.isRecorded === true ? {} : { clock: newVenueClock() };
    const link: Link = { source, up: false, heardAt: 0, ...clock };
    const group: Group = {
      listings,
      link,
      connection: new Connection({
        url: this.#venue.url(listings),
        timing: spread(this.#limits.timing, random()),
        now,
        random,
        admit: (at) => this.#limits.dials.spend(1, at),
        onText: (text, t) => this.#venue.onText(group, text, t),
        onPulse: (t) => this.emit({ kind: 'heard', link, t }),
        onUp: (t) => {
          log.info({ source, symbols: listings.length }, 'connected');
          this.emit({ kind: 'linkUp', link, t });
          this.#venue.onUp(group, t);
        },
        onDown: (t, reason) => {
          log.warn({ source, reason }, 'connection lost, reconnecting');
          this.#venue.onDown(group);
          this.emit({ kind: 'linkDown', link, t });
        },
      }),
    };
    for (const listing of listings) this.emit({ kind: 'listed', listing, link, t: now() });
    this.groups.push(group);
    group.connection.start();
  }
}

/** Up to half an hour of a day earlier for each, so that pods do not replace their connections together. */
const spread = (timing: Timing, random: number): Timing => ({
  ...timing,
  replaceMs: timing.replaceMs * (1 - random / 48),
});
