// Books, and trades, whose stream went dead while the connection lives: pings and other symbols prove nothing about them. A book that is
// silent is compared with the venue's own, so that a quiet market raises no alarm. Knows no venue: the adapter asks.
import type { Budget } from './limits.ts';

export interface SilenceOptions {
  /** What tells the age of the venue's own book now: greater = newer; undefined where it could not be asked. */
  readonly askId: (symbol: string) => Promise<number | undefined>;
  readonly budget: Budget;
  readonly weight: number;
  readonly now: () => number;
  readonly timing: SilenceTiming;
  /** The venue's book moved on and nothing of it came; said again each `everyMs` while that lasts. */
  readonly onStalled: (symbol: string) => void;
  /** Told once of each silence that lasts `afterMs`, whatever it may mean. */
  readonly quiet?: { readonly afterMs: number; readonly on: (symbol: string) => void };
}

export interface SilenceTiming {
  /** Without an update for this long, the venue is asked. */
  readonly silentMs: number;
  /** How often at most, for one symbol. */
  readonly everyMs: number;
  /** What the venue's answer knows may still be on its way by stream. */
  readonly graceMs: number;
}

/** Of trades: a minute without one is rare where there are any, and asking costs others little. */
export const TRADE_SILENCE: SilenceTiming = { silentMs: 60_000, everyMs: 300_000, graceMs: 5_000 };

/** Changed in place. */
interface Listened {
  heardAt: number;
  /** Update id that our stream, or before its first event the venue's own answer, has reached. */
  lastId: number | undefined;
  askAt: number;
  isQuiet: boolean;
  /** When the silence is proven, unless an update comes first. */
  provenAt: number;
}

/** Idle after construction; `tick` (several times a second) moves it on. */
export class Silences {
  readonly #options: SilenceOptions;
  readonly #books = new Map<string, Listened>();

  constructor(options: SilenceOptions) {
    this.#options = options;
  }

  /** The symbol's connection is up: from now on its book is expected. */
  expect(symbol: string, t: number): void {
    this.#books.set(symbol, { heardAt: t, lastId: undefined, askAt: 0, isQuiet: false, provenAt: Infinity });
  }

  /** Its connection is gone: silence is explained. */
  forget(symbol: string): void {
    this.#books.delete(symbol);
  }

  /** An update of the book came by stream; it has no id where the venue gives none. */
  heard(symbol: string, lastId: number | undefined, t: number): void {
    const book = this.#books.get(symbol);
    if (book === undefined) return;
    book.heardAt = t;
    book.lastId = lastId;
    book.isQuiet = false;
    book.provenAt = Infinity;
  }

  tick(): void {
    const { now, budget, weight, timing, onStalled, quiet } = this.#options;
    const t = now();
    for (const [symbol, book] of this.#books) {
      if (t >= book.provenAt) {
        book.provenAt = Infinity;
        onStalled(symbol);
      }
      if (quiet !== undefined && !book.isQuiet && t - book.heardAt >= quiet.afterMs) {
        book.isQuiet = true;
        quiet.on(symbol);
      }
      if (t - book.heardAt < timing.silentMs || t < book.askAt || budget.spend(weight, t) > 0) continue;
      book.askAt = t + timing.everyMs;
      void this.#ask(symbol, book);
    }
  }

  async #ask(symbol: string, book: Listened): Promise<void> {
    const { askId, now, timing } = this.#options;
    const { heardAt } = book;
    const id = await askId(symbol);
    if (id === undefined || book.heardAt !== heardAt) return;
    if (book.lastId === undefined) {
      book.lastId = id;
      book.askAt = now() + timing.silentMs; // only from the second answer on it tells anything
    } else if (id > book.lastId) {
      book.provenAt = now() + timing.graceMs;
    }
  }
}
