// What venues' messages become: one closed union for all venues. Decoders make them, sequencing and step.ts take them.
// Symbols are ours (BTC-USD), prices in ticks, sizes in lots.
import type { Instrument } from '../../contract/messages.ts';

/** Price and size, flat: [ticks, lots, ticks, lots, …]. Lots 0 = the level is gone. */
export type Levels = readonly number[];

/** Absolute sizes of the levels that changed in the update ids firstId … lastId. */
export interface DepthFrame {
  readonly kind: 'depth';
  readonly symbol: string;
  readonly firstId: number;
  readonly lastId: number;
  readonly bids: Levels;
  readonly asks: Levels;
}

/** Best level of both sides as of an update id of the same book. */
export interface TickerFrame {
  readonly kind: 'ticker';
  readonly symbol: string;
  readonly updateId: number;
  readonly bidTicks: number;
  readonly bidLots: number;
  readonly askTicks: number;
  readonly askLots: number;
}

export interface TradeFrame {
  readonly kind: 'trade';
  readonly symbol: string;
  readonly tradeId: number;
  readonly ticks: number;
  readonly lots: number;
  /** True: the seller took the bid. */
  readonly sellerTook: boolean;
}

/** Not market data: an answer to a request, or the venue's word that it will close the connection. */
export interface NoticeFrame {
  readonly kind: 'notice';
  readonly notice: 'Response' | 'ServerShutdown';
}

export interface Snapshot {
  readonly kind: 'snapshot';
  readonly symbol: string;
  readonly lastId: number;
  readonly bids: Levels;
  readonly asks: Levels;
}

/** What could not be understood: counted, sampled to the log, never fatal. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly reason: 'NotJson' | 'NotAnObject' | 'UnknownEvent' | 'UnknownSymbol' | 'BadField' | 'Refused';
  /** Path of the field, where one is to blame. */
  readonly detail: string;
}

export type MarketFrame = DepthFrame | TickerFrame | TradeFrame;
export type Frame = MarketFrame | NoticeFrame | Malformed;

/** One instrument of a venue under our name, with what its decoder needs. */
export interface Listing {
  readonly symbol: string;
  readonly venueSymbol: string;
  readonly instrument: Instrument;
  readonly priceDecimals: number;
  readonly quantityDecimals: number;
  /** Bounds of one order, in lots. */
  readonly minLots: number;
  readonly maxLots: number;
}

/** By the venue's name, as it stands in its frames. */
export type Listings = ReadonlyMap<string, Listing>;
