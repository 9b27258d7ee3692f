// Levels of a book as venues write them → ticks and lots. Called by the decoders.
import { NOT_A_DECIMAL, parseFloored, parseScaled, TOO_FINE } from './decimal.ts';
import type { Levels, Listing } from './frame.ts';

/**
 * [[price, size], …] → flat levels; undefined where one of them cannot be read. Orders that are older than the venue's
 * present steps stay in its book: BTCUSDT shows ["200000.00000000","25.42618900"] with a step of 0.00001. Sizes are
 * therefore rounded down to lots (a level of less than one counts as gone), and a price between ticks is left out.
 */
export function decodeLevels(levels: unknown, listing: Listing): Levels | undefined {
  if (!Array.isArray(levels)) return undefined;
  const flat: number[] = [];
  for (const level of levels as readonly unknown[]) {
    if (!Array.isArray(level) || !pushLevel(flat, level[0], level[1], listing)) return undefined;
  }
  return flat;
}

/** Appends one level to `flat`, by the same rules; false where it cannot be read. */
export function pushLevel(
  flat: number[],
  price: unknown,
  size: unknown,
  { priceDecimals, quantityDecimals }: Listing,
): boolean {
  const ticks = parseScaled(price, priceDecimals);
  const lots = parseFloored(size, quantityDecimals);
  if (ticks === NOT_A_DECIMAL || ticks === 0 || lots < 0) return false;
  if (ticks !== TOO_FINE) flat.push(ticks, lots);
  return true;
}
