// Binance spot: REST answers → snapshot and listings, pure; and the addresses that give them. Called by feed.ts.
import { decimalsOfStep, parseFloored, parseScaled } from '../decimal.ts';
import type { Filters, Listing, Malformed, Snapshot, TradeFrame } from '../frame.ts';
import { MOST_TRADES } from '../missed-trades.ts';
import { isObject, jsonText, parseJson, type Json } from '../../../contract/json.ts';
import { isId, malformed } from '../json.ts';
import { decodeLevels } from '../levels.ts';

/** Levels per side of a snapshot. Binance allows 5,000 at weight 250; 1,000 cost 50 of the 6,000 a minute per address. */
export const SNAPSHOT_LEVELS = 1_000;

export const depthPath = (venueSymbol: string, levels = SNAPSHOT_LEVELS): string =>
  `/api/v3/depth?symbol=${encodeURIComponent(venueSymbol)}&limit=${levels}`;

/** Without `permissionSets`, which are most of the answer (rest-api.md, "Exchange information"). */
export const exchangeInfoPath = (venueSymbols: readonly string[]): string =>
  `/api/v3/exchangeInfo?symbols=${encodeURIComponent(JSON.stringify(venueSymbols))}&showPermissionSets=false`;

// GET /api/v3/depth?symbol=BTCUSDT&limit=1000
// {"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"]],"asks":[["61837.64000000","1.60520000"]]}
/** REST depth answer → Snapshot of `listing`'s book. Never throws. */
export function decodeSnapshot(text: string, listing: Listing): Snapshot | Malformed {
  const data = parseJson(text);
  if (!isObject(data)) return malformed('NotJson');
  const lastId = data['lastUpdateId'];
  if (!isId(lastId)) return malformed('BadField', 'lastUpdateId');
  const bids = decodeLevels(data['bids'], listing);
  const asks = decodeLevels(data['asks'], listing);
  if (bids === undefined || asks === undefined) return malformed('BadField', 'bids, asks');
  return { kind: 'snapshot', symbol: listing.symbol, lastId, bids, asks };
}

/** Weight 2: the cheapest answer that names the last trade. */
export const tickerPath = (venueSymbol: string): string =>
  `/api/v3/ticker/24hr?symbol=${encodeURIComponent(venueSymbol)}&type=MINI`;

// GET /api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI
// {"symbol":"BTCUSDT","lastPrice":"61837.63000000","volume":"8913.3","firstId":3735680000,"lastId":3735683259,"count":3260,…}
/** The id of the last trade; undefined where there is none, or it cannot be read. Never throws. */
export function decodeLastTrade(text: string): number | undefined {
  const data = parseJson(text);
  const lastId = isObject(data) ? data['lastId'] : undefined;
  return isId(lastId) ? lastId : undefined;
}

export const tradesPath = (venueSymbol: string): string =>
  `/api/v3/trades?symbol=${encodeURIComponent(venueSymbol)}&limit=${MOST_TRADES}`;

// GET /api/v3/trades?symbol=BTCUSDT&limit=1000   oldest first
// [{"id":28457,"price":"61837.63000000","qty":"0.02000000","quoteQty":"1236.75","time":1723161255342,"isBuyerMaker":true,"isBestMatch":true}]
/** The last trades of `listing`; what cannot be read is left out. Never throws. */
export function decodeTrades(text: string, { symbol, priceDecimals, quantityDecimals }: Listing): TradeFrame[] {
  const data = parseJson(text);
  return (Array.isArray(data) ? data : []).filter(isObject).flatMap((trade): TradeFrame[] => {
    const { id: tradeId, isBuyerMaker: sellerTook, time } = trade;
    const ticks = parseScaled(trade['price'], priceDecimals);
    const lots = parseFloored(trade['qty'], quantityDecimals);
    if (!isId(tradeId) || ticks <= 0 || lots < 0 || typeof sellerTook !== 'boolean') return [];
    return [{ kind: 'trade', symbol, tradeId, ticks, lots, sellerTook, venueAt: isId(time) ? time : 0 }];
  });
}

