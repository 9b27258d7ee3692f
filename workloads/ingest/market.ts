// One symbol's market: book, best level, trades and grid, moved on by frames. Pure (state changed in place, no clock);
// driven by step.ts, read by features.ts and the paper venue.
import {
  applyLevels,
  bestLots,
  bestTicks,
  clearBook,
  emptyBook,
  isOrderly,
  setBook,
  type Book,
  type BookSide,
} from './book.ts';
import { closeCells, emptyGrid, type Grid } from './grid.ts';
import { addTrade, emptyWindow, type TradeWindow } from './trade-window.ts';
import { ageAt, noteLag, noteTrade, type Lateness } from './lateness.ts';
import type {
  BookFrame,
  ChangeFrame,
  DepthFrame,
  Listing,
  MarketFrame,
  Snapshot,
  TickerFrame,
  TradeFrame,
  TradeMarkFrame,
} from './venue/frame.ts';
import type { VenueClock } from './venue/lag.ts';
import { buffered, spliceOnto, verdictOn } from './venue/splice.ts';
import { progressOf, WAITING, type BookSync } from './venue/sync.ts';

/** One connection to a venue; its symbols share its pulse. Changed in place. */
export interface Link {
  readonly source: string;
  up: boolean;
  /** `t` of the last frame or heartbeat; 0 = never. */
  heardAt: number;
  /** As of lateness.ts. */
  readonly clock?: VenueClock;
}

/** Best level of both sides, 0 where a side is empty. Changed in place. */
export interface Best {
  bidTicks: number;
  bidLots: number;
  askTicks: number;
  askLots: number;
}

/** Changed in place by the functions of this file only. */
export interface Market extends Lateness {
  readonly symbol: string;
  listing: Listing;
  readonly link: Link;
  readonly book: Book;
  sync: BookSync;
  /** The last bookTicker: ahead of the book by up to one batch of 100 ms. */
  ticker: TickerFrame | undefined;
  /** Since when the book owes an update: a bookTicker is ahead of it, or a trade changed it; 0 = it does not. */
  aheadSince: number;
  readonly best: Best;
  /** Why its venue does not trade it, by the venue's own word; undefined while it does. */
  halted: string | undefined;
  /** The book is spliced, continuous, two-sided and not crossed, its connection is up, and its venue trades it. */
  valid: boolean;
  /** Last valid mid in quote currency, 0 = none yet, and when it was last known valid. */
  mid: number;
  midAt: number;
  lastTradeId: number;
  /** A trade that the venue named as its last, and when it did; it counts as missed unless it comes. */
  markedTradeId: number;
  markedAt: number;
  frames: number;
  trades: number;
  tradedLots: number;
  readonly window: TradeWindow;
  readonly grid: Grid;
}

/**
 * What an event did. Changed: readers want to know. SnapshotWanted: the book is out until one has joined. Stalled: it is
 * out until its stream, which went dead though the connection lives, is heard again; then it asks for a snapshot.
 */
export type Effect =
  | { readonly kind: 'None' }
  | { readonly kind: 'Changed' }
  | { readonly kind: 'SnapshotWanted'; readonly because: 'Start' | 'Gap' | 'Crossed' | 'TooOld' }
  | { readonly kind: 'Stalled' }
  /** `count` ids up to and with `lastId`. */
  | { readonly kind: 'TradesMissed'; readonly count: number; readonly lastId: number };

/** A book's stream is at most one batch of 100 ms behind the bookTicker or the trades of the same book; later, it is dead. */
const MAX_AHEAD_MS = 2_000;
/** How much earlier than a trade the update that it caused may come: trades come in batches of 250 ms on some venues. */
const MAX_EARLY_MS = 1_000;
/** The venue names its last trade in heartbeats, a second apart. */
const MAX_NAMED_MS = 1_000;
/** A trade that the venue named comes within this, or was lost. */
const MAX_TRADE_LAG_MS = 2_000;

const NONE: Effect = { kind: 'None' };
const CHANGED: Effect = { kind: 'Changed' };

