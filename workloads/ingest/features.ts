// Features of a symbol as the contract has them, and when they go out. Pure; called by step.ts.
import type { Features } from '../contract/messages.ts';
import { knownReturns, lastPoint } from './grid.ts';
import { lagAt } from './lateness.ts';
import type { Market } from './market.ts';
import { imbalance } from './trade-window.ts';

/** At most 20 emissions per second and symbol: newest wins. */
export const MIN_INTERVAL_MS = 50;
/** At least one emission per second, so that age and validity reach readers also in a quiet market. */
export const MAX_INTERVAL_MS = 1_000;

/** When a symbol was last emitted, and what waits. Changed in place. */
export interface Emission {
  seq: number;
  /** −Infinity before the first. */
  lastAt: number;
  pending: boolean;
  /** Changes that a newer one replaced before it could go out. */
  skipped: number;
}

export const newEmission = (): Emission => ({ seq: 0, lastAt: -Infinity, pending: false, skipped: 0 });

/** Notes a change at `t`; true where it may go out now. */
export function noteChange(emission: Emission, t: number): boolean {
  if (emission.pending) emission.skipped += 1;
  emission.pending = true;
  return t - emission.lastAt >= MIN_INTERVAL_MS;
}

/** Whether an emission is due at `t` without a new change. */
export const isDue = (emission: Emission, t: number): boolean =>
  t - emission.lastAt >= (emission.pending ? MIN_INTERVAL_MS : MAX_INTERVAL_MS);

/** The message for `market` at `t`; counts it as sent. */
export function emitFeatures(market: Market, emission: Emission, bootId: string, t: number): Features {
  emission.pending = false;
  emission.lastAt = t;
  emission.seq += 1;
  const grid = lastPoint(market.grid);
  const { best } = market;
  const { mid, microPrice, spreadBps, pressure } = pricesOf(market);
  // Field by field: spread into the literal they take twice as long.
  const features: { -readonly [Field in keyof Features]: Features[Field] } = {
    symbol: market.symbol,
    seq: emission.seq,
    bootId,
    t,
    instrument: market.listing.instrument,
    valid: market.valid,
    heardAt: market.link.heardAt,
    bidTicks: best.bidTicks,
    bidLots: best.bidLots,
    askTicks: best.askTicks,
    askLots: best.askLots,
    mid,
    microPrice,
    spreadBps,
    pressure,
    tradeImbalance: imbalance(market.window, t),
    ...(grid === undefined ? {} : { grid }),
    returnsBps: knownReturns(market.grid),
    frames: market.frames,
    trades: market.trades,
    tradedLots: market.tradedLots,
  };
  if (market.halted !== undefined) features.halted = market.halted;
  if (market.link.clock !== undefined) features.lagMs = Math.round(lagAt(market, t));
  return features;
}

/** Mid, micro-price (the mid weighted toward the thinner side), spread and pressure; zeros where a side is empty. */
function pricesOf({ best, listing }: Market): Pick<Features, 'mid' | 'microPrice' | 'spreadBps' | 'pressure'> {
  const { bidTicks, bidLots, askTicks, askLots } = best;
  const lots = bidLots + askLots;
  if (bidTicks === 0 || askTicks === 0 || lots === 0) return { mid: 0, microPrice: 0, spreadBps: 0, pressure: 0 };
  const scale = listing.instrument.priceScale;
  return {
    mid: (bidTicks + askTicks) / (2 * scale),
    microPrice: (bidTicks * askLots + askTicks * bidLots) / (lots * scale),
    spreadBps: (2e4 * (askTicks - bidTicks)) / (askTicks + bidTicks),
    pressure: (bidLots - askLots) / lots,
  };
}
