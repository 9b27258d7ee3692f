// Keeps one object as it is wanted: looks first, writes only where something differs, and takes out what others have added.
import type { Api } from './client.ts';
import { MANAGER, covers, hashOf } from './apply.ts';
import { driftOf, hasAdditions, restored, withoutAdditions, type Drift } from './drift.ts';
import { classify } from './errors.ts';
import type { Live, Resource, Wanted } from './object.ts';
import { keyOf } from './object.ts';
import type { Store } from './store.ts';

export interface Target<T extends Live> {
  readonly api: Api;
  readonly store: Store<T>;
  readonly resource: Resource;
  /** Others may add fields to it: only ours are looked at. */
  readonly shared: boolean;
  /** It is changed only over what was seen, else there is a conflict: who leads no more must not undo what the next one did. */
  readonly fenced: boolean;
}

export type Look =
  | { readonly kind: 'right' }
  /** Not there, on its way out, or wanted otherwise than it was applied last. */
  | { readonly kind: 'due' }
  /** Others have changed it since. */
  | { readonly kind: 'drifted'; readonly fields: readonly Drift[] }
  /** The server gives it back otherwise than we applied it, and nothing has changed since: to apply it again is no use. */
  | { readonly kind: 'rewritten'; readonly fields: readonly Drift[] };

/** Hash of what was applied, by the object that came of it. */
const outcomes = new WeakMap<Live, string>();

/** Compares what the store has with `wanted`, which has its hash. */
export function look<T extends Live>({ store, shared }: Pick<Target<T>, 'store' | 'shared'>, wanted: Wanted): Look {
  const live = store.get(keyOf(wanted.metadata));
  if (live === undefined || live.metadata.deletionTimestamp !== undefined) return { kind: 'due' };
  if (covers(live, wanted) && (shared || !hasAdditions(live, wanted))) return { kind: 'right' };
  if (hashOf(live) !== hashOf(wanted)) return { kind: 'due' };
  const fields = driftOf(live, wanted);
  return { kind: outcomes.get(live) === hashOf(wanted) ? 'rewritten' : 'drifted', fields };
}

/**
 * Applies `wanted`, which has its hash, and removes what others have added; the answers go into the store at once. Idempotent:
 * stopped between two writes, the next look finds what is left.
 */
export async function putRight<T extends Live>(target: Target<T>, wanted: Wanted): Promise<void> {
  const { api, store, resource, shared } = target;
  const applied = await applyOrRestore(target, wanted);
  store.put(applied);
  const bare = withoutAdditions(applied, wanted, shared);
  if (bare !== undefined) store.put(await api.update<T>(resource, bare));
  const kept = store.get(keyOf(wanted.metadata));
  const hash = hashOf(wanted);
  if (kept !== undefined && hash !== undefined) outcomes.set(kept, hash);
}

async function applyOrRestore<T extends Live>(target: Target<T>, wanted: Wanted): Promise<T> {
  const { api, store, resource, fenced } = target;
  const live = store.get(keyOf(wanted.metadata));
  try {
    return await api.apply<T>(resource, fenced && live !== undefined ? over(live, wanted) : wanted, MANAGER);
  } catch (error) {
    if (live === undefined || classify(error).kind !== 'Terminal') throw error;
    // Refused as well where what is wanted is wrong in itself.
    store.put(await api.update<T>(resource, restored(live, wanted)));
    return await api.apply<T>(resource, wanted, MANAGER);
  }
}

const over = ({ metadata: { resourceVersion } }: Live, wanted: Wanted): Wanted => {
  const metadata = { ...wanted.metadata, resourceVersion };
  return { ...wanted, metadata };
};
