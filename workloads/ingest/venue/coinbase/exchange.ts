// Coinbase Exchange: WebSocket texts → messages, pure. Rules are those of its documentation, "WebSocket Channels" (here C)
// and "WebSocket Overview" (O):
//  C level2: a snapshot, then l2update with absolute sizes, size 0 removes; delivery is guaranteed, and there is no number:
//    the order of the connection is the order of the book. level2_batch is the same in batches of 50 ms, without a login.
//    Its `time` never goes back within a product (0 of 9,719 in a recording): one that does came late, and has undone another.
//  C matches: messages may be dropped; the heartbeat's last_trade_id shows it. trade_id grows by 1 per product.
//  C match: `side` is the maker's: sell = the taker bought. last_match comes once, at the subscription.
//  O sequence numbers: one per event of the product's full channel, so that on these channels they have gaps; one that goes
//    back is late or a repeat. Trade ids say the same and have no gaps: they are what is checked.
//  O: types that a client does not know are to be ignored. They are counted.
import { isObject, parseJson, type Json } from '../../../contract/json.ts';
import {
  NO_SEQUENCE,
  spoiledByUnknown,
  timeIn,
  unreadable,
  type Message,
  type Request,
  type Spoils,
} from './message.ts';
import { parseFloored, parseScaled } from '../decimal.ts';
import type { Listing, Listings, MarketFrame, NoticeFrame } from '../frame.ts';
import { epochMs, isId } from '../json.ts';
import { decodeLevels, pushLevel } from '../levels.ts';

const BOOK_CHANNEL = 'level2_batch';
const CHANNELS = [BOOK_CHANNEL, 'matches', 'ticker', 'heartbeat'] as const;

export const subscribeAll = (products: readonly string[]): readonly Request[] => [
  { type: 'subscribe', product_ids: products, channels: CHANNELS },
];

/** Ended first: a product has at most 10 subscriptions per channel, and only a new one brings a snapshot. */
export const renewBooks = (products: readonly string[]): readonly Request[] =>
  ['unsubscribe', 'subscribe'].map((type) => ({ type, product_ids: products, channels: [BOOK_CHANNEL] }));

/** The same of trades. */
export const renewTrades = (products: readonly string[]): readonly Request[] =>
  ['unsubscribe', 'subscribe'].map((type) => ({ type, product_ids: products, channels: ['matches'] }));

export function decodeMessage(text: string, listings: Listings): Message {
  const data = parseJson(text);
  if (data === undefined) return unreadable('NotJson', '', 'Everything');
  if (!isObject(data)) return unreadable('NotAnObject', '', 'Everything');
  const type = data['type'];
  switch (type) {
    case 'subscriptions':
      return one({ kind: 'notice', notice: 'Response' });
    case 'error':
      return unreadable('Refused', said(data), 'Nothing');
    case 'l2update':
    case 'snapshot':
    case 'match':
    case 'last_match':
    case 'heartbeat':
    case 'ticker':
      return decodeOfProduct(type, data, listings);
    default:
      return unreadable('UnknownEvent', typeof type === 'string' ? type.slice(0, 40) : typeof type, 'Nothing');
  }
}

const timed = (type: Type, time: unknown): { readonly time?: string } =>
  type === 'l2update' && typeof time === 'string' ? { time } : {};

type Type = 'l2update' | 'snapshot' | 'match' | 'last_match' | 'heartbeat' | 'ticker';

function decodeOfProduct(type: Type, data: Json, listings: Listings): Message {
  const product = data['product_id'];
  const listing = typeof product === 'string' ? listings.get(product) : undefined;
  const isBook = type === 'l2update' || type === 'snapshot';
  if (listing === undefined) {
    const spoils: Spoils = isBook ? spoiledByUnknown(product) : 'Nothing';
    return unreadable('UnknownSymbol', typeof product === 'string' ? product.slice(0, 40) : typeof product, spoils);
  }
  const frame = frameOf(type, data, listing);
  if (typeof frame !== 'string') return { ...one(frame), ...timed(type, data['time']) };
  return unreadable('BadField', `${type}.${frame}`, isBook ? { symbol: listing.symbol } : 'Nothing');
}

