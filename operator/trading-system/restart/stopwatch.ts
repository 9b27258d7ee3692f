// How long a step of a restart has been under way, and its gate open, by this process' own monotonic clock: wall clocks jump, and
// nothing is given up for time in which nobody worked on it. Called by reconcile.ts.
import { currentOf, isUnderWay, type Restart } from './record.ts';

interface Lap {
  readonly step: string;
  readonly since: number;
  readonly openSince: number | undefined;
}

export class Stopwatch {
  readonly #laps = new Map<string, Lap>();
  readonly #now: () => number;

  /** `now`: monotonic, ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Of the step that `restart` records as under way; it begins where it is seen for the first time. */
  read(system: string, restart: Restart | undefined): { readonly stepMs: number; readonly openMs: number } {
    const step = stepOf(restart);
    if (step !== undefined) return this.readStep(system, step);
    this.forget(system);
    return { stepMs: 0, openMs: 0 };
  }

  /** The same for a step of anything else, by a name that no other has. */
  readStep(system: string, step: string): { readonly stepMs: number; readonly openMs: number } {
    const now = this.#now();
    const known = this.#laps.get(system);
    const lap = known?.step === step ? known : { step, since: now, openSince: undefined };
    this.#laps.set(system, lap);
    return { stepMs: now - lap.since, openMs: lap.openSince === undefined ? 0 : now - lap.openSince };
  }

  /** The system is gone, or nobody works on it. */
  forget(system: string): void {
    this.#laps.delete(system);
  }

  /** Whether its gate was found open. */
  note(system: string, isOpen: boolean): void {
    const lap = this.#laps.get(system);
    if (lap !== undefined)
      this.#laps.set(system, { ...lap, openSince: isOpen ? (lap.openSince ?? this.#now()) : undefined });
  }
}

function stepOf(restart: Restart | undefined): string | undefined {
  if (!isUnderWay(restart)) return undefined;
  return `${restart.id} ${restart.startedAt} ${currentOf(restart)?.name}`;
}
