// What time it is at Redis, on this process's own clock. Entries of streams carry the time of Redis, so an entry's age is
// a difference on one clock, however far the clocks of two pods are apart. Pure; streams.ts asks TIME.

interface Sample {
  /** Redis's clock less ours, ms. */
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

/** Answers that are looked at: the one that was on its way shortest says it best (as in NTP, error ≤ half the round trip). */
const KEPT = 4;
/** Clocks drift this much between two answers, and no more. */
const DRIFT_MS = 2;

/** Changed by `heard` only. All times are epoch ms; `now` is the process's monotonic clock. */
export class RedisClock {
  #samples: readonly Sample[] = [];

  /** When the last answer came; −Infinity before the first. */
  heardAt = Number.NEGATIVE_INFINITY;

  /**
   * Redis's time `redisMs` was asked for at `askedAt` and there at `now`. One that can't be true of the clock that we knew
   * (Redis's was set, another server answers) replaces what was known.
   */
  heard(redisMs: number, askedAt: number, now: number): void {
    const sample = { offsetMs: redisMs - (askedAt + now) / 2, roundTripMs: now - askedAt };
    const best = this.#best;
    const slackMs = DRIFT_MS + (sample.roundTripMs + (best?.roundTripMs ?? 0)) / 2;
    const isSameClock = best !== undefined && Math.abs(sample.offsetMs - best.offsetMs) <= slackMs;
    this.#samples = isSameClock ? [...this.#samples.slice(1 - KEPT), sample] : [sample];
    this.heardAt = now;
  }

  /** Ms since Redis took the entry of this id, ≥ 0; Infinity while nothing was heard. */
  ageOf(id: string, now: number): number {
    const best = this.#best;
    return best === undefined ? Infinity : Math.max(0, now + best.offsetMs - Number.parseInt(id, 10));
  }

  get #best(): Sample | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) if (sample.roundTripMs <= (best?.roundTripMs ?? Infinity)) best = sample;
    return best;
  }
}
