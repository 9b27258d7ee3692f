// How a book is kept in sequence: the closed union of both kinds of continuity that venues have. Pure data; splice.ts has the
// rules of the first kind, market.ts moves a book from one state to the next.
import type { DepthFrame } from './frame.ts';

/**
 * By ids (Binance): Waiting → Buffering → Live, as the snapshot comes by another way and is spliced on. By the stream itself
 * (Coinbase): Waiting → Following, as the snapshot stands in the stream and its order is all that there is.
 */
export type BookSync =
  /** Nothing came since the connection was made, or since the book was lost. */
  | { readonly phase: 'Waiting' }
  /** Events are kept until a snapshot joins on. */
  | { readonly phase: 'Buffering'; readonly events: readonly DepthFrame[] }
  /** The book is continuous up to lastId. */
  | { readonly phase: 'Live'; lastId: number }
  /** The book is its stream's snapshot and the `changes` since, the last of which came at `changedAt`. */
  | { readonly phase: 'Following'; changes: number; changedAt: number };

export const WAITING: BookSync = { phase: 'Waiting' };

/** Grows with each update that a trusted book took; −1 while it is out. Live: the venue's id. */
export function progressOf(sync: BookSync): number {
  if (sync.phase === 'Live') return sync.lastId;
  return sync.phase === 'Following' ? sync.changes : -1;
}
