// Books that come by their own stream, and the subscriptions that are renewed to get one anew: of one connection, all that are
// out at once, with growing pauses, for ever. Knows no venue: the adapter says how they are asked for.
import { backoffMs } from '../limits.ts';

export interface RenewalOptions {
  /** Asks for these books; false where the venue's limits are reached: it is tried again at the next tick. */
  readonly ask: (symbols: readonly string[]) => boolean;
  readonly now: () => number;
  readonly random: () => number;
}

/** A book that was asked for and did not come within this is asked for again. */
const COMES_WITHIN_MS = 10_000;
const TIMES = { firstMs: 250, ceilingMs: 30_000 };
/** A book that is out again this long after it came is a new trouble, not a repeat. */
const FORGET_MS = 60_000;
/** A book that did not come so many times is asked for alone: one that the venue refuses must not take others with it. */
const TOGETHER = 2;

/** Changed in place. */
interface Missing {
  /** Also those before it came the last time: pauses grow with them. */
  attempts: number;
  /** Times that it was asked for and did not come yet. */
  asked: number;
  askAt: number;
}

/** Idle after construction; `tick` (several times a second) moves it on. */
export class Renewals {
  readonly #options: RenewalOptions;
  readonly #missing = new Map<string, Missing>();
  readonly #came = new Map<string, { readonly attempts: number; readonly at: number }>();

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** A new connection: its first subscription brings these. */
  expect(symbols: readonly string[]): void {
    const askAt = this.#options.now() + COMES_WITHIN_MS;
    for (const symbol of symbols) this.#missing.set(symbol, { attempts: 0, asked: 0, askAt });
  }

  /** The book is out: the first time it is asked for at once, repeats with growing pauses. */
  want(symbol: string): void {
    if (this.#missing.has(symbol)) return;
    const now = this.#options.now();
    const last = this.#came.get(symbol);
    const attempts = last !== undefined && now - last.at < FORGET_MS ? last.attempts : 0;
    this.#missing.set(symbol, { attempts, asked: 0, askAt: now + this.#pause(attempts) });
  }

  /** What is on its way may have been lost: it is asked for again. */
  wantAnew(symbol: string): void {
    const missing = this.#missing.get(symbol);
    if (missing === undefined) return this.want(symbol);
    missing.askAt = Math.min(missing.askAt, this.#options.now() + this.#pause(missing.attempts));
  }

  /** It was asked for, and did not come yet. */
  isMissing(symbol: string): boolean {
    return this.#missing.has(symbol);
  }

  came(symbol: string): void {
    const missing = this.#missing.get(symbol);
    if (missing === undefined) return;
    this.#missing.delete(symbol);
    this.#came.set(symbol, { attempts: missing.attempts, at: this.#options.now() });
  }

  /** The connection is gone, and all subscriptions with it. */
  forgetAll(): void {
    this.#missing.clear();
  }

  tick(): void {
    const now = this.#options.now();
    const due = [...this.#missing].filter(([, { askAt }]) => askAt <= now);
    const together = due.filter(([, { asked }]) => asked < TOGETHER);
    const batch = together.length > 0 ? together : due.slice(0, 1);
    if (batch.length === 0 || !this.#options.ask(batch.map(([symbol]) => symbol))) return;
    for (const [, missing] of batch) {
      missing.attempts += 1;
      missing.asked += 1;
      missing.askAt = now + COMES_WITHIN_MS + this.#pause(missing.attempts);
    }
  }

  #pause(attempts: number): number {
    return attempts === 0 ? 0 : backoffMs(attempts - 1, this.#options.random(), TIMES);
  }
}
