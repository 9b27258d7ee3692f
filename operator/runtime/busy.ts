// What an API server that is too busy asks of all who call, not only of the one whom it told: the more who ask again, the longer
// it makes them wait. Called by client.ts.
import { setTimeout as delay } from 'node:timers/promises';

/** However long the server asks for: who leads cannot be silent for longer. */
const LONGEST_PAUSE_MS = 5_000;

export interface BusyOptions {
  /** Monotonic, ms. */
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
}

export class Busy {
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<unknown>;
  /** Until when nobody is to ask; 0 while the server takes what comes. */
  #until = 0;
  /** Resolves when whoever tries whether the server is still busy has its answer. */
  #trial: PromiseWithResolvers<void> | undefined;

  constructor({ now = () => performance.now(), wait = delay }: BusyOptions = {}) {
    this.#now = now;
    this.#wait = wait;
  }

  /**
   * Resolves when the caller may ask: at once, or as the one who tries after the pause, or once such a trial was taken. To call
   * when it has its answer: with the pause that the server asked for, or undefined where it was taken or not answered.
   */
  async enter(): Promise<(pauseMs: number | undefined) => void> {
    while (this.#until > 0) {
      if (this.#trial === undefined) return await this.#try();
      await this.#trial.promise;
    }
    return (pauseMs) => this.#heard(pauseMs);
  }

  async #try(): Promise<(pauseMs: number | undefined) => void> {
    const trial = Promise.withResolvers<void>();
    this.#trial = trial;
    // Answers to what was asked before may make it longer.
    for (let left = this.#until - this.#now(); left > 0; left = this.#until - this.#now()) await this.#wait(left);
    return (pauseMs) => {
      this.#trial = undefined;
      if (pauseMs === undefined) this.#until = 0;
      this.#heard(pauseMs);
      trial.resolve();
    };
  }

  #heard(pauseMs: number | undefined): void {
    if (pauseMs !== undefined) this.#until = Math.max(this.#until, this.#now() + Math.min(pauseMs, LONGEST_PAUSE_MS));
  }
}
