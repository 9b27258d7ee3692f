// What the API server has of one kind, in memory. Filled by a watch and by our own writes; read by reconcilers.
import { isLater, keyOf, type Live } from './object.ts';

export interface StoreOptions<T> {
  /** Drops what nobody reads, before it is kept. */
  readonly trim?: (item: T) => T;
  /** A second key by which `group` finds items, such as the owner. */
  readonly groupOf?: (item: T) => string | undefined;
}

export class Store<T extends Live> {
  readonly #items = new Map<string, T>();
  readonly #groups = new Map<string, Set<string>>();
  readonly #listeners = new Set<(item: T) => void>();
  readonly #trim: (item: T) => T;
  readonly #groupOf: (item: T) => string | undefined;

  constructor({ trim = withoutManagedFields, groupOf = () => undefined }: StoreOptions<T> = {}) {
    this.#trim = trim;
    this.#groupOf = groupOf;
  }

  get(key: string): T | undefined {
    return this.#items.get(key);
  }

  all(): Iterable<T> {
    return this.#items.values();
  }

  /** Items of one group; empty where there are none. */
  group(name: string): T[] {
    return [...(this.#groups.get(name) ?? [])].flatMap((key) => this.#items.get(key) ?? []);
  }

  /** Calls `listener` with each item that changed, was added or was removed; gives its undo. */
  onChange(listener: (item: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes an item unless what is here is as new: an echo of our own write is dropped. */
  put(item: T): void {
    const key = keyOf(item.metadata);
    const old = this.#items.get(key);
    if (old !== undefined && !isNewer(item, old)) return;
    this.#forget(key, old);
    const kept = sharingSpec(this.#trim(item), old);
    this.#items.set(key, kept);
    this.#file(key, kept);
    // Both are told: the item may have moved from one group to another.
    if (old !== undefined && this.#groupOf(old) !== this.#groupOf(kept)) this.#tell(old);
    this.#tell(kept);
  }

  /** Removes that very object; one made since under the same name stays. */
  drop(item: T): void {
    const key = keyOf(item.metadata);
    const old = this.#items.get(key);
    if (old === undefined || old.metadata.uid !== item.metadata.uid) return;
    this.#forget(key, old);
    this.#tell(old);
  }

  /** `items` are all there are (in `namespace`, where one is given): puts each, drops the rest. Never empty in between. */
  swap(items: readonly T[], namespace?: string): void {
    const keys = new Set(items.map(({ metadata }) => keyOf(metadata)));
    for (const item of items) this.put(item);
    for (const [key, old] of this.#items) {
      const isInScope = namespace === undefined || old.metadata.namespace === namespace;
      if (isInScope && !keys.has(key)) this.drop(old);
    }
  }

  #tell(item: T): void {
    for (const listener of this.#listeners) listener(item);
  }

  #file(key: string, item: T): void {
    const group = this.#groupOf(item);
    if (group === undefined) return;
    const keys = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, keys.add(key));
  }

  #forget(key: string, item: T | undefined): void {
    if (item === undefined) return;
    this.#items.delete(key);
    const group = this.#groupOf(item);
    const keys = this.#groups.get(group ?? '');
    keys?.delete(key);
    if (group !== undefined && keys?.size === 0) this.#groups.delete(group);
  }
}

const isNewer = (item: Live, old: Live): boolean =>
  item.metadata.uid !== old.metadata.uid || isLater(item.metadata.resourceVersion, old.metadata.resourceVersion);

/** The same spec stays the same object through writes of status, so that what was computed from it can be kept beside it. */
function sharingSpec<T extends Live>(item: T, old: (T & { readonly spec?: unknown }) | undefined): T {
  if (old?.spec === undefined || !('spec' in item)) return item;
  return isSameJson(item.spec, old.spec) ? { ...item, spec: old.spec } : item;
}

/** Of values that came as JSON from one server, so with their keys in one order. Makes nothing: it runs at every event. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  let count = 0;
  for (const key in a) {
    if (!isSameJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false;
    count += 1;
  }
  for (const _ in b) count -= 1;
  return count === 0;
}

/** managedFields are half of an object's size and are read by nobody here. */
export function withoutManagedFields<T extends Live>(item: T): T {
  if (item.metadata.managedFields === undefined) return item;
  const { managedFields: _, ...metadata } = item.metadata;
  return { ...item, metadata };
}