// GET /api/v3/exchangeInfo?symbols=["BTCUSDT"]
// {"symbols":[{"symbol":"BTCUSDT","status":"TRADING","filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01000000",
//  "maxPrice":"1000000.00000000","tickSize":"0.01000000"},{"filterType":"LOT_SIZE","minQty":"0.00001000",
//  "maxQty":"9000.00000000","stepSize":"0.00001000"},{"filterType":"NOTIONAL","minNotional":"5.00000000"}]}]}
/**
 * REST exchangeInfo answer → Listings of the wanted symbols (venue's name → ours), and which of them are halted; a symbol that
 * is missing, or whose filters cannot be read, is named in `refused` with the reason. Never throws.
 */
export function decodeExchangeInfo(
  text: string,
  wanted: ReadonlyMap<string, string>,
): Omit<Extract<Filters, { kind: 'filters' }>, 'kind'> | Malformed {
  const data = parseJson(text);
  const symbols = isObject(data) ? data['symbols'] : undefined;
  if (!Array.isArray(symbols)) return malformed('BadField', 'symbols');
  const byName = new Map(symbols.filter(isObject).map((entry) => [entry['symbol'], entry]));
  const listings = new Map<string, Listing>();
  const refused = new Map<string, string>();
  const halted = new Map<string, string>();
  for (const [venueSymbol, symbol] of wanted) {
    const entry = byName.get(venueSymbol);
    const listing = listingOf(entry, venueSymbol, symbol);
    if (typeof listing === 'string') refused.set(venueSymbol, listing);
    else listings.set(venueSymbol, listing);
    const halt = typeof listing === 'object' ? haltOf(entry) : undefined;
    if (halt !== undefined) halted.set(venueSymbol, halt);
  }
  return { listings, refused, halted };
}

/** enums.md, "Symbol status": TRADING, END_OF_DAY, HALT, BREAK; at other times PRE_TRADING, POST_TRADING, AUCTION_MATCH as well. */
function haltOf(entry: Json = {}): string | undefined {
  if (entry['status'] !== 'TRADING') return jsonText(entry['status']);
  return entry['isSpotTradingAllowed'] === false ? 'not for spot trading' : undefined;
}

function listingOf(entry: Json | undefined, venueSymbol: string, symbol: string): Listing | string {
  if (entry === undefined) return `${venueSymbol} is not listed`;
  const find = filterFinder(entry['filters']);
  const tickSize = find('PRICE_FILTER')['tickSize'];
  const lotSize = find('LOT_SIZE');
  const priceDecimals = decimalsOfStep(tickSize);
  const quantityDecimals = decimalsOfStep(lotSize['stepSize']);
  if (priceDecimals === undefined) return `${venueSymbol} has no usable PRICE_FILTER.tickSize`;
  if (quantityDecimals === undefined) return `${venueSymbol} has no usable LOT_SIZE.stepSize`;
  const notional = find('NOTIONAL')['minNotional'] ?? find('MIN_NOTIONAL')['minNotional'];
  return {
    symbol,
    venueSymbol,
    priceDecimals,
    quantityDecimals,
    minLots: positiveOr(1, parseScaled(lotSize['minQty'], quantityDecimals)),
    maxLots: positiveOr(Number.MAX_SAFE_INTEGER, parseScaled(lotSize['maxQty'], quantityDecimals)),
    instrument: {
      priceScale: 10 ** priceDecimals,
      quantityScale: 10 ** quantityDecimals,
      tickStep: parseScaled(tickSize, priceDecimals),
      lotStep: parseScaled(lotSize['stepSize'], quantityDecimals),
      minNotionalUsd: Math.max(0, parseScaled(notional, 8)) / 1e8,
    },
  };
}

function filterFinder(filters: unknown): (type: string) => Json {
  const known = Array.isArray(filters) ? filters.filter(isObject) : [];
  return (type) => known.find((filter) => filter['filterType'] === type) ?? {};
}

const positiveOr = (fallback: number, lots: number): number => (lots > 0 ? lots : fallback);
