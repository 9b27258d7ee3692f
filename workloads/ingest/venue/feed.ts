// What every venue's adapter gives to main.ts: one interface, one adapter per venue, on top of feed-shell.ts.
import type { DailyClose } from '../../contract/bars.ts';
import type { Logger } from '../../kit/log.ts';
import type { Event } from '../step.ts';
import type { MissedRange } from './missed-trades.ts';
import type { Malformed } from './frame.ts';

export interface FeedOptions {
  /** Name of the source in the TradingSystem. */
  readonly source: string;
  /** Where its WebSocket and REST are served. */
  readonly endpoints: { readonly ws: string; readonly rest: string };
  /** The venue's name of a symbol → ours. */
  readonly symbols: ReadonlyMap<string, string>;
  /** Its times are of the past, and say nothing. */
  readonly isRecorded?: boolean;
  /** Pods that may share one address toward the venue: its limits are divided by it. */
  readonly shards: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Logger;
  /** Gives events to the core, in order. */
  readonly emit: (event: Event) => void;
  /** A frame that could not be read; `text` is what came. */
  readonly onMalformed: (malformed: Malformed, text: string) => void;
}

export interface Feed {
  /** The core wants a snapshot of one of its symbols. */
  wantSnapshot(symbol: string): void;
  /** The symbol's stream is dead though its connection lives: asks the venue for it anew, without a break for the others. */
  renew(symbol: string): void;
  /** The stream left out trades of one of its symbols: those that the venue still gives come as `tradesFound`. */
  wantTrades(range: MissedRange): void;
  /** Closes of the last days, oldest first; undefined where the venue does not give them now. Never rejects. */
  dailyCloses(symbol: string): Promise<readonly DailyClose[] | undefined>;
  /** `reason`: why symbols are without data, where they are. */
  status(): { readonly connected: boolean; readonly reconnects: number; readonly reason?: string };
  /** Ends all connections; no event comes after. */
  stop(): void;
}
