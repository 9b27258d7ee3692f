// Money of the paper venue in integers: micros (1e-6) of the quote currency. Pure.
import type { Instrument } from '../../contract/messages.ts';

/** A venue's fee, kept as thousandths of a basis point: 3 bps → 3,000. Throws a RangeError outside 0 … 1,000 bps. */
export function feeRate(feeBps: number): number {
  if (!(feeBps >= 0 && feeBps <= 1_000)) throw new RangeError(`feeBps must be 0 … 1000, found ${feeBps}`);
  return Math.round(feeBps * 1_000);
}

/**
 * Value of `lots` at `ticks` in micros. Where it is no whole number, the account pays the difference: a buyer's is
 * rounded up, a seller's down. Exact through BigInt, as ticks × lots × 1e6 passes 2^53 already at 1 BTC.
 */
export function notionalMicros(instrument: Instrument, ticks: number, lots: number, side: 'buy' | 'sell'): number {
  const scale = BigInt(instrument.priceScale) * BigInt(instrument.quantityScale);
  const value = BigInt(ticks) * BigInt(lots) * 1_000_000n;
  return Number(side === 'buy' ? (value + scale - 1n) / scale : value / scale);
}

/** Fee on a notional, rounded up; `rate` as feeRate gives it. */
export function feeMicros(notional: number, rate: number): number {
  return Number((BigInt(notional) * BigInt(rate) + 9_999_999n) / 10_000_000n);
}
