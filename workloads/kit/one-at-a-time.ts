// Work that must not overlap, in the order in which it was asked for.

/** Runs each work when those before it have ended, however they ended; resolves or rejects as the work does. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = tail.then(work);
    tail = done.catch(() => undefined);
    return done;
  };
}
