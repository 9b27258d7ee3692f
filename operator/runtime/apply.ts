// What is applied, by whom, and whether it is there already. Pure; upkeep.ts writes.
import { canonicalJson, contentHash } from '@tradewind/workloads/contract/canonical.ts';
import type { Wanted } from './object.ts';
import { isSameQuantity } from './quantity.ts';

/** Owner of the fields of children; status has its own, so that neither removes the other's fields. */
export const MANAGER = 'tradewind-operator';
export const STATUS_MANAGER = 'tradewind-operator-status';

/** Hash of what was applied last, on the object itself: tells a field that we no longer want from one that was never ours. */
const APPLIED = 'tradewind.io/applied';

/** `object` with the hash of its content. */
export function withHash<T extends Wanted>(object: T): T {
  const annotations = { ...object.metadata.annotations, [APPLIED]: contentHash(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Of an object that was applied, or is to be. */
export const hashOf = ({ metadata }: Wanted): string | undefined => metadata.annotations?.[APPLIED];

/**
 * Whether `live` has everything that `wanted` says; what it has beyond that (defaults, other managers' fields) is not looked
 * at. Lists must be of the same length. Quantities are compared by value: the server writes 1024Mi as 1Gi. What is empty may
 * be absent: the server leaves out false, empty lists and empty objects.
 */
export function covers(live: unknown, wanted: unknown): boolean {
  if (live === undefined || live === null) return isEmpty(wanted);
  if (Array.isArray(wanted)) {
    return Array.isArray(live) && live.length === wanted.length && wanted.every((item, i) => covers(live[i], item));
  }
  if (typeof wanted === 'object' && wanted !== null) {
    return Object.entries(wanted).every(([key, value]) => covers((live as Record<string, unknown>)[key], value));
  }
  return live === wanted || isSameQuantity(live, wanted);
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (typeof value === 'object' && Object.values(value).every(isEmpty));

/** Whether two statuses say the same. */
export const isSame = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) === canonicalJson(b ?? null);

/**
 * `status` as it is to be applied: an empty list of it is left out. The API server drops a list whose last item an apply takes
 * away, and stores an empty one that is applied over none: what says the same would be written twice.
 */
export function withoutEmptyLists<T extends object>(status: T): T {
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  ) as T;
}
