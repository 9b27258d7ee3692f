// What ccxt gives (its "unified" structures) → listings and frames, pure. Rules are those of ccxt's manual (M):
//  M Market Structure: as the exchange says it, under one name.
//  M Precision: precisionMode says what market.precision means: 4 TICK_SIZE a step, 2 DECIMAL_PLACES digits after the point,
//    3 SIGNIFICANT_DIGITS, which is no step at all.
//  M Order Book: bids and asks are [price, amount], best first; watchOrderBook gives the whole book again and again.
//  M Public Trades: `side` is the taker's (but see MAKERS_SIDE); ids are strings, and whether they have an order is the exchange's affair.
// Numbers are JavaScript's, made from the exchange's decimal text: written out again they are that text (up to 15 digits),
// and from there it is integers.
import { isObject, jsonText } from '../../../contract/json.ts';
import { decimalsOfStep, parseFloored, parseScaled } from '../decimal.ts';
import type { BookFrame, ChangeFrame, Listing, Malformed, TradeFrame } from '../frame.ts';
import { malformed } from '../json.ts';
import { pushLevel } from '../levels.ts';

/** Levels per side that are kept: exchanges give between 10 and all. */
export const BOOK_LEVELS = 200;
const DECIMAL_PLACES = 2;
const TICK_SIZE = 4;

/** A number as decimal text without exponent: 1e-8 → 0.00000001; a text is left as it is. */
export function decimalText(value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const text = String(value);
  const [digits = '', exponent] = text.split('e-');
  if (exponent === undefined) return text;
  return `0.${'0'.repeat(Number(exponent) - 1)}${digits.replace('.', '')}`;
}

// {"id":"BTCUSDT","symbol":"BTC/USDT","active":true,"contract":false,"precision":{"amount":0.00001,"price":0.01},
//  "limits":{"amount":{"min":0.00001,"max":9000},"price":{"min":0.01,"max":1000000},"cost":{"min":5}},…}
/** The Listing of a market, or why there is none. */
export function listingOf(
  market: unknown,
  { symbol, venueSymbol, precisionMode }: { symbol: string; venueSymbol: string; precisionMode: number },
): Listing | string {
  if (!isObject(market)) return `${venueSymbol} is not listed: expected a name of ccxt, such as BTC/USDT`;
  if (market['contract'] === true && market['contractSize'] !== 1)
    return `${venueSymbol} has contractSize ${jsonText(market['contractSize'])}, expected 1`;
  const precision = objectIn(market, 'precision');
  const tick = stepOf(precision['price'], precisionMode);
  const lot = stepOf(precision['amount'], precisionMode);
  const priceDecimals = decimalsOfStep(tick);
  const quantityDecimals = decimalsOfStep(lot);
  if (priceDecimals === undefined) return unusable(venueSymbol, 'price', precision, precisionMode);
  if (quantityDecimals === undefined) return unusable(venueSymbol, 'amount', precision, precisionMode);
  const limits = objectIn(market, 'limits');
  const { min, max } = objectIn(limits, 'amount');
  const minNotional = parseScaled(decimalText(objectIn(limits, 'cost')['min']), 8);
  const maxLots = parseFloored(decimalText(max), quantityDecimals);
  return {
    symbol,
    venueSymbol,
    priceDecimals,
    quantityDecimals,
    minLots: Math.max(1, parseScaled(decimalText(min), quantityDecimals)),
    maxLots: maxLots > 0 ? maxLots : Number.MAX_SAFE_INTEGER,
    isLoose: true,
    instrument: {
      priceScale: 10 ** priceDecimals,
      quantityScale: 10 ** quantityDecimals,
      tickStep: parseScaled(tick, priceDecimals),
      lotStep: parseScaled(lot, quantityDecimals),
      minNotionalUsd: Math.max(0, minNotional) / 1e8,
    },
  };
}

/** M Market Structure: `active` is false where the exchange does not trade it now, undefined where it does not say. */
export const haltOf = (market: unknown): string | undefined =>
  isObject(market) && market['active'] === false ? 'not active' : undefined;

