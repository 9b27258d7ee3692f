// The last trades of each symbol of a simulated venue: what its REST side gives.
import type { TradeEvent, VenueEvent } from '../player.ts';

const RECENT_TRADES = 1_000;

export interface Tape {
  readonly note: (event: VenueEvent) => void;
  /** Newest first. */
  readonly of: (symbol: string) => readonly TradeEvent[];
}

export function newTape(): Tape {
  const recent = new Map<string, TradeEvent[]>();
  return {
    note: (event) => {
      if (event.kind !== 'trade') return;
      const trades = recent.get(event.symbol) ?? [];
      trades.push(event);
      if (trades.length > RECENT_TRADES) trades.shift();
      recent.set(event.symbol, trades);
    },
    of: (symbol) => (recent.get(symbol) ?? []).toReversed(),
  };
}
