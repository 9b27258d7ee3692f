// Keys to work on. A key is there once, however often it is added: at its earliest time; and is worked on once at a time.
import type { ControllerMetrics } from './metrics.ts';

const FIRST_RETRY_MS = 50;
const SLOWEST_RETRY_MS = 60_000;
/** A timer that is set for longer than this many ms, 24.8 days, goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface QueueOptions {
  readonly metrics?: ControllerMetrics;
  /** Monotonic, ms. */
  readonly now?: () => number;
  readonly random?: () => number;
}

export class Queue {
  /** When each waiting key is due, and when it was first added. */
  readonly #due = new Map<string, { at: number; readonly since: number }>();
  readonly #working = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #metrics: ControllerMetrics | undefined;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ metrics, now = () => performance.now(), random = Math.random }: QueueOptions = {}) {
    this.#metrics = metrics;
    this.#now = now;
    this.#random = random;
  }

  /** Adds a key, due after `delayMs`; one that waits already keeps the earlier time. Added while worked on, it runs again after. */
  add(key: string, delayMs = 0): void {
    if (this.#closed) return;
    const now = this.#now();
    const waiting = this.#due.get(key);
    if (waiting === undefined) this.#metrics?.added();
    if (waiting === undefined) this.#due.set(key, { at: now + delayMs, since: now });
    else waiting.at = Math.min(waiting.at, now + delayMs);
    this.#metrics?.depth(this.#due.size);
    this.#serve();
  }

  /** Adds a key after a failure: exponential back-off with jitter, or what the server asked for, whichever is later. */
  retry(key: string, atLeastMs = 0): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, Math.min(failures + 1, 30));
    this.#metrics?.retried();
    const ceiling = Math.min(FIRST_RETRY_MS * 2 ** failures, SLOWEST_RETRY_MS);
    this.add(key, Math.max(atLeastMs, ceiling * (0.5 + this.#random() / 2)));
  }

  /** The key's work succeeded: its back-off starts anew. */
  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** The API server is back: whatever backs off is due now. */
  hurry(): void {
    for (const key of this.#failures.keys()) if (this.#due.has(key)) this.add(key);
    this.#failures.clear();
  }

  /** The next key that is due, when there is one; undefined once closed. Call `done` when its work has ended. */
  take(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#takers.push(resolve);
    this.#serve();
    return promise;
  }

  done(key: string): void {
    this.#working.delete(key);
    this.#serve();
  }

  /** Nothing more is given out; who waits gets undefined. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #serve(): void {
    if (this.#closed) return this.close();
    const now = this.#now();
    while (this.#takers.length > 0) {
      const next = this.#next(now);
      if (next === undefined) break;
      const since = this.#due.get(next)?.since ?? now;
      this.#due.delete(next);
      this.#working.add(next);
      this.#metrics?.waited((now - since) / 1_000);
      this.#metrics?.depth(this.#due.size);
      this.#takers.shift()?.(next);
    }
    this.#wakeLater(now);
  }

  /** The due key that has waited longest. */
  #next(now: number): string | undefined {
    let best: { readonly key: string; readonly at: number } | undefined;
    for (const [key, { at }] of this.#due) {
      if (at > now || this.#working.has(key)) continue;
      if (best === undefined || at < best.at) best = { key, at };
    }
    return best?.key;
  }

  #wakeLater(now: number): void {
    clearTimeout(this.#timer);
    let earliest = Infinity;
    for (const [key, { at }] of this.#due) if (!this.#working.has(key)) earliest = Math.min(earliest, at);
    if (earliest === Infinity || this.#takers.length === 0) return;
    this.#timer = setTimeout(() => this.#serve(), Math.min(Math.max(0, earliest - now), LONGEST_TIMER_MS));
  }
}
