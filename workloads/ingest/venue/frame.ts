// What venues' messages become: one closed union for all venues. Decoders make them, sequencing and step.ts take them.
// Symbols are ours (BTC-USD), prices in ticks, sizes in lots.
import type { Instrument } from '../../contract/messages.ts';

/** Price and size, flat: [ticks, lots, ticks, lots, …]. Lots 0 = the level is gone. */
export type Levels = readonly number[];

/** When the venue says that it sent a message: epoch ms, or as it stands there; 0 where it does not say. */
export type VenueTime = number | string;

/** Absolute sizes of the levels that changed in the update ids firstId … lastId. */
export interface DepthFrame {
  readonly kind: 'depth';
  readonly symbol: string;
  readonly firstId: number;
  readonly lastId: number;
  readonly bids: Levels;
  readonly asks: Levels;
  readonly venueAt: VenueTime;
}

/** The whole book, in its place in its own stream: what comes after it follows on it, what came before is in it. */
export interface BookFrame {
  readonly kind: 'book';
  readonly symbol: string;
  readonly bids: Levels;
  readonly asks: Levels;
}

/** Absolute sizes of the levels that changed since the last message of the same stream, whose order the feed vouches for. */
export interface ChangeFrame {
  readonly kind: 'change';
  readonly symbol: string;
  readonly bids: Levels;
  readonly asks: Levels;
  readonly venueAt: VenueTime;
}

/** The venue's word on which trade was its last: what shows that one never came, though none follows. */
export interface TradeMarkFrame {
  readonly kind: 'tradeMark';
  readonly symbol: string;
  readonly tradeId: number;
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
  /** When the venue says that it sent or made it, epoch ms; 0 where that cannot be read. */
  readonly venueAt: number;
}

/** Not market data: an answer to a request, a sign of life, or the venue's word that it will close the connection. */
export interface NoticeFrame {
  readonly kind: 'notice';
  readonly notice: 'Response' | 'Heartbeat' | 'ServerShutdown';
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

export type MarketFrame = DepthFrame | BookFrame | ChangeFrame | TickerFrame | TradeFrame | TradeMarkFrame;
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
  /** Its trades and its book keep no step with each other: a trade without a change of the book proves nothing. */
  readonly isLoose?: true;
}

/** By the venue's name, as it stands in its frames. */
export type Listings = ReadonlyMap<string, Listing>;

/** What a venue says of the wanted symbols; or to ask again later. */
export type Filters =
  | {
      readonly kind: 'filters';
      readonly listings: Listings;
      /** Those that stay without data, and why. */
      readonly refused: ReadonlyMap<string, string>;
      /** Those of `listings` that the venue does not trade now, and its own word for it. */
      readonly halted: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number };
