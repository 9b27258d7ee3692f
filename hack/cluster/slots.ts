// Which slot of addresses an instance has. `up` and `test` have theirs for good; others take the first that is free.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../progress.ts';
import { withLock } from './lock.ts';
import { SLOTS } from './names.ts';

const RESERVED: Readonly<Record<string, number>> = { up: 0, test: 1 };

/** The first slot that no instance has; undefined where all are taken. */
export function freeSlot(taken: ReadonlySet<number>): number | undefined {
  const reserved = new Set(Object.values(RESERVED));
  return Array.from({ length: SLOTS }, (_, slot) => slot).find((slot) => !reserved.has(slot) && !taken.has(slot));
}

function slotIn(root: string): number | undefined {
  const path = join(root, 'slot');
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
}

/** The slot of instance `name`, written down at its first start. */
export async function slotOf(stateRoot: string, name: string): Promise<number> {
  const root = join(stateRoot, name);
  const known = RESERVED[name] ?? slotIn(root);
  if (known !== undefined) return known;
  return await withLock(join(stateRoot, 'slots.lock'), async () => {
    const taken = readdirSync(stateRoot).flatMap((other) => slotIn(join(stateRoot, other)) ?? []);
    const slot = freeSlot(new Set(taken));
    if (slot === undefined) throw new StepFailed(`${SLOTS} clusters are there already`, { next: `remove some of those in ${stateRoot}` });
    mkdirSync(root, { recursive: true, mode: 0o700 });
    writeFileSync(join(root, 'slot'), String(slot));
    return slot;
  });
}
