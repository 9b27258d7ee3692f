// When a venue is asked again what it says of a feed's symbols: whether it trades them, and their filters. For as long as the feed
// runs; knows no venue.
import type { Filters } from './frame.ts';
import { backoffMs, type Budget } from './limits.ts';

export interface StatusTiming {
  /** How often each that is listed is asked about, unless a tenth of that either way. */
  readonly everyMs: number;
  /** How soon after another, or one about all, a question may follow about symbols whose data stopped, or came back. */
  readonly hurryMs: number;
  /** How often one of those that the venue did not know is asked about. */
  readonly unknownMs: number;
}

/** A halt is noticed within 11 s and the venue's answer, and mostly within 3 s of the last update of its book. */
export const STATUS_TIMING: StatusTiming = { everyMs: 10_000, hurryMs: 3_000, unknownMs: 30_000 };
/** A book that says nothing for so long is asked about at once: most do not rest so long while they trade. */
export const QUIET_MS = 2_000;
/** Of what REST allows, for these questions at most. */
const SHARE = 0.2;
const RETRY = { firstMs: 1_000, ceilingMs: 30_000 };

/** The venue's name of a symbol → ours. */
export type Wanted = ReadonlyMap<string, string>;
type Read = Extract<Filters, { kind: 'filters' }>;

const NOBODY: Wanted = new Map();

interface Question {
  readonly about: 'Listed' | 'Hurried' | 'Unknown';
  readonly wanted: Wanted;
}

export interface StatusOptions {
  /** Asks within the venue's budget. Never rejects. */
  readonly read: (wanted: Wanted) => Promise<Filters>;
  readonly onRead: (wanted: Wanted, filters: Read) => void;
  /** Told of the first failure of a row: what was known stays. */
  readonly onFailed: (reason: string) => void;
  readonly timing: StatusTiming;
  /** Symbols of one question at most: of more, some are asked about each time, in turns. */
  readonly atOnce: number;
  /** Of a question about so many symbols, in the venue's weights. */
  readonly weightOf: (symbols: number) => number;
  readonly budget: Pick<Budget, 'perMs'>;
  readonly now: () => number;
  readonly random: () => number;
}

/** Idle after construction; `tick` (several times a second) moves it on. One question is under way at a time. */
export class StatusWatch {
  readonly #options: StatusOptions;
  /** By the venue's name. */
  readonly #listed = new Map<string, string>();
  readonly #unknown = new Map<string, string>();
  readonly #hurried = new Set<string>();
  #isAsking = false;
  #failures = 0;
  /** Nothing is asked before. */
  #restsUntil = 0;
  #listedAt = 0;
  #hurriedAt = 0;
  #unknownAt = 0;

  constructor(options: StatusOptions) {
    this.#options = options;
  }

  /** The first answer, from which on all is asked again. */
  begin(wanted: Wanted, filters: Read): void {
    const t = this.#options.now();
    this.#sort(wanted, filters);
    this.#planListed(t, this.#listed.size);
    this.#planUnknown(t);
  }

  /** Something of a symbol says that its status may have changed. */
  hurry(venueSymbol: string): void {
    if (this.#listed.has(venueSymbol)) this.#hurried.add(venueSymbol);
  }

  tick(): void {
    const t = this.#options.now();
    if (this.#isAsking || t < this.#restsUntil) return;
    const question = this.#next(t);
    if (question.wanted.size > 0) void this.#ask(question);
  }

  /** What is due; what is asked about seldom goes first, so that it has its turn. */
  #next(t: number): Question {
    const { atOnce } = this.#options;
    const some = (of: readonly (readonly [string, string])[]): Wanted => new Map(of.slice(0, atOnce));
    if (t >= this.#unknownAt && this.#unknown.size > 0)
      return { about: 'Unknown', wanted: new Map([...this.#unknown].slice(0, 1)) };
    if (t >= this.#hurriedAt && this.#hurried.size > 0)
      return { about: 'Hurried', wanted: some([...this.#listed].filter(([name]) => this.#hurried.has(name))) };
    return { about: 'Listed', wanted: t >= this.#listedAt ? some([...this.#listed]) : NOBODY };
  }

  async #ask({ about, wanted }: Question): Promise<void> {
    const { read, onRead, onFailed, now, random, timing } = this.#options;
    this.#isAsking = true;
    const filters = await read(wanted);
    this.#isAsking = false;
    const t = now();
    if (filters.kind === 'retry') {
      if (this.#failures === 0) onFailed(filters.reason);
      this.#restsUntil = t + Math.max(filters.afterMs, backoffMs(this.#failures++, random(), RETRY));
      return;
    }
    this.#failures = 0;
    this.#restsUntil = t + this.#paceMs(wanted.size);
    if (about === 'Hurried' || wanted.size === this.#listed.size) this.#hurriedAt = t + timing.hurryMs;
    this.#sort(wanted, filters);
    if (about === 'Listed') this.#planListed(t, wanted.size);
    if (about === 'Unknown') this.#planUnknown(t);
    onRead(wanted, filters);
  }

  /** One that the venue does not know has a question about many refused as a whole (Binance's -1121), so it is asked about alone. */
  #sort(wanted: Wanted, { listings }: Read): void {
    for (const [name, symbol] of wanted) {
      this.#listed.delete(name);
      this.#unknown.delete(name); // to come after those that wait for their turn
      this.#hurried.delete(name);
      (listings.has(name) ? this.#listed : this.#unknown).set(name, symbol);
    }
  }

  /** After a question about so many of those that are listed: all of them have their turn within `everyMs`, where the pace allows it. */
  #planListed(t: number, asked: number): void {
    const { timing, random } = this.#options;
    const share = Math.min(1, asked / Math.max(1, this.#listed.size));
    this.#listedAt = t + Math.max(share * timing.everyMs * (0.9 + 0.2 * random()), this.#paceMs(asked));
  }

  #planUnknown(t: number): void {
    this.#unknownAt = t + Math.max(this.#options.timing.unknownMs, this.#paceMs(1));
  }

  /** How far apart such questions are, so that all others have their part of the budget. */
  #paceMs(symbols: number): number {
    const { weightOf, budget } = this.#options;
    return weightOf(symbols) / (SHARE * budget.perMs);
  }
}
