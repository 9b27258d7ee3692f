// Where a live object has come off what was applied, who wrote there, and what others have added to it. Pure; upkeep.ts puts it
// right.
import { covers, MANAGER } from './apply.ts';
import type { Live, ManagedFields, Wanted } from './object.ts';

export type Path = readonly (string | number)[];

/** A field that is not as it was applied. */
export interface Drift {
  /** `.spec.replicas`. */
  readonly path: string;
  /** The field manager that wrote it, with the subresource that it wrote through: `kubectl`, `kubectl at /scale`. */
  readonly by: string | undefined;
}

/** As managedFields name fields: {"f:spec":{"f:replicas":{}}}. `k:{"name":"a"}` is the item of a list with that key. */
interface Fields {
  readonly [key: string]: Fields;
}

/** `item` with those of its managedFields that tell what others wrote into what we apply: as a rule none. */
export function withForeignFields<T extends Live>(item: T): T {
  const { managedFields = [], ...metadata } = item.metadata;
  const foreign = managedFields.filter(isForeign);
  return { ...item, metadata: foreign.length === 0 ? metadata : { ...metadata, managedFields: foreign } };
}

/** Metadata take labels and annotations from everybody; a status is its controller's. */
const isForeign = ({ manager, operation, subresource, fieldsV1 }: ManagedFields): boolean =>
  !(manager === MANAGER && operation === 'Apply') &&
  subresource !== 'status' &&
  Object.keys(fieldsV1 ?? {}).some((key) => key !== 'f:metadata' && key !== 'f:status');

/** Every field of `wanted` that `live` has otherwise, and every field that others have added beside them. */
export function driftOf(live: Live, wanted: Wanted): Drift[] {
  const found = new Map<string, string | undefined>();
  for (const path of differences(live, wanted)) found.set(pathText(path), writerOf(live, path));
  for (const entry of foreignIn(live)) {
    for (const path of addedBy(entry, live, wanted)) found.set(pathText(path), writerText(entry));
  }
  return [...found].map(([path, by]) => ({ path, by }));
}

/** Whether others have added fields to what `wanted` says; items of lists are seen by `covers`. */
export const hasAdditions = (live: Live, wanted: Wanted): boolean =>
  foreignIn(live).some((entry) => !addedBy(entry, live, wanted).next().done);

/**
 * `live` without what others have added to `wanted`: items of its lists and, unless others `mayAdd` them, fields beside its own.
 * Undefined where there is nothing of the kind.
 */
export function withoutAdditions<T extends Live>(live: T, wanted: Wanted, mayAdd: boolean): T | undefined {
  const fields = mayAdd ? [] : foreignIn(live).flatMap((entry) => [...addedBy(entry, live, wanted)]);
  const added = [...surplusItems(live, wanted), ...fields];
  if (added.length === 0) return undefined;
  const copy = structuredClone(live);
  // From the end of each list, so that places before it stay what they are.
  for (const path of added.sort(lastFirst)) remove(copy, path);
  return copy;
}

/**
 * `live` with all that `wanted` says, its lists as long as they are there: for where an apply is refused because items of others
 * stand beside ours (two ports of one name).
 */
export function restored<T extends Live>(live: T, wanted: Wanted): T {
  const { managedFields: _, ...metadata } = live.metadata;
  return overlaid({ ...live, metadata }, wanted) as T;
}

function overlaid(live: unknown, wanted: unknown): unknown {
  if (Array.isArray(wanted)) {
    const items: readonly unknown[] = Array.isArray(live) ? live : [];
    return wanted.map((item: unknown) =>
      overlaid(
        items.find((one) => isNamesake(one, item)),
        item,
      ),
    );
  }
  if (!isRecord(wanted)) return wanted;
  const changed = Object.entries(wanted).map(([key, value]) => [key, overlaid(isRecord(live) ? live[key] : {}, value)]);
  return { ...(isRecord(live) ? live : {}), ...Object.fromEntries(changed) };
}

const foreignIn = ({ metadata }: Live): ManagedFields[] => (metadata.managedFields ?? []).filter(isForeign);

/** Paths at which `live` does not cover `wanted`; that of the list where its length differs. */
export function* differences(live: unknown, wanted: unknown, path: Path = []): Generator<Path> {
  if (covers(live, wanted)) return;
  if (Array.isArray(live) && Array.isArray(wanted) && live.length === wanted.length) {
    for (const [i, item] of wanted.entries()) yield* differences(live[i], item, [...path, i]);
  } else if (isRecord(live) && isRecord(wanted)) {
    for (const [key, value] of Object.entries(wanted)) yield* differences(live[key], value, [...path, key]);
  } else yield path;
}

