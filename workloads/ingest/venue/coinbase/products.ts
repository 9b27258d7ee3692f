// Coinbase's products → listings, and the best levels by REST, of both APIs. Pure; called by the feeds.
import { isObject, jsonText, parseJson, type Json } from '../../../contract/json.ts';
import { decimalsOfStep, parseFloored, parseScaled } from '../decimal.ts';
import type { Filters, Listing, TradeFrame } from '../frame.ts';
import type { StatusOfFew } from './message.ts';
import { epochMs, isId } from '../json.ts';
import { MOST_TRADES } from '../missed-trades.ts';

type Wanted = ReadonlyMap<string, string>;

export const ADVANCED_PRODUCTS = '/api/v3/brokerage/market/products?product_type=SPOT';

/** What both APIs say of a product, under one name. */
interface Product {
  readonly id: unknown;
  readonly tick: unknown;
  readonly lot: unknown;
  readonly minSize: unknown;
  readonly maxSize: unknown;
  /** In quote currency. */
  readonly minNotional: unknown;
  readonly state: Json;
}

// GET /products   (Exchange: no order size limits since its changelog of 30 June 2022, min_market_funds is the least notional)
// [{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","quote_increment":"0.01","base_increment":"0.00000001",
//   "display_name":"BTC-USD","min_market_funds":"1","post_only":false,"limit_only":false,"cancel_only":false,
//   "status":"online","status_message":"","trading_disabled":false,"auction_mode":false}]
export const exchangeProducts = (text: string, wanted: Wanted): Filters =>
  listingsIn(parseJson(text), wanted, (product) => ({
    id: product['id'],
    tick: product['quote_increment'],
    lot: product['base_increment'],
    minSize: product['base_min_size'],
    maxSize: product['base_max_size'],
    minNotional: product['min_market_funds'],
    state: product,
  }));

// GET /api/v3/brokerage/market/products
// {"products":[{"product_id":"BTC-USD","price":"97000.01","base_increment":"0.00000001","quote_increment":"0.01",
//   "price_increment":"0.01","quote_min_size":"1","base_min_size":"0.00000001","base_max_size":"3400","is_disabled":false,
//   "status":"online","cancel_only":false,"limit_only":false,"post_only":false,"trading_disabled":false,
//   "auction_mode":false,"product_type":"SPOT","alias":""}],"num_products":1}
export function advancedProducts(text: string, wanted: Wanted): Filters {
  const parsed = parseJson(text);
  return listingsIn(isObject(parsed) ? parsed['products'] : undefined, wanted, (product) => ({
    id: product['product_id'],
    tick: product['price_increment'] ?? product['quote_increment'],
    lot: product['base_increment'],
    minSize: product['base_min_size'],
    maxSize: product['base_max_size'],
    minNotional: product['quote_min_size'],
    state: product,
  }));
}

/**
 * By "Get single product", some 700 bytes. "Get all trading pairs", and the channel `status` every 5 s, have every product and
 * currency of the venue, several 100 kB.
 */
export const exchangeFew: StatusOfFew = {
  perQuestion: 1,
  mostQuestions: 10,
  path: ([product = '']) => `/products/${encodeURIComponent(product)}`,
  decode: (text, wanted) => {
    const product = parseJson(text);
    const id = isObject(product) ? product['id'] : undefined;
    return typeof id === 'string' && wanted.has(id)
      ? exchangeProducts(`[${text}]`, wanted)
      : unreadable('the product that was asked for');
  },
};

/** "List Public Products": `product_ids`, once for each. Its channel `status` tells no flag but the status itself. */
export const advancedFew: StatusOfFew = {
  perQuestion: 50,
  mostQuestions: 10,
  path: (products) =>
    `${ADVANCED_PRODUCTS}&${products.map((product) => `product_ids=${encodeURIComponent(product)}`).join('&')}`,
  decode: (text, wanted) => advancedProducts(text, wanted),
};

