// Gives up what says nothing for too long. Called by watch.ts.

export class Silence {
  readonly #given = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #withinMs = 0;

  /** Aborts once nothing was heard in time. */
  get signal(): AbortSignal {
    return this.#given.signal;
  }

  /** Something was heard; the next is expected within `ms`. */
  heard(ms: number): void {
    if (this.#timer !== undefined && ms === this.#withinMs) return void this.#timer.refresh();
    this.end();
    this.#withinMs = ms;
    this.#timer = setTimeout(() => this.#given.abort(), ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