export function newMarket(listing: Listing, link: Link): Market {
  return {
    symbol: listing.symbol,
    listing,
    link,
    book: emptyBook(),
    sync: WAITING,
    ticker: undefined,
    aheadSince: 0,
    lagMs: 0,
    lagAt: 0,
    best: { bidTicks: 0, bidLots: 0, askTicks: 0, askLots: 0 },
    halted: undefined,
    valid: false,
    mid: 0,
    midAt: 0,
    lastTradeId: 0,
    markedTradeId: 0,
    markedAt: 0,
    frames: 0,
    trades: 0,
    tradedLots: 0,
    window: emptyWindow(),
    grid: emptyGrid(),
  };
}

/** Grows with each update that the book took; −1 while it is out. */
export const bookId = ({ sync }: Market): number => progressOf(sync);

/** Grid cells that ended by `t` get their point; true where one did. To be called before anything at `t` is applied. */
export function closeGrid(market: Market, t: number): boolean {
  if (t < market.grid.cellEnd) return false;
  return closeCells(market.grid, t, market.mid, market.valid ? t - ageAt(market, t) : market.midAt);
}

/** One frame at `t`. A repeated frame (two connections overlap during a planned reconnect) changes nothing. */
export function applyFrame(market: Market, frame: MarketFrame, t: number): Effect {
  market.frames += 1;
  switch (frame.kind) {
    case 'ticker':
      return applyTicker(market, frame, t);
    case 'trade':
      return applyTrade(market, frame, t);
    case 'depth':
      return applyDepth(market, frame, t);
    case 'book':
      return applyBook(market, frame, t);
    case 'change':
      return applyChange(market, frame, t);
    case 'tradeMark':
      return applyMark(market, frame, t);
  }
}

/**
 * A snapshot that was asked for. It may come late, when the book is live again, or its stream is dead and nothing would
 * follow on it: then it is left aside.
 */
export function applySnapshot(market: Market, snapshot: Snapshot, t: number): Effect {
  if (market.sync.phase !== 'Buffering') return NONE;
  const splice = spliceOnto(snapshot, market.sync.events);
  if (splice.kind === 'TooOld') return { kind: 'SnapshotWanted', because: 'TooOld' };
  if (splice.kind === 'Gap') {
    market.sync = { phase: 'Buffering', events: splice.events };
    return { kind: 'SnapshotWanted', because: 'Gap' };
  }
  clearBook(market.book);
  applyLevels(market.book, snapshot.bids, snapshot.asks);
  for (const event of splice.events) applyLevels(market.book, event.bids, event.asks);
  market.sync = { phase: 'Live', lastId: splice.lastId };
  return settle(market, t);
}

/** The connection is gone: the book is out until it is spliced again. */
export function loseLink(market: Market, t: number): Effect {
  market.sync = WAITING;
  market.ticker = undefined;
  market.lagMs = 0;
  market.lastTradeId = 0; // what was missed meanwhile is the outage, not a gap of the stream
  market.markedTradeId = 0;
  return refresh(market, t) ? CHANGED : NONE;
}

/** The venue's book moved on without ours, though the connection lives: only this book is out. */
export function loseStream(market: Market, t: number): Effect {
  if (market.sync.phase === 'Waiting') return NONE;
  market.sync = WAITING;
  refresh(market, t);
  return { kind: 'Stalled' };
}

/** Messages of the book's stream were lost or could not be read: it is out until a snapshot came. */
export function loseUpdates(market: Market, t: number): Effect {
  if (market.sync.phase === 'Waiting') return NONE;
  market.sync = WAITING;
  refresh(market, t);
  return { kind: 'SnapshotWanted', because: 'Gap' };
}

/**
 * The venue trades the symbol no more, for the reason that it gives, or (undefined) again. Meanwhile the book goes on as its stream
 * does; it counts again where it is in order then.
 */
export function setHalted(market: Market, halted: string | undefined, t: number): Effect {
  market.halted = halted;
  const effect = bookId(market) < 0 ? NONE : settle(market, t);
  if (effect.kind === 'None') refresh(market, t);
  return effect.kind === 'None' ? CHANGED : effect;
}

/** Nothing was looked at for a while: what is behind may have come meanwhile, and is given its time again. */
export function excuse(market: Market, t: number): void {
  if (market.aheadSince > 0) market.aheadSince = t;
}