const unreadable = (expected: string): Filters => ({
  kind: 'retry',
  reason: `unreadable: expected ${expected}`,
  afterMs: 0,
});

function listingsIn(products: unknown, wanted: Wanted, read: (product: Json) => Product): Filters {
  if (!Array.isArray(products)) return unreadable('a list of products');
  const byId = new Map(products.filter(isObject).map((entry) => [read(entry).id, read(entry)]));
  const listings = new Map<string, Listing>();
  const refused = new Map<string, string>();
  const halted = new Map<string, string>();
  for (const [venueSymbol, symbol] of wanted) {
    const product = byId.get(venueSymbol);
    const listing = listingOf(product, venueSymbol, symbol);
    if (typeof listing === 'string') refused.set(venueSymbol, listing);
    else listings.set(venueSymbol, listing);
    const halt = typeof listing === 'object' ? haltOf(product?.state ?? {}) : undefined;
    if (halt !== undefined) halted.set(venueSymbol, halt);
  }
  return { kind: 'filters', listings, refused, halted };
}

/** Flags under which no order of a taker would fill. */
const CLOSED = ['trading_disabled', 'is_disabled', 'cancel_only', 'post_only', 'auction_mode'] as const;

/** Why the venue does not trade it: its status where that is not online, else the flag that says so. */
function haltOf(state: Json): string | undefined {
  if (state['status'] !== 'online') return jsonText(state['status']);
  return CLOSED.find((flag) => state[flag] === true);
}

function listingOf(product: Product | undefined, venueSymbol: string, symbol: string): Listing | string {
  if (product === undefined) return `${venueSymbol} is not known to the venue`;
  const { state, tick, lot } = product;
  // For good, and nobody may subscribe to it.
  if (state['status'] === 'delisted') return `${venueSymbol} is delisted`;
  // Market data of BTC-USDC comes under the name BTC-USD ("WebSocket Channels"): it would not be known for what it is.
  if (typeof state['alias'] === 'string' && state['alias'] !== '')
    return `${venueSymbol} is an alias of ${state['alias']}: list that`;
  const priceDecimals = decimalsOfStep(tick);
  const quantityDecimals = decimalsOfStep(lot);
  if (priceDecimals === undefined) return `${venueSymbol} has no usable price increment`;
  if (quantityDecimals === undefined) return `${venueSymbol} has no usable base_increment`;
  return {
    symbol,
    venueSymbol,
    priceDecimals,
    quantityDecimals,
    minLots: Math.max(1, parseScaled(product.minSize, quantityDecimals)),
    maxLots: positiveOr(Number.MAX_SAFE_INTEGER, parseFloored(product.maxSize, quantityDecimals)),
    instrument: {
      priceScale: 10 ** priceDecimals,
      quantityScale: 10 ** quantityDecimals,
      tickStep: parseScaled(tick, priceDecimals),
      lotStep: parseScaled(lot, quantityDecimals),
      minNotionalUsd: Math.max(0, parseScaled(product.minNotional, 8)) / 1e8,
    },
  };
}

const positiveOr = (fallback: number, lots: number): number => (lots > 0 ? lots : fallback);

export const exchangeTopPath = (product: string): string => `/products/${encodeURIComponent(product)}/book?level=1`;

// GET /products/BTC-USD/book?level=1   [price, size, number of orders]
// {"bids":[["97000.00","0.51","3"]],"asks":[["97000.01","1.2","7"]],"sequence":97391,"auction_mode":false,"auction":null}
export function exchangeTop(text: string): string | undefined {
  const book = parseJson(text);
  if (!isObject(book)) return undefined;
  return topOf([book['bids'], book['asks']], (level) => (Array.isArray(level) ? [level[0], level[1]] : []));
}

export const advancedTopPath = (product: string): string =>
  `/api/v3/brokerage/market/product_book?product_id=${encodeURIComponent(product)}&limit=1`;

