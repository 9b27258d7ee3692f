// Traded lots of the last 30 s by side, in buckets of one second, so that memory does not depend on the flow. Pure.

const SECONDS = 30;

/** Changed in place. */
export interface TradeWindow {
  /** Second (epoch) of the newest bucket. */
  second: number;
  readonly signed: Float64Array;
  readonly total: Float64Array;
}

export const emptyWindow = (): TradeWindow => ({
  second: 0,
  signed: new Float64Array(SECONDS),
  total: new Float64Array(SECONDS),
});

/** Adds a trade of `lots` > 0 at `t` (epoch ms); `sellerTook` counts against. */
export function addTrade(window: TradeWindow, t: number, lots: number, sellerTook: boolean): void {
  moveTo(window, t);
  const bucket = window.second % SECONDS;
  window.signed[bucket] = (window.signed[bucket] ?? 0) + (sellerTook ? -lots : lots);
  window.total[bucket] = (window.total[bucket] ?? 0) + lots;
}

/** (bought − sold) / traded over the 29 to 30 s up to `t`, −1 … 1; 0 where nothing traded. */
export function imbalance(window: TradeWindow, t: number): number {
  moveTo(window, t);
  let signed = 0;
  let total = 0;
  for (let bucket = 0; bucket < SECONDS; bucket++) {
    signed += window.signed[bucket] ?? 0;
    total += window.total[bucket] ?? 0;
  }
  return total > 0 ? signed / total : 0;
}

function moveTo(window: TradeWindow, t: number): void {
  const second = Math.floor(t / 1_000);
  const from = Math.max(window.second + 1, second - SECONDS + 1);
  for (let at = from; at <= second; at++) {
    window.signed[at % SECONDS] = 0;
    window.total[at % SECONDS] = 0;
  }
  window.second = Math.max(window.second, second);
}
