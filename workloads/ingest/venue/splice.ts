// Sequence of a Binance-like book: diff events with first and last update id, spliced onto a REST snapshot. Pure; one per
// book, driven by step.ts. The numbered rules are Binance's own, "How to manage a local order book correctly":
//  1 open the stream; 2 buffer its events, note U of the first; 3 get a depth snapshot;
//  4 snapshot's lastUpdateId < that U: back to 3; 5 drop buffered events with u ≤ lastUpdateId, the first left must have
//  lastUpdateId in [U;u]; 6 set the book to the snapshot; 7 apply what is left, then all that follows:
//    u < the book's id: ignore; U > the book's id + 1: events were missed, discard the book, start over.
// Sizes are absolute, so an event that overlaps the book's id (a second connection cuts its batches elsewhere) is applied.
import type { DepthFrame, Snapshot } from './frame.ts';
import type { BookSync } from './sync.ts';

/** Buffered events at most; at 10 a second a snapshot has 100 s to come. The oldest is dropped: rule 4 finds that out. */
export const BUFFER_LIMIT = 1_000;

/** What to do with an event. Stale: already in the book. Gap: events were missed; the book is no longer to be trusted. */
export type Verdict = 'Apply' | 'Stale' | 'Gap';

/** Rule 7 for an event on a live book that is at `lastId`. */
export function verdictOn(frame: DepthFrame, lastId: number): Verdict {
  if (frame.lastId <= lastId) return 'Stale';
  return frame.firstId > lastId + 1 ? 'Gap' : 'Apply';
}

/** Rule 2: the sync after one more event that cannot be applied yet. */
export function buffered(sync: BookSync, frame: DepthFrame): BookSync {
  const earlier = sync.phase === 'Buffering' ? sync.events : [];
  const kept = earlier.length >= BUFFER_LIMIT ? earlier.slice(1 - BUFFER_LIMIT) : earlier;
  return { phase: 'Buffering', events: [...kept, frame] };
}

export type Splice =
  /** Rules 5–7: the book is the snapshot plus these events, in order. */
  | { readonly kind: 'Joined'; readonly events: readonly DepthFrame[]; readonly lastId: number }
  /** Rule 4: the snapshot is older than the first event kept; get another. */
  | { readonly kind: 'TooOld' }
  /** Events were missed inside the buffer; only those from the gap on are worth keeping. */
  | { readonly kind: 'Gap'; readonly events: readonly DepthFrame[] };

/** Joins a snapshot to the buffered events; `events` oldest first. */
export function spliceOnto(snapshot: Snapshot, events: readonly DepthFrame[]): Splice {
  const first = events[0];
  // Rule 4 says lastUpdateId < U; with lastUpdateId = U − 1 nothing is missing, and rule 7 would accept the event.
  if (first !== undefined && snapshot.lastId + 1 < first.firstId) return { kind: 'TooOld' };
  let lastId = snapshot.lastId;
  const applied: DepthFrame[] = [];
  for (const [index, event] of events.entries()) {
    const verdict = verdictOn(event, lastId);
    if (verdict === 'Gap') return { kind: 'Gap', events: events.slice(index) };
    if (verdict === 'Stale') continue;
    applied.push(event);
    lastId = event.lastId;
  }
  return { kind: 'Joined', events: applied, lastId };
}
