// Coinbase Advanced Trade: WebSocket texts → messages, pure. Rules are those of its documentation, "WebSocket Channels" (here
// C), "WebSocket Overview" (O) and what was seen of it (S):
//  O: sequence_num grows by 1 with each message of a connection, whatever its channel; a gap means that messages of any of
//    them were lost. One channel per subscribe message, each with its own JWT where signed.
//  C level2 (channel l2_data): a snapshot, then updates with absolute sizes, new_quantity 0 removes; sides bid and offer.
//  C market_trades: batches of 250 ms; `side` is the maker's: SELL = the taker bought. The first is a snapshot of the past.
//  C heartbeats: once a second, without products; without them, channels that are silent for 60 to 90 s are closed.
//  S: a snapshot may come before the acknowledgement of its subscription; trades of a batch come newest first;
//    heartbeat_counter is a number in some messages and a text in others, trade_id as well.
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
import type { Listing, Listings, Malformed, MarketFrame, NoticeFrame, TradeFrame, VenueTime } from '../frame.ts';
import { epochMs, isId } from '../json.ts';
import { pushLevel } from '../levels.ts';
import { scanUpdate } from './update-scan.ts';

const BOOK_CHANNEL = 'level2';

export const subscribeAll = (products: readonly string[]): readonly Request[] => [
  { type: 'subscribe', channel: 'heartbeats' },
  { type: 'subscribe', product_ids: products, channel: BOOK_CHANNEL },
  { type: 'subscribe', product_ids: products, channel: 'market_trades' },
];

/** On the connection that they are on: numbers are per connection, so that the other books need not know. */
export const renewBooks = (products: readonly string[]): readonly Request[] =>
  ['unsubscribe', 'subscribe'].map((type) => ({ type, product_ids: products, channel: BOOK_CHANNEL }));

/** The same of trades. */
export const renewTrades = (products: readonly string[]): readonly Request[] =>
  ['unsubscribe', 'subscribe'].map((type) => ({ type, product_ids: products, channel: 'market_trades' }));

export const decodeMessage = (text: string, listings: Listings): Message =>
  scanUpdate(text, listings) ?? decodeAny(text, listings);

/** Any message, by its JSON. */
export function decodeAny(text: string, listings: Listings): Message {
  const data = parseJson(text);
  if (data === undefined) return unreadable('NotJson', '', 'Everything');
  if (!isObject(data)) return unreadable('NotAnObject', '', 'Everything');
  const { sequence_num: number, channel, type, events, timestamp } = data;
  if (type === 'error') return unreadable('Refused', said(data), 'Nothing');
  const sequence = number === undefined ? NO_SEQUENCE : idOf(number);
  if (sequence === undefined) return unreadable('BadField', 'sequence_num', 'Everything');
  if (!isChannel(channel)) {
    const detail = typeof channel === 'string' ? channel.slice(0, 40) : typeof channel;
    return unreadable('UnknownEvent', detail, 'Nothing', sequence);
  }
  return decodeEvents({ channel, events, sequence, venueAt: timeIn(timestamp) }, listings);
}

interface Envelope {
  readonly channel: keyof typeof DECODERS;
  readonly events: unknown;
  readonly sequence: number;
  /** When it was sent, as a frame has it. */
  readonly venueAt: VenueTime;
}

function decodeEvents({ channel, events, sequence, venueAt }: Envelope, listings: Listings): Message {
  const isBook = channel === 'l2_data';
  if (!Array.isArray(events)) return unreadable('BadField', 'events', isBook ? 'Everything' : 'Nothing', sequence);
  const frames: (MarketFrame | NoticeFrame)[] = [];
  for (const event of events as readonly unknown[]) {
    const problem = isObject(event) ? DECODERS[channel](event, { listings, frames, venueAt }) : UNREADABLE_EVENT;
    if (problem === undefined) continue;
    // Nothing of this message is given on, so that with several events in it several books have lost something.
    const spoiled = events.length === 1 ? (problem.spoils ?? 'Everything') : 'Everything';
    return unreadable(problem.reason, `${channel}.${problem.detail}`, isBook ? spoiled : 'Nothing', sequence);
  }
  return { kind: 'message', sequence, frames };
}

interface Problem extends Pick<Malformed, 'reason' | 'detail'> {
  readonly spoils?: Spoils;
}

const bad = (detail: string): Problem => ({ reason: 'BadField', detail });
const UNREADABLE_EVENT = bad('events');

/** Appends what is in one event; the problem where it cannot be read. */
type Decoder = (event: Json, into: Into) => Problem | undefined;

interface Into {
  readonly listings: Listings;
  readonly frames: (MarketFrame | NoticeFrame)[];
  /** Of the message. */
  readonly venueAt: VenueTime;
}

const DECODERS = {
  l2_data: decodeBook,
  market_trades: decodeTrades,
  heartbeats: decodeHeartbeat,
  subscriptions,
} satisfies Record<string, Decoder>;

const isChannel = (channel: unknown): channel is keyof typeof DECODERS =>
  typeof channel === 'string' && Object.hasOwn(DECODERS, channel);

