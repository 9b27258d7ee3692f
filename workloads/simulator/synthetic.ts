// Plays the synthetic market by the clock. Called by server.ts.
import { dailyBars } from './bars.ts';
import { instrumentOf, type Depth, type Player, type Sink } from './player.ts';
import {
  expectedBps,
  halt,
  newMarket,
  PRESSURE_SD,
  stepMarket,
  type Change,
  type Instrument,
  type Listing,
  type MarketOptions,
} from './market.ts';

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
  let restsUntil = 0;
  const timer = setInterval(() => {
    if (now() < restsUntil) return;
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
    lastTradeId: (symbol) => bySymbol.get(symbol)?.tradeId ?? 0,
    bars: (symbol, at, count) =>
      dailyBars({ symbol, seed: options.seed, price: instrumentOf(symbol).price }, at, count),
    listened: () => undefined,
    expected: (symbol, seconds) => {
      const pressure = bySymbol.get(symbol)?.pressure;
      if (pressure === undefined) return undefined;
      return { bps: expectedBps(options, pressure, seconds), sdBps: expectedBps(options, PRESSURE_SD, seconds) };
    },
    isHalted: (symbol) => (bySymbol.get(symbol)?.haltedFor ?? 0) > 0,
    halt: (symbol, forMs) => {
      for (const instrument of market.instruments)
        if (symbol === undefined || instrument.listing.symbol === symbol) halt(instrument, forMs / 1_000);
    },
    rest: (forMs) => {
      restsUntil = now() + forMs;
    },
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
  const price = (ticks: number): string => decimal(ticks, listing.priceScale);
  const size = (lots: number): string => decimal(lots, listing.quantityScale);
  const levels = (changed: Change['bids']): [string, string][] =>
    changed.map(([ticks, lots]) => [price(ticks), size(lots)]);
  for (const { tradeId, ticks, lots, sellerTook } of trades) {
    sink.send({ kind: 'trade', symbol, at, tradeId, price: price(ticks), size: size(lots), sellerTook });
  }
  if (bestChanged) {
    const { bestBid, bestAsk, bids, asks } = instrument;
    const bid = [price(bestBid), size(bids.get(bestBid) ?? 0)] as const;
    const ask = [price(bestAsk), size(asks.get(bestAsk) ?? 0)] as const;
    sink.send({ kind: 'best', symbol, at, updateId: lastId, bid, ask });
  }
  sink.send({ kind: 'depth', symbol, at, firstId, lastId, bids: levels(change.bids), asks: levels(change.asks) });
}
