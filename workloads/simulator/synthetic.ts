// Plays the synthetic market by the clock, in Binance's messages. Called by server.ts.
import { instrumentOf, type Depth, type Player, type Sink } from './player.ts';
import { newMarket, stepMarket, type Change, type Instrument, type Listing, type MarketOptions } from './market.ts';

/** `@depth@100ms`. */
const STEP_MS = 100;
/** A process that was stopped for a while goes on from there: time that nobody saw is not made up. */
const CATCH_UP_STEPS = 5;

export interface SyntheticOptions {
  readonly symbols: readonly string[];
  readonly market: MarketOptions;
  readonly sink: Sink;
  /** Epoch ms. */
  readonly now: () => number;
}

const scaleOf = (step: string): number => Math.round(1 / Number(step));

export const listingOf = (symbol: string): Listing => {
  const { tickSize, stepSize, price } = instrumentOf(symbol);
  return { symbol, price, priceScale: scaleOf(tickSize), quantityScale: scaleOf(stepSize) };
};

/** Runs from now on, whether somebody listens or not, as venues do. */
export function playSynthetic({ symbols, market: options, sink, now }: SyntheticOptions): Player {
  const market = newMarket(symbols.map(listingOf), options);
  const bySymbol = new Map(market.instruments.map((instrument) => [instrument.listing.symbol, instrument]));
  let due = now() + STEP_MS;
  const timer = setInterval(() => {
    for (let steps = 0; now() >= due && steps < CATCH_UP_STEPS; steps++) {
      due += STEP_MS;
      for (const change of stepMarket(market, STEP_MS / 1_000)) send(sink, change, now());
    }
    if (now() >= due) due = now() + STEP_MS;
  }, STEP_MS / 2);
  return {
    symbols,
    filters: instrumentOf,
    depth: (symbol) => {
      const instrument = bySymbol.get(symbol);
      return instrument === undefined ? undefined : depthOf(instrument);
    },
    subscribed: () => undefined,
    stop: () => clearInterval(timer),
  };
}

const decimal = (units: number, scale: number): string => (units / scale).toFixed(8);

/** The book, best levels first. */
export function depthOf({ bids, asks, lastId, listing }: Instrument): Depth {
  const texts = (levels: Iterable<readonly [number, number]>): [string, string][] =>
    [...levels].map(([ticks, lots]) => [decimal(ticks, listing.priceScale), decimal(lots, listing.quantityScale)]);
  return {
    lastUpdateId: lastId,
    bids: texts([...bids].sort(([a], [b]) => b - a)),
    asks: texts([...asks].sort(([a], [b]) => a - b)),
  };
}

/** Trades first, as they came before the book's new state; then the best prices; then the differences. */
function send(sink: Sink, change: Change, at: number): void {
  const { instrument, firstId, lastId, trades, bestChanged } = change;
  const { listing } = instrument;
  const { symbol } = listing;
  const stream = symbol.toLowerCase();
  const price = (ticks: number): string => decimal(ticks, listing.priceScale);
  const size = (lots: number): string => decimal(lots, listing.quantityScale);
  const levels = (changed: Change['bids']): [string, string][] =>
    changed.map(([ticks, lots]) => [price(ticks), size(lots)]);
  const E = Math.trunc(at);
  for (const { tradeId, ticks, lots, sellerTook } of trades) {
    const trade = {
      e: 'trade',
      E,
      s: symbol,
      t: tradeId,
      p: price(ticks),
      q: size(lots),
      T: E,
      m: sellerTook,
      M: true,
    };
    sink.send(`${stream}@trade`, JSON.stringify(trade));
  }
  if (bestChanged) {
    const { bestBid, bestAsk, bids, asks } = instrument;
    const [B, A] = [size(bids.get(bestBid) ?? 0), size(asks.get(bestAsk) ?? 0)];
    sink.send(
      `${stream}@bookTicker`,
      JSON.stringify({ u: lastId, s: symbol, b: price(bestBid), B, a: price(bestAsk), A }),
    );
  }
  const update = {
    e: 'depthUpdate',
    E,
    s: symbol,
    U: firstId,
    u: lastId,
    b: levels(change.bids),
    a: levels(change.asks),
  };
  sink.send(`${stream}@depth@100ms`, JSON.stringify(update));
}
