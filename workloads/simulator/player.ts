// What a simulated venue needs of a market, be it synthetic or recorded: events as they happen, and the book behind them. Which
// protocol they are told in, the market does not know.

/** What a venue says of an instrument; decimal texts. */
export interface Filters {
  readonly tickSize: string;
  readonly stepSize: string;
  /** In quote currency. */
  readonly minNotional: string;
}

/** [price, size] as decimal texts. */
export type TextLevels = readonly (readonly [string, string])[];

/** The whole book, best levels first. */
export interface Depth {
  readonly lastUpdateId: number;
  readonly bids: TextLevels;
  readonly asks: TextLevels;
}

interface Happened {
  readonly symbol: string;
  /** Epoch ms. */
  readonly at: number;
  /** Of a recording: the frame as the venue sent it. */
  readonly raw?: string;
}

export interface TradeEvent extends Happened {
  readonly kind: 'trade';
  readonly tradeId: number;
  readonly price: string;
  readonly size: string;
  readonly sellerTook: boolean;
}

/** The best level of a side changed. */
export interface BestEvent extends Happened {
  readonly kind: 'best';
  readonly updateId: number;
  readonly bid: readonly [string, string];
  readonly ask: readonly [string, string];
}

/** Absolute sizes of what changed in the book; 0 removes the level. */
export interface DepthEvent extends Happened {
  readonly kind: 'depth';
  readonly firstId: number;
  readonly lastId: number;
  readonly bids: TextLevels;
  readonly asks: TextLevels;
}

/** What a signal provider claims: no event of a market. */
export interface EdgeEvent extends Happened {
  readonly kind: 'edge';
  readonly sequence: number;
  readonly edgeBps: number;
  readonly horizonSeconds: number;
}

export type MarketEvent = TradeEvent | BestEvent | DepthEvent;
export type VenueEvent = MarketEvent | EdgeEvent;
export const MARKET_KINDS = ['depth', 'best', 'trade'] as const satisfies MarketEvent['kind'][];

/** One UTC day; prices in quote currency, volume in base. */
export interface Bar {
  /** Epoch s of its start. */
  readonly start: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export interface Expected {
  readonly bps: number;
  /** Its standard deviation. */
  readonly sdBps: number;
}

export interface Player {
  /** The venue's names, as it writes them. */
  readonly symbols: readonly string[];
  filters(symbol: string): Filters;
  /** The whole book now; undefined for a symbol that is not here. */
  depth(symbol: string): Depth | undefined;
  /** Id of the last trade; 0 before the first. */
  lastTradeId(symbol: string): number;
  /** Closed days before `now` (epoch ms), oldest first, at most `count`; none where nobody knows them. */
  bars(symbol: string, now: number, count: number): readonly Bar[];
  /** Somebody listens to this for the first time, or again. */
  listened(symbol: string, kind: MarketEvent['kind']): void;
  /** What the mid is expected to do from now on over a horizon, bps, and how far that goes by itself; of a synthetic market. */
  expected?(symbol: string, horizonSeconds: number): Expected | undefined;
  /** Whether the venue trades it now; a recording's always are. */
  isHalted?(symbol: string): boolean;
  /** It, or every symbol, is not traded for so long; absent where what happens is recorded. */
  halt?(symbol: string | undefined, forMs: number): void;
  /** Nothing happens for so long; absent where what happens is recorded. */
  rest?(forMs: number): void;
  stop(): void;
}

/** Where events go. */
export interface Sink {
  send(event: VenueEvent): void;
  /** Resolves when every reader has taken what was sent. */
  drained(): Promise<void>;
  /** Ends every connection: the market starts anew. */
  disconnectAll(): void;
}

type Known = Filters & { readonly price: number };

const BINANCE = { tickSize: '0.01000000', minNotional: '5.00000000' };
const COINBASE = { tickSize: '0.01', stepSize: '0.00000001', minNotional: '1' };
const KNOWN: Readonly<Record<string, Known>> = {
  BTCUSDT: { ...BINANCE, stepSize: '0.00001000', price: 61_800 },
  ETHUSDT: { ...BINANCE, stepSize: '0.00010000', price: 2_680 },
  'BTC-USD': { ...COINBASE, price: 61_800 },
  'ETH-USD': { ...COINBASE, price: 2_680 },
  'BCH-USD': { ...COINBASE, price: 480 },
};
const OTHER: Known = { ...BINANCE, stepSize: '0.00100000', price: 100 };

/** The venues' filters of the instruments they are known by, and where their synthetic prices start; plain ones for any other. */
export const instrumentOf = (symbol: string): Known => KNOWN[symbol] ?? OTHER;
