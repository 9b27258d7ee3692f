// What the API server refused in one pass: what one object is refused keeps no other from what it needs. Called by
// reconcile.ts and carry-out.ts.
import { classify, endsPass } from '../runtime/errors.ts';
import type { Blocker } from './plan.ts';

interface Refusal {
  readonly error: unknown;
  readonly blocker: Blocker;
}

/** From the one to be retried soonest to the one that waits for a change. */
const PACE = ['Retrying', 'Forbidden', 'Refused'] as const;

export class Refusals {
  readonly #found: Refusal[] = [];
  readonly #contests: string[] = [];
  #againAt = Infinity;

  /** Whether `act` was done; `what` names the object to the user. Throws what ends the pass, by `ends`. */
  async attempt(what: string, act: () => Promise<unknown>, ends = endsPass): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      if (ends(error)) throw error;
      this.#found.push({ error, blocker: blockerOf(what, error) });
      return false;
    }
  }

  /** Others keep writing into `what`; at `at`, epoch ms, it is to be looked at again. */
  contested(what: string, { message, at = Infinity }: { message: string; at: number | undefined }): void {
    this.#contests.push(`${what}: ${message}`);
    this.#againAt = Math.min(this.#againAt, at);
  }

  /** Epoch ms; Infinity where nothing is contested. */
  get againAt(): number {
    return this.#againAt;
  }

  /** The first of each reason, and all that is contested. */
  get blockers(): readonly Blocker[] {
    const refused = PACE.toReversed().flatMap((reason) => this.#first(reason)?.blocker ?? []);
    if (this.#contests.length === 0) return refused;
    return [...refused, { who: 'others', reason: 'Contested', message: this.#contests.join('; ') }];
  }

  /** The error by which the pass is retried; undefined where nothing was refused. */
  get error(): unknown {
    return PACE.flatMap((reason) => this.#first(reason)?.error ?? [])[0];
  }

  #first(reason: string): Refusal | undefined {
    return this.#found.find(({ blocker }) => blocker.reason === reason);
  }
}

function blockerOf(what: string, error: unknown): Blocker {
  const { kind, message: said } = classify(error);
  const message = `${what}: ${said}`;
  if (kind === 'Terminal') return { who: 'user', reason: 'Refused', message };
  return { who: 'others', reason: kind === 'Forbidden' ? 'Forbidden' : 'Retrying', message };
}
