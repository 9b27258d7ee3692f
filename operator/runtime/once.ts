// What was computed from an object, kept for as long as the object lives.

/** Calls `of` once per object: a store gives the same object until its content changes. */
export function once<Key extends object, Value>(of: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const found = known.get(key) ?? { value: of(key) };
    known.set(key, found);
    return found.value;
  };
}
