// Builders of frames and markets that tests share.
import { newShard, step, type Event, type Output, type Shard } from '../step.ts';
import type { Link } from '../market.ts';
import type { DepthFrame, Listing, Snapshot, TickerFrame, TradeFrame } from '../venue/frame.ts';
import { btcListing } from './listings.ts';

export const BTC = 'BTC-USD';

export const depth = (
  firstId: number,
  lastId: number,
  bids: readonly number[],
  asks: readonly number[],
): DepthFrame => ({
  kind: 'depth',
  symbol: BTC,
  firstId,
  lastId,
  bids,
  asks,
  venueAt: 0,
});

export const snapshot = (lastId: number, bids: readonly number[], asks: readonly number[]): Snapshot => ({
  kind: 'snapshot',
  symbol: BTC,
  lastId,
  bids,
  asks,
});

export const ticker = (
  updateId: number,
  bid: readonly [number, number],
  ask: readonly [number, number],
): TickerFrame => ({
  kind: 'ticker',
  symbol: BTC,
  updateId,
  bidTicks: bid[0],
  bidLots: bid[1],
  askTicks: ask[0],
  askLots: ask[1],
});

export const trade = (tradeId: number, lots: number, sellerTook = false, ticks = 100): TradeFrame => ({
  kind: 'trade',
  symbol: BTC,
  tradeId,
  ticks,
  lots,
  sellerTook,
  venueAt: 0,
});

/** A shard with one listed symbol; `run` steps it through events and gives all that came out. */
export function aShard(listing: Listing = btcListing): {
  readonly shard: Shard;
  readonly link: Link;
  readonly run: (...events: readonly Event[]) => readonly Output[];
} {
  const shard = newShard('boot');
  const link: Link = { source: 'binance', up: true, heardAt: 0 };
  step(shard, { kind: 'listed', listing, link, t: 0 });
  return { shard, link, run: (...events) => events.flatMap((event) => step(shard, event)) };
}

/** Events that make BTC's book live at `t`: bids and asks as flat levels, update id 10. */
export const liveBook = (t: number, bids: readonly number[], asks: readonly number[]): readonly Event[] => [
  { kind: 'frame', frame: depth(9, 10, [], []), t },
  { kind: 'snapshot', snapshot: snapshot(10, bids, asks), t },
];
