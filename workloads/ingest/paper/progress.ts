// How far the orders streams are worked off: the ids from which a restart reads on. Pure; changed in place.

export interface Progress {
  /** Per symbol: entries read of which not all before them are answered, in the stream's order. */
  readonly open: Map<string, { readonly id: string; answered: boolean }[]>;
  /** Per symbol: everything up to this entry is answered. */
  readonly resume: Map<string, string>;
}

export const newProgress = (resume: Readonly<Record<string, string>> = {}): Progress => ({
  open: new Map(),
  resume: new Map(Object.entries(resume)),
});

/** An entry was read; ids of one symbol come in order. */
export function entryRead(progress: Progress, symbol: string, id: string): void {
  const open = progress.open.get(symbol) ?? [];
  progress.open.set(symbol, open);
  open.push({ id, answered: false });
}

/**
 * An entry has its final answer. Gives where to resume: an answer out of turn (orders have different jitter) moves that
 * only when those before it are answered too.
 */
export function entryAnswered(progress: Progress, symbol: string, id: string): string | undefined {
  const open = progress.open.get(symbol) ?? [];
  const entry = open.find((candidate) => candidate.id === id);
  if (entry !== undefined) entry.answered = true;
  for (let first = open[0]; first?.answered === true; first = open[0]) {
    progress.resume.set(symbol, first.id);
    open.shift();
  }
  return progress.resume.get(symbol);
}
