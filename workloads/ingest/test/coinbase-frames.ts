// Frames of Coinbase that tests share: as they were recorded or as its documentation has them.
import assert from 'node:assert/strict';
import type { Message } from '../venue/coinbase/message.ts';
import type { Listing, Listings } from '../venue/frame.ts';

export const sklListing: Listing = {
  symbol: 'SKL-USD',
  venueSymbol: 'SKL-GBP',
  priceDecimals: 4,
  quantityDecimals: 1,
  minLots: 1,
  maxLots: Number.MAX_SAFE_INTEGER,
  instrument: { priceScale: 10_000, quantityScale: 10, tickStep: 1, lotStep: 1, minNotionalUsd: 0 },
};

export const listings: Listings = new Map([
  ['SKL-GBP', sklListing],
  ['BTC-USD', { ...sklListing, symbol: 'BTC-USD', venueSymbol: 'BTC-USD', priceDecimals: 2, quantityDecimals: 8 }],
  ['ETH-USD', { ...sklListing, symbol: 'ETH-USD', venueSymbol: 'ETH-USD', priceDecimals: 2, quantityDecimals: 8 }],
]);

/** Recorded on 17 April 2021. */
export const EXCHANGE = {
  update:
    '{"type":"l2update","product_id":"SKL-GBP","changes":[["sell","0.5767","0.0"],["buy","0.5752","329.6"]],"time":"2021-04-17T16:44:07.859760Z"}',
  snapshot:
    '{"type":"snapshot","product_id":"SKL-GBP","asks":[["0.5762","2865.9"],["0.5767","6327.2"]],"bids":[["0.5752","1008.2"]]}',
  match:
    '{"type":"match","trade_id":82008,"maker_order_id":"f71dd5c4-b316-4869-83db-ff328a7379a6","taker_order_id":"d30ea30a-c805-4f05-ba7e-28020dfc52b3","side":"sell","size":"335","price":"0.5762","product_id":"SKL-GBP","sequence":27883501,"time":"2021-04-17T16:43:37.270697Z"}',
  lastMatch:
    '{"type":"last_match","trade_id":82007,"maker_order_id":"9d2861bd-1703-47f2-a7f4-7723565a7f5c","taker_order_id":"dd068ce5-f175-4396-bae1-a1db56d209f5","side":"buy","size":"1008.2","price":"0.5752","product_id":"SKL-GBP","sequence":27883326,"time":"2021-04-17T16:43:29.571587Z"}',
  ticker:
    '{"type":"ticker","sequence":27883326,"product_id":"SKL-GBP","price":"0.5752","open_24h":"0.5102","volume_24h":"3479861.10000000","best_bid":"0.5752","best_ask":"0.5771","side":"sell","time":"2021-04-17T16:43:29.571587Z","trade_id":82007,"last_size":"1008.2"}',
  heartbeat:
    '{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}',
  subscriptions: '{"type":"subscriptions","channels":[{"name":"level2_batch","product_ids":["SKL-GBP"]}]}',
  error: '{"type":"error","message":"Failed to subscribe","reason":"SKL-GPB is not a valid product"}',
} as const;

const envelope = (channel: string, sequence: number, events: string): string =>
  `{"channel":"${channel}","client_id":"","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":${sequence},"events":${events}}`;

export const ADVANCED = {
  snapshot: envelope(
    'l2_data',
    0,
    '[{"type":"snapshot","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"1970-01-01T00:00:00Z","price_level":"21921.73","new_quantity":"0.06317902"},{"side":"offer","event_time":"1970-01-01T00:00:00Z","price_level":"21921.74","new_quantity":"0.02"}]}]',
  ),
  update: envelope(
    'l2_data',
    1,
    '[{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2023-02-09T20:32:50.7Z","price_level":"21921.73","new_quantity":"0"},{"side":"offer","event_time":"2023-02-09T20:32:50.7Z","price_level":"21921.74","new_quantity":"0.5"}]}]',
  ),
  trades: envelope(
    'market_trades',
    2,
    '[{"type":"update","trades":[{"trade_id":"12012","product_id":"ETH-USD","price":"1260.01","size":"0.3","side":"BUY","time":"2019-08-14T20:42:27.265Z"},{"trade_id":"12011","product_id":"ETH-USD","price":"1260.00","size":"0.1","side":"SELL","time":"2019-08-14T20:42:27.200Z"}]}]',
  ),
  past: envelope(
    'market_trades',
    3,
    '[{"type":"snapshot","trades":[{"trade_id":"12010","product_id":"ETH-USD","price":"1260.01","size":"0.3","side":"BUY","time":"2019-08-14T20:42:27.265Z"},{"trade_id":"12009","product_id":"ETH-USD","price":"1260.01","size":"0.3","side":"BUY","time":"2019-08-14T20:42:27.265Z"}]}]',
  ),
  heartbeat: envelope(
    'heartbeats',
    4,
    '[{"current_time":"2023-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105","heartbeat_counter":"3049"}]',
  ),
  subscriptions: envelope('subscriptions', 5, '[{"subscriptions":{"level2":["BTC-USD"],"heartbeats":["heartbeats"]}}]'),
  error: '{"type":"error","message":"authentication failure"}',
} as const;

interface Mutation {
  readonly at: number;
  readonly length: number;
  readonly insert: string;
}

/** `text` with some characters replaced. */
export function mutated(text: string, mutations: readonly Mutation[]): string {
  let result = text;
  for (const { at, length, insert } of mutations) {
    const start = result.length === 0 ? 0 : at % result.length;
    result = result.slice(0, start) + insert + result.slice(start + length);
  }
  return result;
}

/** Whatever was made of a damaged text: ticks, lots and ids are whole and not negative. */
export function assertWholeNumbers(message: Message): void {
  if (message.kind !== 'message') return;
  for (const value of message.frames.flatMap((frame) => Object.values(frame) as unknown[]).flat()) {
    if (typeof value === 'number') assert.ok(Number.isSafeInteger(value) && value >= 0);
  }
}