// {"channel":"l2_data","client_id":"","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":0,"events":[
//  {"type":"snapshot","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"1970-01-01T00:00:00Z",
//   "price_level":"21921.73","new_quantity":"0.06317902"},{"side":"offer",…}]}]}   then "type":"update"
function decodeBook(
  { type, product_id: product, updates }: Json,
  { listings, frames, venueAt }: Into,
): Problem | undefined {
  const listing = typeof product === 'string' ? listings.get(product) : undefined;
  if (listing === undefined) return unknown(product);
  const spoils = { symbol: listing.symbol };
  if (type !== 'snapshot' && type !== 'update') return { ...bad('type'), spoils };
  const bids: number[] = [];
  const asks: number[] = [];
  if (!Array.isArray(updates)) return { ...bad('updates'), spoils };
  for (const update of updates as readonly unknown[]) {
    if (!isObject(update)) return { ...bad('updates'), spoils };
    const { side, price_level: price, new_quantity: size } = update;
    if (side !== 'bid' && side !== 'offer') return { ...bad('side'), spoils };
    if (!pushLevel(side === 'bid' ? bids : asks, price, size, listing)) return { ...bad('price_level'), spoils };
  }
  const { symbol } = listing;
  frames.push(
    type === 'snapshot' ? { kind: 'book', symbol, bids, asks } : { kind: 'change', symbol, bids, asks, venueAt },
  );
  return undefined;
}

// {"channel":"market_trades","client_id":"","timestamp":"2023-02-09T20:19:35.39625135Z","sequence_num":4,"events":[
//  {"type":"update","trades":[{"trade_id":"12010","product_id":"ETH-USD","price":"1260.01","size":"0.3","side":"BUY",
//   "time":"2019-08-14T20:42:27.265Z"},{"trade_id":"12009",…}]}]}   newest first
function decodeTrades({ type, trades }: Json, { listings, frames }: Into): Problem | undefined {
  if (!Array.isArray(trades)) return bad('trades');
  const decoded: TradeFrame[] = [];
  for (const trade of trades as readonly unknown[]) {
    const frame = isObject(trade) ? tradeOf(trade, listings) : bad('trades');
    if (!('kind' in frame)) return frame;
    decoded.push(frame);
  }
  decoded.sort((a, b) => a.tradeId - b.tradeId);
  if (type === 'update') frames.push(...decoded);
  else if (type === 'snapshot') frames.push(...marksOf(decoded));
  else return bad('type');
  return undefined;
}

/** The last trade of each product before the subscription. */
function marksOf(trades: readonly TradeFrame[]): MarketFrame[] {
  const last = new Map(trades.map(({ symbol, tradeId }) => [symbol, tradeId]));
  return [...last].map(([symbol, tradeId]) => ({ kind: 'tradeMark', symbol, tradeId }));
}

function tradeOf(trade: Json, listings: Listings): TradeFrame | Problem {
  const { product_id: product, trade_id: id, price, size, side, time } = trade;
  const listing: Listing | undefined = typeof product === 'string' ? listings.get(product) : undefined;
  if (listing === undefined) return unknown(product);
  const tradeId = idOf(id);
  const ticks = parseScaled(price, listing.priceDecimals);
  const lots = parseFloored(size, listing.quantityDecimals);
  if (tradeId === undefined) return bad('trade_id');
  if (ticks <= 0) return bad('price');
  if (lots < 0) return bad('size');
  if (side !== 'BUY' && side !== 'SELL') return bad('side');
  const { symbol } = listing;
  return { kind: 'trade', symbol, tradeId, ticks, lots, sellerTook: side === 'BUY', venueAt: epochMs(time) };
}

// {"channel":"heartbeats","client_id":"","timestamp":"2023-06-23T20:31:26.122969572Z","sequence_num":0,"events":[
//  {"current_time":"2023-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105","heartbeat_counter":"3049"}]}
function decodeHeartbeat(event: Json, { frames }: Into): Problem | undefined {
  if (idOf(event['heartbeat_counter']) === undefined) return bad('heartbeat_counter');
  frames.push({ kind: 'notice', notice: 'Heartbeat' });
  return undefined;
}

// {"channel":"subscriptions","client_id":"","timestamp":"2023-06-23T20:31:26.122969572Z","sequence_num":1,"events":[
//  {"subscriptions":{"level2":["BTC-USD"],"heartbeats":["heartbeats"]}}]}
function subscriptions(_: Json, { frames }: Into): undefined {
  frames.push({ kind: 'notice', notice: 'Response' });
}

/** A number, or the text of one. */
function idOf(value: unknown): number | undefined {
  if (isId(value)) return value;
  const parsed = parseScaled(value, 0);
  return parsed < 0 ? undefined : parsed;
}

const unknown = (product: unknown): Problem => ({
  reason: 'UnknownSymbol',
  detail: typeof product === 'string' ? product.slice(0, 40) : typeof product,
  spoils: spoiledByUnknown(product),
});

// {"type":"error","message":"authentication failure"}
const said = ({ message }: Json): string => (typeof message === 'string' ? message.slice(0, 200) : '');