/** Whether the book's stream has fallen behind the bookTicker, or the trades, for good. */
export const isStalled = ({ aheadSince }: Market, t: number): boolean =>
  aheadSince > 0 && t - aheadSince > MAX_AHEAD_MS;

/** Ticks of the visible levels on the side that an order takes from, best first, no worse than `limitTicks`. */
export function visibleLevels(market: Market, side: 'bids' | 'asks', limitTicks: number): readonly Level[] {
  const levels: Level[] = [];
  const { best, book } = market;
  const bestOf = side === 'bids' ? best.bidTicks : best.askTicks;
  const sign = side === 'bids' ? 1 : -1;
  if (bestOf === 0 || sign * bestOf < sign * limitTicks) return levels;
  levels.push({ ticks: bestOf, lots: side === 'bids' ? best.bidLots : best.askLots });
  pushBehind(book[side], bestOf, limitTicks, levels);
  return levels;
}

export interface Level {
  readonly ticks: number;
  readonly lots: number;
}

/** Levels of the book worse than the best (which a newer bookTicker may have moved) and no worse than the limit. */
function pushBehind(side: BookSide, bestOf: number, limitTicks: number, levels: Level[]): void {
  const bestKey = side.sign * bestOf;
  const limitKey = side.sign * limitTicks;
  for (let at = side.size - 1; at >= 0 && levels.length < MAX_WALK; at--) {
    const key = side.keys[at] ?? 0;
    if (key < limitKey) return;
    if (key < bestKey) levels.push({ ticks: side.sign * key, lots: side.lots[at] ?? 0 });
  }
}

/** Levels that one order may walk. */
const MAX_WALK = 1_000;

function applyTicker(market: Market, frame: TickerFrame, t: number): Effect {
  if (market.ticker !== undefined && frame.updateId <= market.ticker.updateId) return NONE;
  market.ticker = frame;
  if (market.aheadSince === 0) market.aheadSince = aheadSince(market, t);
  return refresh(market, t) ? CHANGED : NONE;
}

function applyTrade(market: Market, frame: TradeFrame, t: number): Effect {
  const { lastTradeId } = market;
  if (frame.tradeId <= lastTradeId) return NONE;
  market.lastTradeId = frame.tradeId;
  noteTrade(market, frame.venueAt, t);
  market.trades += 1;
  market.tradedLots += frame.lots;
  addTrade(market.window, t, frame.lots, frame.sellerTook);
  owe(market, t, MAX_EARLY_MS);
  return missedTrades(lastTradeId === 0 ? 0 : frame.tradeId - lastTradeId - 1, frame.tradeId - 1);
}

const missedTrades = (count: number, lastId: number): Effect =>
  count > 0 ? { kind: 'TradesMissed', count, lastId } : CHANGED;

/** Trades that the stream left out, found elsewhere: for the sums; when they happened is not now. */
export function addMissed(market: Market, trades: readonly TradeFrame[]): Effect {
  market.trades += trades.length;
  market.tradedLots += trades.reduce((sum, { lots }) => sum + lots, 0);
  return CHANGED;
}

/** A trade takes from a level of the book: an update that says so came just before it, by `earlyMs` at most, or will. */
function owe(market: Market, t: number, earlyMs: number): void {
  if (market.listing.isLoose === true) return;
  const { sync, aheadSince: since } = market;
  if (sync.phase === 'Following' && since === 0 && t - sync.changedAt > earlyMs) market.aheadSince = t;
}

/** Trades before the first mark of a connection are none of ours; later ones have their time to come. */
function applyMark(market: Market, { tradeId }: TradeMarkFrame, t: number): Effect {
  if (market.lastTradeId === 0) {
    market.lastTradeId = tradeId;
    return NONE;
  }
  if (tradeId > Math.max(market.lastTradeId, market.markedTradeId)) owe(market, t, MAX_EARLY_MS + MAX_NAMED_MS);
  const missed = market.markedTradeId - market.lastTradeId;
  const isOverdue = missed > 0 && t - market.markedAt > MAX_TRADE_LAG_MS;
  if (isOverdue) market.lastTradeId = market.markedTradeId;
  if ((isOverdue || missed <= 0) && tradeId > market.lastTradeId) {
    market.markedTradeId = tradeId;
    market.markedAt = t;
  }
  return isOverdue ? missedTrades(missed, market.lastTradeId) : NONE;
}

