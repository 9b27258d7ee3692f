// Keys to work on. A key is there once, however often it is added: at its earliest time; and is worked on once at a time.
// Adding, giving out and moving a key take a time that grows with the logarithm of how many there are.
import { Heap, type Placed } from './heap.ts';

const FIRST_RETRY_MS = 50;
const SLOWEST_RETRY_MS = 60_000;
/** A server that says when knows its load better than our back-off does. */
const SLOWEST_ASKED_RETRY_MS = 5_000;
/** A resync lets go before it what changed up to this long after it was due: longer, and it would starve. */
const RESYNC_PATIENCE_MS = 1_000;
/** A timer that is set for longer than this many ms, 24.8 days, goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Why a key is due: something changed, or it is only looked at again. */
export type Cause = 'change' | 'resync';

/** What a queue tells of itself. */
export interface QueueMetrics {
  /** Keys that are due and wait for a worker. */
  depth(cause: Cause, length: number): void;
  /** A key came due. */
  added(): void;
  /** A key was added for later, after a failure or to be looked at again. */
  retried(): void;
  /** A key was given to a worker, this long after it came due. */
  waited(seconds: number): void;
}

export interface QueueOptions {
  readonly metrics?: QueueMetrics;
  /** Monotonic, ms. */
  readonly now?: () => number;
  readonly random?: () => number;
}

interface Entry extends Placed {
  readonly key: string;
  at: number;
  cause: Cause;
  /** Of two at the same time the one that was added first. */
  readonly order: number;
  /** `aside`: its key is being worked on. */
  place: 'later' | 'due' | 'aside';
}

interface Failures {
  count: number;
  /** The server asked not to be bothered before. */
  notBefore: number;
}

const turnOf = ({ at, cause }: Entry): number => (cause === 'resync' ? at + RESYNC_PATIENCE_MS : at);

export class Queue {
  readonly #entries = new Map<string, Entry>();
  readonly #later = new Heap<Entry>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  readonly #due = new Heap<Entry>((a, b) => turnOf(a) < turnOf(b) || (turnOf(a) === turnOf(b) && a.order < b.order));
  readonly #dueOf: Record<Cause, number> = { change: 0, resync: 0 };
  readonly #working = new Set<string>();
  readonly #failures = new Map<string, Failures>();
  readonly #metrics: QueueMetrics | undefined;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #order = 0;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;
  #closed = false;

  constructor({ metrics, now = () => performance.now(), random = Math.random }: QueueOptions = {}) {
    this.#metrics = metrics;
    this.#now = now;
    this.#random = random;
  }

  /**
   * Adds a key, due after `delayMs`; one that waits already keeps the earlier time and the more urgent cause. Added while worked
   * on, it runs again after. Where the server asked for a pause, the key waits for its end.
   */
  add(key: string, delayMs = 0, cause: Cause = 'change'): void {
    if (this.#closed) return;
    if (delayMs > 0) this.#metrics?.retried();
    const at = Math.max(this.#now() + delayMs, this.#failures.get(key)?.notBefore ?? 0);
    const waiting = this.#entries.get(key);
    if (waiting === undefined) this.#addNew(key, at, cause);
    else if (at < waiting.at || (cause === 'change' && waiting.cause === 'resync')) {
      this.#leave(waiting);
      waiting.at = Math.min(at, waiting.at);
      if (cause === 'change') waiting.cause = cause;
      this.#enter(waiting);
    }
    this.#serve();
  }

  /**
   * Adds a key after a failure: exponential back-off with jitter, or `atLeastMs` where that is later. `askedMs`: the server
   * asked for that pause, which nothing shortens.
   */
  retry(
    key: string,
    { atLeastMs = 0, askedMs = 0 }: { readonly atLeastMs?: number; readonly askedMs?: number } = {},
  ): void {
    const { count = 0 } = this.#failures.get(key) ?? {};
    const notBefore = askedMs > 0 ? this.#now() + askedMs : 0;
    this.#failures.set(key, { count: Math.min(count + 1, 30), notBefore });
    const slowest = askedMs > 0 ? SLOWEST_ASKED_RETRY_MS : SLOWEST_RETRY_MS;
    const ceiling = Math.min(FIRST_RETRY_MS * 2 ** count, slowest);
    this.add(key, Math.max(atLeastMs, askedMs, ceiling * (0.5 + this.#random() / 2)));
  }

  /** The key's work succeeded: its back-off starts anew. */
  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** The API server is back: whatever backs off is due now. */
  hurry(): void {
    const now = this.#now();
    for (const [key, failures] of this.#failures) {
      failures.count = 0;
      if (failures.notBefore <= now) this.#failures.delete(key);
      if (this.#entries.has(key)) this.add(key);
    }
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
    const waiting = this.#entries.get(key);
    if (waiting !== undefined) this.#enter(waiting);
    this.#serve();
  }

  /** Nothing more is given out; who waits gets undefined. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #addNew(key: string, at: number, cause: Cause): void {
    const entry: Entry = { key, at, cause, order: this.#order++, place: 'aside', slot: -1 };
    this.#entries.set(key, entry);
    this.#enter(entry);
  }

  #enter(entry: Entry): void {
    if (this.#working.has(entry.key)) entry.place = 'aside';
    else if (entry.at > this.#now()) {
      entry.place = 'later';
      this.#later.push(entry);
    } else {
      entry.place = 'due';
      this.#due.push(entry);
      this.#metrics?.added();
      this.#countDue(entry.cause, 1);
    }
  }

  #leave(entry: Entry): void {
    if (entry.place === 'later') this.#later.remove(entry);
    else if (entry.place === 'due') {
      this.#due.remove(entry);
      this.#countDue(entry.cause, -1);
    }
    entry.place = 'aside';
  }

  #countDue(cause: Cause, by: number): void {
    this.#dueOf[cause] += by;
    this.#metrics?.depth(cause, this.#dueOf[cause]);
  }

  #serve(): void {
    if (this.#closed) return this.close();
    const now = this.#now();
    for (let next = this.#later.first; next !== undefined && next.at <= now; next = this.#later.first) {
      this.#leave(next);
      this.#enter(next);
    }
    while (this.#takers.length > 0) {
      const next = this.#due.first;
      if (next === undefined) break;
      this.#leave(next);
      this.#entries.delete(next.key);
      this.#working.add(next.key);
      this.#metrics?.waited(Math.max(0, now - next.at) / 1_000);
      this.#takers.shift()?.(next.key);
    }
    this.#wakeLater(now);
  }

  /** Also where every worker is busy: what comes due is counted as waiting. */
  #wakeLater(now: number): void {
    const at = this.#later.first?.at ?? Infinity;
    if (at === this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    if (at === Infinity) return;
    const wake = (): void => {
      this.#wakesAt = Infinity;
      this.#serve();
    };
    this.#timer = setTimeout(wake, Math.min(Math.max(0, at - now), LONGEST_TIMER_MS));
  }
}