const objectIn = (within: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> => {
  const found = within[name];
  return isObject(found) ? found : {};
};

function stepOf(precision: unknown, mode: number): unknown {
  if (mode === TICK_SIZE) return decimalText(precision);
  if (mode !== DECIMAL_PLACES || typeof precision !== 'number' || precision < 0) return undefined;
  return precision === 0 ? '1' : `0.${'0'.repeat(precision - 1)}1`;
}

const unusable = (venueSymbol: string, name: string, precision: object, mode: number): string =>
  `${venueSymbol} has no usable precision.${name}: found ${JSON.stringify(precision)} with precisionMode ${mode}, expected a step`;

/** Lots by tick as a book was shown last. */
export interface Shown {
  readonly bids: ReadonlyMap<number, number>;
  readonly asks: ReadonlyMap<number, number>;
}

export interface ReadBook {
  readonly kind: 'read';
  readonly shown: Shown;
  readonly frame: BookFrame | ChangeFrame;
}

// {"bids":[[61837.63,3.78826],[61836.5,0.02]],"asks":[[61837.64,1.54698]],"timestamp":1723161255408,"nonce":50093239224,…}
/**
 * A whole book → what changed since `shown`, which says also that nothing did; the whole of it where nothing was shown
 * before. So what was taken from a level is forgotten only where the level changed.
 */
export function readBook(book: unknown, listing: Listing, shown: Shown | undefined): ReadBook | Malformed {
  if (!isObject(book)) return malformed('NotAnObject', 'orderBook');
  const bids = levelsOf(book['bids'], listing);
  const asks = levelsOf(book['asks'], listing);
  if (bids === undefined) return malformed('BadField', 'orderBook.bids');
  if (asks === undefined) return malformed('BadField', 'orderBook.asks');
  const { symbol } = listing;
  const frame: ReadBook['frame'] =
    shown === undefined
      ? { kind: 'book', symbol, bids: [...bids].flat(), asks: [...asks].flat() }
      : { kind: 'change', symbol, bids: changes(shown.bids, bids), asks: changes(shown.asks, asks), venueAt: 0 };
  return { kind: 'read', shown: { bids, asks }, frame };
}

/** A level of less than one lot has 0 lots, as one that is gone. */
function levelsOf(levels: unknown, listing: Listing): Map<number, number> | undefined {
  if (!Array.isArray(levels)) return undefined;
  const flat: number[] = [];
  const count = Math.min(levels.length, BOOK_LEVELS);
  for (let at = 0; at < count; at++) {
    const level: unknown = levels[at];
    if (!Array.isArray(level) || !pushLevel(flat, decimalText(level[0]), decimalText(level[1]), listing))
      return undefined;
  }
  const byTicks = new Map<number, number>();
  for (let at = 0; at < flat.length; at += 2) byTicks.set(flat[at] ?? 0, flat[at + 1] ?? 0);
  return byTicks;
}

function changes(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number[] {
  const flat: number[] = [];
  for (const [ticks, lots] of after) if (before.get(ticks) !== lots) flat.push(ticks, lots);
  for (const ticks of before.keys()) if (!after.has(ticks)) flat.push(ticks, 0);
  return flat;
}

/** Price and size of the best level of each side: what tells whether the exchange's book moved. */
export function topOf(book: unknown): string | undefined {
  if (!isObject(book) || !Array.isArray(book['bids']) || !Array.isArray(book['asks'])) return undefined;
  const best = (side: readonly unknown[]): unknown => (Array.isArray(side[0]) ? side[0].slice(0, 2) : side[0]);
  return JSON.stringify([best(book['bids']), best(book['asks'])]);
}

/**
 * Exchanges whose `side` of a public trade is the maker's, and which ccxt passes on as it is: Coinbase Advanced Trade ("WebSocket
 * Channels", market_trades; parseTrade of ccxt 4.5.84). For Coinbase Exchange ccxt turns it round itself.
 */
const MAKERS_SIDE: readonly string[] = ['coinbase', 'coinbaseadvanced'];

/**
 * Later than this no clock is wrong: the exchange has said another unit. Taken for the newest, it would make all that follow late,
 * for good.
 */
const AHEAD_MS = 86_400_000;

/** How far a symbol's trades were read. Changed in place. */
export interface Tape {
  readonly isMakersSide: boolean;
  /** The exchange's time of the newest, epoch ms; undefined: the next batch only tells where we are. */
  lastAt: number | undefined;
  /** Those of that very time. */
  readonly seen: Set<string>;
  /** Ours, without a hole: the exchange's ids say nothing that we could rely on. */
  tradeId: number;
}

export const newTape = (exchange = ''): Tape => ({
  isMakersSide: MAKERS_SIDE.includes(exchange),
  lastAt: undefined,
  seen: new Set(),
  tradeId: 0,
});

// [{"id":"3735683259","timestamp":1723161255342,"symbol":"BTC/USDT","side":"sell","price":61837.63,"amount":0.02,…}]
/**
 * A batch of trades, which may repeat earlier ones and brings history at first → those that are new, oldest first. One that
 * comes later than a younger one is left out; of those that share time, price, amount and side and have no id, all but one.
 * `now` is epoch ms by the wall clock.
 */
export function readTrades(
  trades: unknown,
  listing: Listing,
  tape: Tape,
  now: number,
): { readonly frames: readonly TradeFrame[]; readonly bad: readonly Malformed[] } {
  if (!Array.isArray(trades)) return { frames: [], bad: [malformed('BadField', 'trades')] };
  const read = trades.map((trade: unknown) => readTrade(trade, listing, now));
  const bad = read.filter((one) => 'kind' in one);
  const good = read.filter((one) => 'at' in one).sort((a, b) => a.at - b.at);
  const isFirst = tape.lastAt === undefined;
  const fresh = good.filter((trade) => isNew(tape, trade));
  if (isFirst) {
    tape.lastAt ??= 0;
    return { frames: [], bad };
  }
  const { symbol } = listing;
  const frames = fresh.map(({ at, ticks, lots, sellerTook }): TradeFrame => {
    tape.tradeId += 1;
    const { isMakersSide, tradeId } = tape;
    return { kind: 'trade', symbol, tradeId, ticks, lots, sellerTook: sellerTook !== isMakersSide, venueAt: at };
  });
  return { frames, bad };
}

interface Read {
  readonly at: number;
  readonly key: string;
  readonly ticks: number;
  readonly lots: number;
  readonly sellerTook: boolean;
}

function isNew(tape: Tape, { at, key }: Read): boolean {
  const lastAt = tape.lastAt ?? -1;
  if (at < lastAt || (at === lastAt && tape.seen.has(key))) return false;
  if (at > lastAt) tape.seen.clear();
  tape.lastAt = at;
  tape.seen.add(key);
  return true;
}

function readTrade(trade: unknown, { priceDecimals, quantityDecimals }: Listing, now: number): Read | Malformed {
  if (!isObject(trade)) return malformed('NotAnObject', 'trade');
  const { timestamp: at, side, id, price, amount } = trade;
  const ticks = parseScaled(decimalText(price), priceDecimals);
  const lots = parseFloored(decimalText(amount), quantityDecimals);
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at > now + AHEAD_MS)
    return malformed('BadField', 'trade.timestamp');
  if (ticks <= 0) return malformed('BadField', 'trade.price');
  if (lots < 0) return malformed('BadField', 'trade.amount');
  if (side !== 'buy' && side !== 'sell') return malformed('BadField', 'trade.side');
  const key = typeof id === 'string' ? id : `${ticks}:${lots}:${side}`;
  return { at, key, ticks, lots, sellerTook: side === 'sell' };
}

/** When the newest of these trades was, epoch ms; undefined where that cannot be read. `now` as in readTrades. */
export function newestAt(trades: unknown, now: number): number | undefined {
  const times = (Array.isArray(trades) ? trades : []).map((trade: unknown) =>
    isObject(trade) ? trade['timestamp'] : 0,
  );
  const newest = Math.max(...times.filter((at): at is number => typeof at === 'number' && at <= now + AHEAD_MS));
  return Number.isFinite(newest) ? newest : undefined;
}
