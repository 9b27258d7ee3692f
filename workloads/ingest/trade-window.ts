// Traded lots of the last 30 s by side, in buckets of one second, so that memory does not depend on the flow. Pure.

const SECONDS = 30;

/** Changed in place. */
export interface TradeWindow {
  /** Second (epoch) of the newest bucket. */
  second: number;
  readonly signed: Float64Array;
  readonly total: Float64Array;
  /** Of all buckets: lots are whole, so that nothing is lost to rounding. */
  signedSum: number;
  totalSum: number;
}

export const emptyWindow = (): TradeWindow => ({
  second: 0,
  signed: new Float64Array(SECONDS),
  total: new Float64Array(SECONDS),
  signedSum: 0,
  totalSum: 0,
});

/** Adds a trade of `lots` > 0 at `t` (epoch ms); `sellerTook` counts against. */
export function addTrade(window: TradeWindow, t: number, lots: number, sellerTook: boolean): void {
  moveTo(window, t);
  const bucket = window.second % SECONDS;
  const signed = sellerTook ? -lots : lots;
  window.signed[bucket] = (window.signed[bucket] ?? 0) + signed;
  window.total[bucket] = (window.total[bucket] ?? 0) + lots;
  window.signedSum += signed;
  window.totalSum += lots;
}

/** (bought − sold) / traded over the 29 to 30 s up to `t`, −1 … 1; 0 where nothing traded. */
export function imbalance(window: TradeWindow, t: number): number {
  moveTo(window, t);
  return window.totalSum > 0 ? window.signedSum / window.totalSum : 0;
}

function moveTo(window: TradeWindow, t: number): void {
  const second = Math.floor(t / 1_000);
  const from = Math.max(window.second + 1, second - SECONDS + 1);
  for (let at = from; at <= second; at++) {
    const bucket = at % SECONDS;
    window.signedSum -= window.signed[bucket] ?? 0;
    window.totalSum -= window.total[bucket] ?? 0;
    window.signed[bucket] = 0;
    window.total[bucket] = 0;
  }
  window.second = Math.max(window.second, second);
}
