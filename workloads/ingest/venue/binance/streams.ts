// Binance spot: WebSocket texts → frames, pure. Combined streams `<symbol>@depth@100ms`, `@bookTicker`, `@trade`. Called
// by feed.ts, tests and benchmarks.
import { parseFloored, parseScaled } from '../decimal.ts';
import type { Frame, Listing, Listings, Malformed } from '../frame.ts';
import { isObject, parseJson, type Json } from '../../../contract/json.ts';
import { isId, malformed } from '../json.ts';
import { decodeLevels } from '../levels.ts';

/** The streams of one symbol; stream names are lower case. */
export const streamsOf = (venueSymbol: string): readonly string[] =>
  STREAMS.map((stream) => `${venueSymbol.toLowerCase()}@${stream}`);

const STREAMS = ['depth@100ms', 'bookTicker', 'trade'] as const;

/** One WebSocket text → Frame. Never throws; what it does not know is Malformed. */
export function decodeFrame(text: string, listings: Listings): Frame {
  const parsed = parseJson(text);
  if (!isObject(parsed)) return parsed === undefined ? malformed('NotJson') : malformed('NotAnObject');
  const data = 'stream' in parsed ? parsed['data'] : parsed;
  return isObject(data) ? decodeData(data, listings) : malformed('NotAnObject', 'data');
}

function decodeData(data: Json, listings: Listings): Frame {
  const event = data['e'];
  // bookTicker is the one stream without an event type (and without any time).
  if (event !== undefined && event !== 'depthUpdate' && event !== 'trade') return decodeOther(event);
  const venueSymbol = data['s'];
  const listing = typeof venueSymbol === 'string' ? listings.get(venueSymbol) : undefined;
  if (listing === undefined)
    return event === undefined && venueSymbol === undefined ? decodeAnswer(data) : unknownSymbol(venueSymbol);
  if (event === 'trade') return decodeTrade(data, listing);
  return event === 'depthUpdate' ? decodeDepth(data, listing) : decodeTicker(data, listing);
}

// {"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}
function decodeTicker(data: Json, { symbol, priceDecimals, quantityDecimals }: Listing): Frame {
  const updateId = data['u'];
  const bidTicks = parseScaled(data['b'], priceDecimals);
  const bidLots = parseFloored(data['B'], quantityDecimals);
  const askTicks = parseScaled(data['a'], priceDecimals);
  const askLots = parseFloored(data['A'], quantityDecimals);
  if (!isId(updateId)) return malformed('BadField', 'bookTicker.u');
  if (bidTicks < 0 || bidLots < 0) return malformed('BadField', 'bookTicker.b');
  if (askTicks < 0 || askLots < 0) return malformed('BadField', 'bookTicker.a');
  return { kind: 'ticker', symbol, updateId, bidTicks, bidLots, askTicks, askLots };
}

// {"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000",
//  "T":1723161255342,"m":true,"M":true}    m: the buyer is the maker
function decodeTrade(data: Json, { symbol, priceDecimals, quantityDecimals }: Listing): Frame {
  const tradeId = data['t'];
  const sellerTook = data['m'];
  const ticks = parseScaled(data['p'], priceDecimals);
  const lots = parseFloored(data['q'], quantityDecimals);
  if (!isId(tradeId)) return malformed('BadField', 'trade.t');
  if (ticks <= 0) return malformed('BadField', 'trade.p');
  if (lots < 0) return malformed('BadField', 'trade.q');
  if (typeof sellerTook !== 'boolean') return malformed('BadField', 'trade.m');
  return { kind: 'trade', symbol, tradeId, ticks, lots, sellerTook, venueAt: sentAt(data) };
}

// {"e":"depthUpdate","E":1723161255408,"s":"BTCUSDT","U":50093239208,"u":50093239224,
//  "b":[["61837.63000000","3.78826000"],["61820.99000000","0.00000000"]],"a":[["61837.64000000","1.60520000"]]}
function decodeDepth(data: Json, listing: Listing): Frame {
  const firstId = data['U'];
  const lastId = data['u'];
  if (!isId(firstId) || !isId(lastId) || lastId < firstId) return malformed('BadField', 'depthUpdate.u');
  const bids = decodeLevels(data['b'], listing);
  const asks = decodeLevels(data['a'], listing);
  if (bids === undefined) return malformed('BadField', 'depthUpdate.b');
  if (asks === undefined) return malformed('BadField', 'depthUpdate.a');
  return { kind: 'depth', symbol: listing.symbol, firstId, lastId, bids, asks, venueAt: sentAt(data) };
}

/** Of the publication: T, which trades have as well, is up to 200 ms before it. */
function sentAt({ E: at }: Json): number {
  return isId(at) ? at : 0;
}

// {"e":"serverShutdown","E":1770123456789}, sent some minutes before the venue closes the connection.
function decodeOther(event: unknown): Frame {
  if (event === 'serverShutdown') return { kind: 'notice', notice: 'ServerShutdown' };
  return malformed('UnknownEvent', typeof event === 'string' ? event.slice(0, 40) : typeof event);
}

// {"result":null,"id":1} answers a SUBSCRIBE; {"code":2,"msg":"Invalid request: …"} refuses one.
function decodeAnswer(data: Json): Frame {
  if ('result' in data) return { kind: 'notice', notice: 'Response' };
  if ('code' in data || 'error' in data) return malformed('Refused', JSON.stringify(data['msg'] ?? '').slice(0, 80));
  return malformed('UnknownEvent', 'no event type');
}

const unknownSymbol = (symbol: unknown): Malformed =>
  malformed('UnknownSymbol', typeof symbol === 'string' ? symbol.slice(0, 40) : typeof symbol);
