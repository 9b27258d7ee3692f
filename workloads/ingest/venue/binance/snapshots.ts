// Fetches depth snapshots for the books that ask: each symbol at most once at a time, within the venue's REST budget, for
// ever. Knows no venue: the adapter says how one is fetched.
import { backoffMs, type Budget } from '../limits.ts';
import type { Malformed, Snapshot } from '../frame.ts';

/** Retry: the venue asked for a pause (429, 418) or could not be reached. */
export type Fetched =
  Snapshot | Malformed | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number };

export interface SnapshotOptions {
  readonly fetch: (symbol: string) => Promise<Fetched>;
  readonly budget: Budget;
  readonly weight: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onProblem: (symbol: string, reason: string) => void;
}

const PARALLEL = 4;
const TIMES = { firstMs: 250, ceilingMs: 30_000 };
/** Asking again this long after the last time counts as a new trouble, not as a retry. */
const FORGET_MS = 60_000;

interface Wanted {
  notBefore: number;
  attempts: number;
  askedAt: number;
  busy: boolean;
}

/** Idle after construction; `tick` (several times a second) moves it on. */
export class Snapshots {
  readonly #options: SnapshotOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #history = new Map<string, Wanted>();
  #busy = 0;
  #pausedUntil = 0;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /** Wants a snapshot of a symbol, once; the first comes at once, repeats with growing pauses. */
  want(symbol: string): void {
    if (this.#wanted.has(symbol)) return;
    const now = this.#options.now();
    const last = this.#history.get(symbol);
    const isRepeat = last !== undefined && now - last.askedAt < FORGET_MS;
    const attempts = isRepeat ? last.attempts + 1 : 0;
    this.#wanted.set(symbol, { attempts, askedAt: now, busy: false, notBefore: now + this.#pause(attempts) });
    this.tick();
  }

  /** The connection is gone: what is under way is of no use. */
  forget(symbol: string): void {
    this.#wanted.delete(symbol);
  }

  tick(): void {
    const { now, budget, weight } = this.#options;
    const at = now();
    if (at < this.#pausedUntil) return;
    for (const [symbol, wanted] of this.#wanted) {
      if (this.#busy >= PARALLEL) return;
      if (wanted.busy || at < wanted.notBefore) continue;
      if (budget.spend(weight, at) > 0) return;
      void this.#fetch(symbol, wanted);
    }
  }

  async #fetch(symbol: string, wanted: Wanted): Promise<void> {
    const { fetch, now, onSnapshot, onProblem } = this.#options;
    wanted.busy = true;
    this.#busy += 1;
    const fetched = await fetch(symbol);
    this.#busy -= 1;
    wanted.busy = false;
    if (this.#wanted.get(symbol) !== wanted) return; // forgotten, or wanted anew
    wanted.askedAt = now();
    if (fetched.kind === 'snapshot') {
      this.#wanted.delete(symbol);
      this.#history.set(symbol, wanted);
      return onSnapshot(fetched);
    }
    wanted.attempts += 1;
    wanted.notBefore = now() + this.#pause(wanted.attempts);
    if (fetched.kind === 'retry') this.#pausedUntil = Math.max(this.#pausedUntil, now() + fetched.afterMs);
    onProblem(symbol, fetched.kind === 'retry' ? fetched.reason : `${fetched.reason} ${fetched.detail}`);
  }

  #pause(attempts: number): number {
    return attempts === 0 ? 0 : backoffMs(attempts - 1, this.#options.random(), TIMES);
  }
}
