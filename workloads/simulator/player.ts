// What the server needs of a market, be it synthetic or recorded: frames as they come, and the book behind them.

/** What a venue says of an instrument; decimal texts as Binance writes them. */
export interface Filters {
  readonly tickSize: string;
  readonly stepSize: string;
  readonly minNotional: string;
}

/** Binance's form: [price, size] as decimal texts, best first. */
export interface Depth {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

export interface Player {
  /** The venue's names, upper case. */
  readonly symbols: readonly string[];
  filters(symbol: string): Filters;
  /** The whole book now; undefined for a symbol that is not here. */
  depth(symbol: string): Depth | undefined;
  /** Somebody listens to a stream of this market for the first time, or again. */
  subscribed(stream: string): void;
  stop(): void;
}

/** Where frames go. */
export interface Sink {
  /** `data` is the JSON of the event, as on a raw stream. */
  send(stream: string, data: string): void;
  /** Resolves when every reader has taken what was sent. */
  drained(): Promise<void>;
  /** Ends every connection: the market starts anew. */
  disconnectAll(): void;
}

const KNOWN: Readonly<Record<string, Filters & { readonly price: number }>> = {
  BTCUSDT: { tickSize: '0.01000000', stepSize: '0.00001000', minNotional: '5.00000000', price: 61_800 },
  ETHUSDT: { tickSize: '0.01000000', stepSize: '0.00010000', minNotional: '5.00000000', price: 2_680 },
};
const OTHER = { tickSize: '0.01000000', stepSize: '0.00100000', minNotional: '5.00000000', price: 100 };

/** Binance's filters of the instruments it is known by, and where their synthetic prices start; plain ones for any other. */
export const instrumentOf = (symbol: string): Filters & { readonly price: number } => KNOWN[symbol] ?? OTHER;
