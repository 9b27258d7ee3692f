// One symbol's order book in integers: sorted levels, best one last, so that the levels that change most cost least. Pure;
// step.ts writes it, features and the paper venue read it.
import type { Levels } from './venue/frame.ts';

/** One side. `keys` ascending, best last: key = ticks for bids, −ticks for asks. Changed in place. */
export interface BookSide {
  readonly sign: 1 | -1;
  keys: Float64Array;
  lots: Float64Array;
  size: number;
}

export interface Book {
  readonly bids: BookSide;
  readonly asks: BookSide;
  /** Levels kept per side: between this and twice it, the worst are dropped together. */
  readonly maxLevels: number;
}

const FIRST_CAPACITY = 64;

/** Deeper than a snapshot of 1,000 levels reaches, and than any order walks. */
export const MAX_LEVELS = 2_000;

export function emptyBook(maxLevels = MAX_LEVELS): Book {
  return { bids: emptySide(1), asks: emptySide(-1), maxLevels };
}

const emptySide = (sign: 1 | -1): BookSide => ({
  sign,
  keys: new Float64Array(FIRST_CAPACITY),
  lots: new Float64Array(FIRST_CAPACITY),
  size: 0,
});

export function clearBook(book: Book): void {
  book.bids.size = 0;
  book.asks.size = 0;
}

/** Sets the whole book. Fastest where levels come best first, as venues give them: each is then put behind the last. */
export function setBook(book: Book, bids: Levels, asks: Levels): void {
  clearBook(book);
  for (let i = bids.length - 2; i >= 0; i -= 2) setLevel(book.bids, bids[i] ?? 0, bids[i + 1] ?? 0);
  for (let i = asks.length - 2; i >= 0; i -= 2) setLevel(book.asks, asks[i] ?? 0, asks[i + 1] ?? 0);
  if (book.bids.size > 2 * book.maxLevels) dropWorst(book.bids, book.maxLevels);
  if (book.asks.size > 2 * book.maxLevels) dropWorst(book.asks, book.maxLevels);
}

/** Sets levels to absolute sizes; lots 0 removes (also a level that is not there, which is normal). */
export function applyLevels(book: Book, bids: Levels, asks: Levels): void {
  for (let i = 0; i < bids.length; i += 2) setLevel(book.bids, bids[i] ?? 0, bids[i + 1] ?? 0);
  for (let i = 0; i < asks.length; i += 2) setLevel(book.asks, asks[i] ?? 0, asks[i + 1] ?? 0);
  if (book.bids.size > 2 * book.maxLevels) dropWorst(book.bids, book.maxLevels);
  if (book.asks.size > 2 * book.maxLevels) dropWorst(book.asks, book.maxLevels);
}

/** Best price in ticks, 0 where the side is empty. */
export const bestTicks = (side: BookSide): number =>
  side.size === 0 ? 0 : side.sign * (side.keys[side.size - 1] ?? 0);

/** Size at the best price in lots, 0 where the side is empty. */
export const bestLots = (side: BookSide): number => (side.size === 0 ? 0 : (side.lots[side.size - 1] ?? 0));

/** Two-sided and not crossed or locked. */
export const isOrderly = (bidTicks: number, askTicks: number): boolean => bidTicks > 0 && bidTicks < askTicks;

/** Levels from the best on, as [ticks, lots, …]; `count` of them at most. For tests, snapshots and the console. */
export function topLevels(side: BookSide, count: number): number[] {
  const flat: number[] = [];
  for (let at = side.size - 1; at >= Math.max(0, side.size - count); at--) {
    flat.push(side.sign * (side.keys[at] ?? 0), side.lots[at] ?? 0);
  }
  return flat;
}

function setLevel(side: BookSide, ticks: number, lots: number): void {
  const key = side.sign * ticks;
  const at = placeOf(side.keys, side.size, key);
  const found = at < side.size && side.keys[at] === key;
  if (lots === 0) {
    if (found) removeAt(side, at);
  } else {
    if (!found) insertAt(side, at, key);
    side.lots[at] = lots;
  }
}

/** First index whose key is not below `key`: where the level is, or belongs. */
function placeOf(keys: Float64Array, size: number, key: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insertAt(side: BookSide, at: number, key: number): void {
  if (side.size === side.keys.length) grow(side);
  side.keys.copyWithin(at + 1, at, side.size);
  side.lots.copyWithin(at + 1, at, side.size);
  side.keys[at] = key;
  side.size += 1;
}

function removeAt(side: BookSide, at: number): void {
  side.keys.copyWithin(at, at + 1, side.size);
  side.lots.copyWithin(at, at + 1, side.size);
  side.size -= 1;
}

/** Also gives back the room that a whole book of a venue took. */
function dropWorst(side: BookSide, keep: number): void {
  side.keys.copyWithin(0, side.size - keep, side.size);
  side.lots.copyWithin(0, side.size - keep, side.size);
  side.size = keep;
  if (side.keys.length <= 4 * keep) return;
  side.keys = side.keys.slice(0, 4 * keep);
  side.lots = side.lots.slice(0, 4 * keep);
}

function grow(side: BookSide): void {
  const keys = new Float64Array(side.keys.length * 2);
  const lots = new Float64Array(side.keys.length * 2);
  keys.set(side.keys);
  lots.set(side.lots);
  side.keys = keys;
  side.lots = lots;
}
