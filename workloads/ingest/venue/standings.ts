// What a venue says of each symbol of a feed, for as long as it runs: those without data, those that it does not trade, and filters
// that change. Told to the core and to the log when it changes.
import type { Logger } from '../../kit/log.ts';
import type { Event } from '../step.ts';
import type { Filters, Listing, Listings } from './frame.ts';
import type { Wanted } from './status-watch.ts';

type Read = Extract<Filters, { kind: 'filters' }>;

export interface StandingsOptions {
  readonly source: string;
  readonly log: Pick<Logger, 'error'>;
  readonly now: () => number;
  readonly emit: (event: Event) => void;
}

export class Standings {
  readonly #options: StandingsOptions;
  /** Markets that have begun, by the venue's name. */
  readonly #listings = new Map<string, Listing>();
  /** Why symbols are without data, by the venue's name. */
  readonly #refused = new Map<string, string>();
  /** Why the venue does not trade them, by our name. */
  readonly #halted = new Map<string, string>();

  constructor(options: StandingsOptions) {
    this.#options = options;
  }

  get listings(): Listings {
    return this.#listings;
  }

  isHalted(symbol: string): boolean {
    return this.#halted.size > 0 && this.#halted.has(symbol);
  }

  /** Why symbols are not traded, for people; undefined where all are. */
  reason(): string | undefined {
    const reasons = [...this.#refused.values(), ...[...this.#halted].map(([symbol, word]) => `${symbol} is ${word}`)];
    return reasons.length === 0 ? undefined : reasons.join('; ');
  }

  /** Symbols whose market begins: the caller tells the core of them, then calls `take`. */
  begin({ listings }: Read): readonly Listing[] {
    const fresh = [...listings].filter(([venueSymbol]) => !this.#listings.has(venueSymbol));
    for (const [venueSymbol, listing] of fresh) this.#listings.set(venueSymbol, listing);
    return fresh.map(([, listing]) => listing);
  }

  /** What is said of `wanted`; gives the symbols that are traded again. */
  take(wanted: Wanted, filters: Read): readonly string[] {
    return [...wanted].flatMap(([venueSymbol, symbol]) => {
      const known = this.#listings.get(venueSymbol);
      this.#refuse(venueSymbol, known === undefined ? filters.refused.get(venueSymbol) : undefined);
      return known !== undefined && this.#takeListing(known, filters) ? [symbol] : [];
    });
  }

  #refuse(venueSymbol: string, reason: string | undefined): void {
    if (reason === this.#refused.get(venueSymbol)) return;
    if (reason === undefined) this.#refused.delete(venueSymbol);
    else this.#refused.set(venueSymbol, reason);
    const { log, source } = this.#options;
    if (reason !== undefined) log.error({ source, reason }, 'symbol without data');
  }

  /** Whether it is traded again. */
  #takeListing(known: Listing, filters: Read): boolean {
    const { now, emit } = this.#options;
    const { symbol, venueSymbol } = known;
    const { bounds, halted } = standingOf(known, filters);
    if (bounds !== undefined) {
      this.#listings.set(venueSymbol, bounds);
      emit({ kind: 'bounds', symbol, listing: bounds, t: now() });
    }
    if (halted === this.#halted.get(symbol)) return false;
    if (halted === undefined) this.#halted.delete(symbol);
    else this.#halted.set(symbol, halted);
    emit({ kind: 'status', symbol, halted, t: now() });
    return halted === undefined;
  }
}

/**
 * What became of a symbol whose market has begun: why no order of it may be sent (undefined: it trades), and its listing where
 * the venue changed something else of it.
 */
function standingOf(
  known: Listing,
  { listings, refused, halted }: Read,
): { readonly halted: string | undefined; readonly bounds?: Listing } {
  const { venueSymbol } = known;
  const now = listings.get(venueSymbol);
  if (now === undefined) return { halted: `out: ${refused.get(venueSymbol)}` };
  const changed = unitsChanged(known, now);
  if (changed !== undefined) return { halted: changed };
  const isSame = JSON.stringify(known) === JSON.stringify(now);
  return { halted: halted.get(venueSymbol), ...(isSame ? {} : { bounds: now }) };
}

/** What is known in the old units would be read in the new: positions, orders, books. */
function unitsChanged(before: Listing, now: Listing): string | undefined {
  const [price, size] = [before.priceDecimals !== now.priceDecimals, before.quantityDecimals !== now.quantityDecimals];
  if (size)
    return `counted in sizes of ${now.quantityDecimals} decimals, ${before.quantityDecimals} before: see the runbook`;
  return price
    ? `priced with ${now.priceDecimals} decimals, ${before.priceDecimals} before: restart its ingest`
    : undefined;
}
