// One script at a time works on an instance. The lock names its holder, so that one left by a killed script is taken over.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { identityOf, isAlive, type ProcessId } from './process-table.ts';

/** Runs `work` while holding `path`; waits up to `withinMs` for another script that holds it. */
export async function withLock<T>(path: string, work: () => Promise<T>, withinMs = 20 * 60_000): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  if (!(await until(() => take(path), { withinMs, everyMs: 200 }))) {
    throw new StepFailed(`another script has been working on this cluster for ${withinMs / 60_000} min`, {
      log: path,
      next: 'wait for it, or end the process that the file names',
    });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  const self = identityOf(process.pid) ?? { pid: process.pid, startTime: '', bootId: '' };
  try {
    writeFileSync(path, JSON.stringify(self), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!isHeld(path)) rmSync(path, { force: true });
  return false;
}

function isHeld(path: string): boolean {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as ProcessId;
    return isAlive(holder);
  } catch {
    // Half-written by a script that has just taken it, or removed by one that has just ended: look again.
    return true;
  }
}
