// Our books beside the venue's own: what tests and benchmarks of recovery compare.
import { isDeepStrictEqual } from 'node:util';
import type { Depth } from '../../simulator/player.ts';
import { topLevels, type Book } from '../book.ts';
import type { Running } from './running.ts';

/** Whether our book is level for level the one that the venue has now. */
export function isVenues(
  { ingest, simulator }: Pick<Running, 'ingest' | 'simulator'>,
  source: string,
  symbol: string,
): boolean {
  const market = ingest.shard.markets.get(symbol);
  const book = market === undefined ? undefined : simulator.book(source, market.listing.venueSymbol);
  if (market === undefined || book === undefined) return false;
  const { priceScale, quantityScale } = market.listing.instrument;
  const levels = (side: Depth['bids']): number[][] =>
    side.map(([price, size]) => [Math.round(Number(price) * priceScale), Math.round(Number(size) * quantityScale)]);
  return isDeepStrictEqual(levelsOf(market.book), { bids: levels(book.bids), asks: levels(book.asks) });
}

export function levelsOf(book: Book) {
  const pairs = (flat: number[]): number[][] =>
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
  return { bids: pairs(topLevels(book.bids, 1e6)), asks: pairs(topLevels(book.asks, 1e6)) };
}