function applyBook(market: Market, { bids, asks }: BookFrame, t: number): Effect {
  setBook(market.book, bids, asks);
  market.sync = { phase: 'Following', changes: Math.max(0, bookId(market)), changedAt: t };
  return settle(market, t);
}

/** Without its snapshot an update says nothing: it is left aside, and the snapshot is on its way. */
function applyChange(market: Market, { bids, asks, venueAt }: ChangeFrame, t: number): Effect {
  noteLag(market, venueAt, t);
  const { sync } = market;
  if (sync.phase !== 'Following') return NONE;
  applyLevels(market.book, bids, asks);
  sync.changes += 1;
  sync.changedAt = t;
  return settle(market, t);
}

function applyDepth(market: Market, frame: DepthFrame, t: number): Effect {
  // One that the book has, which two connections give, says when the second gave it.
  if (frame.lastId > bookId(market)) noteLag(market, frame.venueAt, t);
  if (market.sync.phase !== 'Live') {
    const because = market.sync.phase === 'Waiting' ? 'Start' : undefined;
    market.sync = buffered(market.sync, frame);
    return because === undefined ? NONE : { kind: 'SnapshotWanted', because };
  }
  const verdict = verdictOn(frame, market.sync.lastId);
  if (verdict === 'Stale') return NONE;
  if (verdict === 'Gap') {
    market.sync = buffered(WAITING, frame);
    refresh(market, t);
    return { kind: 'SnapshotWanted', because: 'Gap' };
  }
  applyLevels(market.book, frame.bids, frame.asks);
  market.sync.lastId = frame.lastId;
  const effect = settle(market, t);
  // A snapshot from before the update that crossed it would put the book back.
  if (effect.kind === 'SnapshotWanted') market.sync = buffered(WAITING, frame);
  return effect;
}

/** `t` where the bookTicker is ahead of a live book, else 0. */
const aheadSince = ({ ticker, sync }: Market, t: number): number =>
  sync.phase === 'Live' && ticker !== undefined && ticker.updateId > sync.lastId ? t : 0;

/** After the book changed: a book that crosses itself has lost an update, whatever its ids say; but not that of an auction. */
function settle(market: Market, t: number): Effect {
  market.aheadSince = aheadSince(market, t);
  const bid = bestTicks(market.book.bids);
  const ask = bestTicks(market.book.asks);
  if (bid > 0 && ask > 0 && bid >= ask && market.halted === undefined) {
    market.sync = market.sync.phase === 'Following' ? WAITING : { phase: 'Buffering', events: [] };
    refresh(market, t);
    return { kind: 'SnapshotWanted', because: 'Crossed' };
  }
  return refresh(market, t) ? CHANGED : NONE;
}

/** Recomputes best level, validity and mid; whether one of them changed. */
function refresh(market: Market, t: number): boolean {
  if (bookId(market) < 0) market.aheadSince = 0;
  const { best, ticker, book } = market;
  const wasValid = market.valid;
  const id = bookId(market);
  const moved =
    ticker !== undefined && ticker.updateId > id
      ? setBest(best, ticker.bidTicks, ticker.bidLots, ticker.askTicks, ticker.askLots)
      : setBest(best, bestTicks(book.bids), bestLots(book.bids), bestTicks(book.asks), bestLots(book.asks));
  const isInForce = id >= 0 && market.link.up && market.halted === undefined;
  market.valid = isInForce && isOrderly(best.bidTicks, best.askTicks);
  if (market.valid) market.mid = (best.bidTicks + best.askTicks) / (2 * market.listing.instrument.priceScale);
  if (market.valid || wasValid) market.midAt = t;
  return moved || market.valid !== wasValid;
}

// eslint-disable-next-line max-params -- four numbers of one level, on the hottest path: no object
function setBest(best: Best, bidTicks: number, bidLots: number, askTicks: number, askLots: number): boolean {
  if (
    best.bidTicks === bidTicks &&
    best.bidLots === bidLots &&
    best.askTicks === askTicks &&
    best.askLots === askLots
  ) {
    return false;
  }
  best.bidTicks = bidTicks;
  best.bidLots = bidLots;
  best.askTicks = askTicks;
  best.askLots = askLots;
  return true;
}
