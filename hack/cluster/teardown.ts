// Ends every process of an instance, however it was started: those written down, and those that carry its mark.
import { readdirSync } from 'node:fs';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { markOf } from './control-plane.ts';
import type { Layout } from './names.ts';
import { identityOf, isAlive, readText, signal, type ProcessId } from './process-table.ts';

/** Processes whose environment carries the instance's mark. Environments of other users' processes cannot be read. */
export function markedProcesses(layout: Layout): ProcessId[] {
  const mark = Object.entries(markOf(layout)).map(([name, value]) => `${name}=${value}`)[0] ?? '';
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && carries(entry, mark))
    .flatMap((entry) => identityOf(Number(entry)) ?? []);
}

function carries(pid: string, mark: string): boolean {
  try {
    return (readText(`/proc/${pid}/environ`) ?? '').split('\0').includes(mark);
  } catch {
    return false; // EACCES: another user's process, so not ours
  }
}

export async function endEverything(layout: Layout): Promise<void> {
  const ended = await until(
    () => {
      const left = markedProcesses(layout);
      for (const id of left) signal(id, 'SIGKILL');
      return left.every((id) => !isAlive(id));
    },
    { withinMs: 30_000 },
  );
  if (!ended) throw new StepFailed('some processes do not end', { next: 'run `make down` again' });
}