/** Items of lists of `wanted` that are in `live` beside ours. */
function* surplusItems(live: unknown, wanted: unknown, path: Path = []): Generator<Path> {
  if (Array.isArray(live) && Array.isArray(wanted)) {
    const places = placesOf(live, wanted);
    // One of ours is not found as it should be: then what is surplus cannot be told from what was rewritten.
    if (places === undefined) return;
    for (const i of live.keys()) if (!places.includes(i)) yield [...path, i];
    for (const [j, i] of places.entries()) yield* surplusItems(live[i], wanted[j], [...path, i]);
  } else if (isRecord(live) && isRecord(wanted)) {
    for (const [key, value] of Object.entries(wanted)) yield* surplusItems(live[key], value, [...path, key]);
  }
}

/** Where in `live` each item of `wanted` is; undefined where one is not. */
function placesOf(live: readonly unknown[], wanted: readonly unknown[]): number[] | undefined {
  const places: number[] = [];
  for (const item of wanted) {
    const free = (is: (one: unknown) => boolean) => live.findIndex((one, i) => !places.includes(i) && is(one));
    const same = free((one) => covers(one, item));
    const place = same < 0 ? free((one) => isNamesake(one, item)) : same;
    if (place < 0) return undefined;
    places.push(place);
  }
  return places;
}

/** An item of ours of which a list within was lengthened. */
const isNamesake = (live: unknown, wanted: unknown): boolean =>
  isRecord(live) && isRecord(wanted) && wanted.name !== undefined && live.name === wanted.name;

/** What the writer of `entry` has put beside the fields of `wanted`. */
function* addedBy({ fieldsV1 = {} }: ManagedFields, live: Live, wanted: Wanted): Generator<Path> {
  yield* added(fieldsV1 as Fields, { live, wanted, path: [] });
}

interface Place {
  readonly live: unknown;
  readonly wanted: unknown;
  readonly path: Path;
}

function* added(fields: Fields, place: Place): Generator<Path> {
  for (const [key, below] of Object.entries(fields)) {
    const next = placeBelow(key, place);
    if (next === undefined) continue;
    if (next.wanted === undefined) yield next.path;
    else yield* added(below, next);
  }
}

/** Undefined where there is nothing (any more), and where others may write: metadata, also of a template, and status. */
function placeBelow(key: string, { live, wanted, path }: Place): Place | undefined {
  if (key.startsWith('k:')) {
    const of = JSON.parse(key.slice(2)) as unknown;
    const [found, ours] = [indexOf(live, of), indexOf(wanted, of)];
    if (found < 0 || ours < 0) return undefined;
    return { live: (live as unknown[])[found], wanted: (wanted as unknown[])[ours], path: [...path, found] };
  }
  const name = key.slice(2);
  if (!key.startsWith('f:') || name === 'metadata' || (path.length === 0 && name === 'status')) return undefined;
  if (!isRecord(live) || live[name] === undefined || !isRecord(wanted)) return undefined;
  return { live: live[name], wanted: wanted[name], path: [...path, name] };
}

const indexOf = (list: unknown, keys: unknown): number =>
  Array.isArray(list) ? list.findIndex((item) => covers(item, keys)) : -1;

/** Who wrote at `path`, or into it. */
function writerOf(live: Live, path: Path): string | undefined {
  const entry = foreignIn(live).find(({ fieldsV1 = {} }) => names(fieldsV1 as Fields, live, path));
  return entry === undefined ? undefined : writerText(entry);
}

const writerText = ({ manager, subresource }: ManagedFields): string =>
  subresource === undefined ? manager : `${manager} at /${subresource}`;

function names(fields: Fields, live: unknown, [first, ...rest]: Path): boolean {
  const isWhole = Object.keys(fields).every((key) => key === '.');
  if (first === undefined || isWhole) return true;
  const value = (live as Record<string | number, unknown> | undefined)?.[first];
  const below =
    typeof first === 'string'
      ? fields[`f:${first}`]
      : Object.entries(fields).find(([key]) => key.startsWith('k:') && covers(value, JSON.parse(key.slice(2))))?.[1];
  return below !== undefined && names(below, value, rest);
}

function remove(object: unknown, path: Path): void {
  const last = path.at(-1) ?? '';
  const holder = path
    .slice(0, -1)
    .reduce((at: unknown, key) => (at as Record<string | number, unknown>)?.[key], object);
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else if (isRecord(holder)) delete holder[last];
}

function lastFirst(a: Path, b: Path): number {
  for (const [i, key] of a.entries()) {
    const other = b[i];
    if (other === undefined) return -1;
    if (key === other) continue;
    return typeof key === 'number' && typeof other === 'number' ? other - key : 0;
  }
  return 0;
}

const pathText = (path: Path): string =>
  path.map((key) => (typeof key === 'number' ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`)).join('');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
