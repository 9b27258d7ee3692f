// What the thread that runs ccxt and the feed that owns it say to each other: two closed unions, and nothing else crosses.
import type { DailyClose } from '../../../contract/bars.ts';
import type { ExchangeOptions } from './exchange.ts';
import type { SilenceTiming } from '../silences.ts';
import type { Filters, Malformed, MarketFrame } from '../frame.ts';

export interface ThreadOptions extends ExchangeOptions {
  /** The exchange's name of a symbol → ours. */
  readonly symbols: readonly (readonly [string, string])[];
  readonly timing: CcxtTiming;
}

export interface CcxtTiming {
  /** Between two polls of a symbol, where the exchange has no WebSocket side. */
  readonly pollMs: number;
  readonly firstRetryMs: number;
  readonly slowestRetryMs: number;
  /** Connections are made this far apart while there is none. */
  readonly dialEveryMs: number;
  readonly silence: SilenceTiming;
  /** The same of a symbol's trades. */
  readonly trades: SilenceTiming;
  /** How often all markets are read again; and how soon after another, where a book fell silent. */
  readonly status: { readonly everyMs: number; readonly hurryMs: number };
}

export type FromThread =
  /** Read, or not yet and why; told again where they changed. */
  | { readonly kind: 'listings'; readonly filters: Filters }
  /** A symbol's book is there: its next frame is the whole of it. */
  | { readonly kind: 'up'; readonly symbol: string }
  /** It is not to be had, or not any more; told at each attempt. */
  | { readonly kind: 'down'; readonly symbol: string; readonly reason: string }
  /** Its connection lives. */
  | { readonly kind: 'heard'; readonly symbol: string }
  /** The exchange's book moved on without ours. */
  | { readonly kind: 'stalled'; readonly symbol: string }
  /** There were trades, and none of them came. */
  | { readonly kind: 'tradesStalled'; readonly symbol: string }
  /** What was asked for by `closes`; undefined where it is not to be had now. */
  | { readonly kind: 'closes'; readonly symbol: string; readonly closes: readonly DailyClose[] | undefined }
  | { readonly kind: 'frame'; readonly frame: MarketFrame }
  | { readonly kind: 'malformed'; readonly malformed: Malformed; readonly text: string };

export type ToThread =
  /** The next frame of the book is to be the whole of it. */
  | { readonly kind: 'whole'; readonly symbol: string }
  /** The symbol's stream is dead: its connection is made anew. */
  | { readonly kind: 'renew'; readonly symbol: string }
  /** Daily closes are wanted; each question has one answer. */
  | { readonly kind: 'closes'; readonly symbol: string };
