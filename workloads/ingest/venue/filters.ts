// What venues say of symbols, read in parts, and told apart from what was known. Pure but for the questions that the caller brings.
import type { Filters, Listing } from './frame.ts';
import type { Wanted } from './status-watch.ts';

/** What `read` says of each part, as one. Where one of them is to be asked for later, all are. */
export async function readInParts(parts: Iterable<Wanted>, read: (part: Wanted) => Promise<Filters>): Promise<Filters> {
  const listings = new Map<string, Listing>();
  const refused = new Map<string, string>();
  const halted = new Map<string, string>();
  for (const part of parts) {
    const filters = await read(part);
    if (filters.kind === 'retry') return filters;
    for (const [name, listing] of filters.listings) listings.set(name, listing);
    for (const [name, reason] of filters.refused) refused.set(name, reason);
    for (const [name, word] of filters.halted) halted.set(name, word);
  }
  return { kind: 'filters', listings, refused, halted };
}

export function* partsOf(wanted: Wanted, size: number): Generator<Wanted> {
  const all = [...wanted];
  for (let at = 0; at < all.length; at += size) yield new Map(all.slice(at, at + size));
}
