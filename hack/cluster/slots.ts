// Which slot of addresses an instance has: the first free one at its first start, written down in its folder and kept.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../progress.ts';
import { withLock } from './lock.ts';
import { SLOTS } from './names.ts';

/** The first slot that is not taken; undefined where all are. */
export function freeSlot(taken: ReadonlySet<number>): number | undefined {
  return Array.from({ length: SLOTS }, (_, slot) => slot).find((slot) => !taken.has(slot));
}

/** The slot of the instance whose state is in `root`; undefined before its first start. */
export function knownSlot(root: string): number | undefined {
  const path = join(root, 'slot');
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
}

export async function slotOf(stateRoot: string, name: string): Promise<number> {
  const root = join(stateRoot, name);
  const known = knownSlot(root);
  if (known !== undefined) return known;
  return await withLock(join(stateRoot, 'slots.lock'), async () => {
    const taken = readdirSync(stateRoot).flatMap((other) => knownSlot(join(stateRoot, other)) ?? []);
    const slot = freeSlot(new Set(taken));
    if (slot === undefined)
      throw new StepFailed(`${SLOTS} clusters are there already`, { next: `remove some of those in ${stateRoot}` });
    mkdirSync(root, { recursive: true, mode: 0o700 });
    writeFileSync(join(root, 'slot'), String(slot));
    return slot;
  });
}