// GET /api/v3/brokerage/market/product_book?product_id=BTC-USD&limit=1
// {"pricebook":{"product_id":"BTC-USD","bids":[{"price":"97000","size":"0.51"}],"asks":[{"price":"97000.01","size":"1.2"}],
//  "time":"2025-01-07T14:11:00.1Z"},"last":"97000.01","mid_market":"97000.005"}
export function advancedTop(text: string): string | undefined {
  const body = parseJson(text);
  const book = isObject(body) ? body['pricebook'] : undefined;
  if (!isObject(book)) return undefined;
  return topOf([book['bids'], book['asks']], (level) => (isObject(level) ? [level['price'], level['size']] : []));
}

export const exchangeTradePath = (product: string): string => `/products/${encodeURIComponent(product)}/trades?limit=1`;

// GET /products/BTC-USD/trades?limit=1   newest first
// [{"trade_id":82008,"side":"sell","size":"0.01","price":"97000.01","time":"2025-01-07T14:11:00.1Z"}]
export const exchangeTrade = (text: string): number | undefined => lastIdIn(parseJson(text));

export const advancedTradePath = (product: string): string =>
  `/api/v3/brokerage/market/products/${encodeURIComponent(product)}/ticker?limit=1`;

// GET /api/v3/brokerage/market/products/BTC-USD/ticker?limit=1   newest first
// {"trades":[{"trade_id":"12010","product_id":"BTC-USD","price":"97000.01","size":"0.3","side":"BUY","time":"…"}],"best_bid":"97000",…}
export function advancedTrade(text: string): number | undefined {
  const body = parseJson(text);
  return isObject(body) ? lastIdIn(body['trades']) : undefined;
}

/** `after`: those before this id ("Pagination"), newest first. */
export const exchangeTradesPath = (product: string, lastId: number): string =>
  `/products/${encodeURIComponent(product)}/trades?limit=${MOST_TRADES}&after=${lastId + 1}`;

export const exchangeTrades = (text: string, listing: Listing): readonly TradeFrame[] =>
  tradesIn(parseJson(text), listing, 'buy');

export const advancedTradesPath = (product: string): string =>
  `/api/v3/brokerage/market/products/${encodeURIComponent(product)}/ticker?limit=${MOST_TRADES}`;

export function advancedTrades(text: string, listing: Listing): readonly TradeFrame[] {
  const body = parseJson(text);
  return tradesIn(isObject(body) ? body['trades'] : undefined, listing, 'BUY');
}

/** `side` is the maker's: `bought`, and a seller took. */
function tradesIn(trades: unknown, { symbol, priceDecimals, quantityDecimals }: Listing, bought: string): TradeFrame[] {
  return (Array.isArray(trades) ? trades : []).filter(isObject).flatMap((trade): TradeFrame[] => {
    const tradeId = Number(trade['trade_id']);
    const ticks = parseScaled(trade['price'], priceDecimals);
    const lots = parseFloored(trade['size'], quantityDecimals);
    if (!isId(tradeId) || ticks <= 0 || lots < 0) return [];
    const sellerTook = trade['side'] === bought;
    return [{ kind: 'trade', symbol, tradeId, ticks, lots, sellerTook, venueAt: epochMs(trade['time']) }];
  });
}

/** The id of the first, a number or the text of one. */
function lastIdIn(trades: unknown): number | undefined {
  const [newest] = Array.isArray(trades) ? (trades as readonly unknown[]) : [];
  const id = isObject(newest) ? Number(newest['trade_id']) : Number.NaN;
  return isId(id) ? id : undefined;
}

/** Price and size of the best level of each side: what changes these is sent as an update of the book. */
function topOf(sides: readonly unknown[], read: (level: unknown) => readonly unknown[]): string | undefined {
  if (!sides.every((side) => Array.isArray(side))) return undefined;
  return JSON.stringify(sides.map((side) => read(side[0])));
}
