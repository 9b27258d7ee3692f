// One script at a time works on an instance. The lock names its holder, so that one left by a killed script is taken over.
import { linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { partOf, readJson, writeJson } from '../whole-file.ts';
import { identityOf, isAlive, type ProcessId } from './process-table.ts';

export interface LockOptions {
  readonly withinMs?: number;
  /** Told for whom the script waits. */
  readonly say?: (text: string) => void;
  /** Called once for each process that holds the lock meanwhile. */
  readonly onHeld?: (holder: ProcessId) => void;
}

/** Runs `work` while holding `path`; waits for another script that holds it. Throws StepFailed past `withinMs`. */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { withinMs = 30 * 60_000, say = () => undefined, onHeld }: LockOptions = {},
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let last = 0;
  const taken = await until(
    () => {
      if (take(path)) return true;
      const holder = holderOf(path);
      if (holder !== undefined && holder.pid !== last) {
        if (onHeld === undefined) say(`waits for process ${holder.pid}, which is at work`);
        else onHeld(holder);
      }
      last = holder?.pid ?? last;
      return false;
    },
    { withinMs, everyMs: 200 },
  );
  if (!taken) {
    throw new StepFailed(`process ${last} has been at work for ${withinMs / 60_000} min`, {
      log: path,
      next: `wait for it, or end it (kill ${last}), and run again`,
    });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** The living process that holds the lock. */
export function holderOf(path: string): ProcessId | undefined {
  const holder = readJson(path) as ProcessId | undefined;
  return holder !== undefined && isAlive(holder) ? holder : undefined;
}

/** A link appears with its content or not at all, so a lock whose holder cannot be read was left by a crash. */
function take(path: string): boolean {
  const mine = `${path}.${process.pid}`;
  writeJson(mine, identityOf(process.pid));
  try {
    if (holderOf(path) === undefined) removeStale(path);
    linkSync(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Between the look and this another script may have taken it over: then what was moved aside lives, and is given back. */
function removeStale(path: string): void {
  const aside = partOf(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (holderOf(aside) === undefined) rmSync(aside, { force: true });
  else renameSync(aside, path);
}
