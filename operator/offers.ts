// What the cluster offers beyond what every cluster has. Filled by discovery.ts, read by plans.
import type { OptionalKind } from './kinds.ts';

export interface Offered {
  /** Optional kinds that are served and of which we know all objects. */
  readonly kinds: readonly OptionalKind[];
  /** Why our own CRDs are not those that this operator was built with; undefined where they are, or cannot be read. */
  readonly mismatch: string | undefined;
}

export class Offers {
  #now: Offered = { kinds: [], mismatch: undefined };
  readonly #listeners = new Set<() => void>();

  get now(): Offered {
    return this.#now;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  put({ kinds = this.#now.kinds, mismatch }: { kinds?: readonly OptionalKind[]; mismatch: string | undefined }): void {
    const next = { kinds: [...kinds].sort(), mismatch };
    if (next.mismatch === this.#now.mismatch && next.kinds.join() === this.#now.kinds.join()) return;
    this.#now = next;
    for (const listener of this.#listeners) listener();
  }
}