/** The frame, or the name of the field that cannot be read. */
function frameOf(type: Type, data: Json, listing: Listing): MarketFrame | string {
  switch (type) {
    case 'l2update':
      return decodeUpdate(data, listing);
    case 'snapshot':
      return decodeSnapshot(data, listing);
    case 'match':
      return decodeMatch(data, listing);
    case 'last_match':
    case 'ticker':
      return markOf(data['trade_id'], listing) ?? 'trade_id';
    case 'heartbeat':
      return decodeHeartbeat(data, listing);
  }
}

// {"type":"l2update","product_id":"SKL-GBP","changes":[["sell","0.5767","0.0"]],"time":"2021-04-17T16:44:07.859760Z"}
function decodeUpdate({ changes, time }: Json, listing: Listing): MarketFrame | string {
  if (!Array.isArray(changes)) return 'changes';
  const bids: number[] = [];
  const asks: number[] = [];
  for (const change of changes as readonly unknown[]) {
    if (!Array.isArray(change)) return 'changes';
    const side: unknown = change[0];
    if (side !== 'buy' && side !== 'sell') return 'changes';
    if (!pushLevel(side === 'buy' ? bids : asks, change[1], change[2], listing)) return 'changes';
  }
  return { kind: 'change', symbol: listing.symbol, bids, asks, venueAt: timeIn(time) };
}

// {"type":"snapshot","product_id":"SKL-GBP","asks":[["0.5762","2865.9"],…],"bids":[["0.5752","329.6"],…]}
function decodeSnapshot(data: Json, listing: Listing): MarketFrame | string {
  const bids = decodeLevels(data['bids'], listing);
  const asks = decodeLevels(data['asks'], listing);
  if (bids === undefined) return 'bids';
  return asks === undefined ? 'asks' : { kind: 'book', symbol: listing.symbol, bids, asks };
}

// {"type":"match","trade_id":1568268,"maker_order_id":"cac01d6d-8009-4c33-8e0d-f7f853d7c1bc",
//  "taker_order_id":"3dec64e4-f6ad-4ca8-ad3f-e5b1a0eb0d06","side":"sell","size":"450","price":"0.791",
//  "product_id":"SKL-USD","sequence":201390075,"time":"2021-04-17T16:43:37.121358Z"}
function decodeMatch(data: Json, { symbol, priceDecimals, quantityDecimals }: Listing): MarketFrame | string {
  const tradeId = data['trade_id'];
  const side = data['side'];
  const ticks = parseScaled(data['price'], priceDecimals);
  const lots = parseFloored(data['size'], quantityDecimals);
  if (!isId(tradeId)) return 'trade_id';
  if (ticks <= 0) return 'price';
  if (lots < 0) return 'size';
  if (side !== 'buy' && side !== 'sell') return 'side';
  return { kind: 'trade', symbol, tradeId, ticks, lots, sellerTook: side === 'buy', venueAt: epochMs(data['time']) };
}

// {"type":"last_match","trade_id":82007,…as match…}   {"type":"ticker","sequence":27883326,"product_id":"SKL-GBP",
//  "price":"0.5752","best_bid":"0.5752","best_ask":"0.5771","side":"sell","trade_id":82007,"last_size":"1008.2",…}
const markOf = (tradeId: unknown, { symbol }: Listing): MarketFrame | undefined =>
  isId(tradeId) ? { kind: 'tradeMark', symbol, tradeId } : undefined;

// {"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}
function decodeHeartbeat(data: Json, listing: Listing): MarketFrame | string {
  if (!isId(data['sequence'])) return 'sequence';
  return markOf(data['last_trade_id'], listing) ?? 'last_trade_id';
}

// {"type":"error","message":"Failed to subscribe","reason":"BTC-UDS is not a valid product"}
const said = ({ message, reason }: Json): string =>
  [message, reason]
    .filter((one) => typeof one === 'string')
    .join(': ')
    .slice(0, 200);

const one = (frame: MarketFrame | NoticeFrame): Message => ({
  kind: 'message',
  sequence: NO_SEQUENCE,
  frames: [frame],
});
