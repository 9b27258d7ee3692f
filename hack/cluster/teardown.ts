// Ends an instance, however it was started and wherever a crash left it: its processes are known by its cgroups and by a mark
// in their environment; its namespaces, mounts and interfaces go with them.
import { readdirSync, rmSync } from 'node:fs';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { endCgroups, instanceCgroups, processesIn, removeCgroups } from './cgroups.ts';
import { markOf } from './control-plane.ts';
import { addressesOf, type Layout } from './names.ts';
import { removeLink } from './network.ts';
import { identityOf, readText, signal, type ProcessId } from './process-table.ts';
import { knownSlot } from './slots.ts';

/** Processes whose environment carries the instance's mark. Environments of other users' processes cannot be read. */
function markedProcesses(layout: Layout): ProcessId[] {
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

/** Whether anything of the instance is there besides its folder. */
export const hasRemains = (name: string, layout: Layout): boolean =>
  processesIn(instanceCgroups(name)).length > 0 || markedProcesses(layout).length > 0;

/**
 * Ends and removes all of the instance. May be stopped at any point and run again: its folder, which holds what it is known
 * by, goes last. Throws StepFailed when something does not end.
 */
export async function removeEverything(name: string, layout: Layout): Promise<void> {
  const cgroups = instanceCgroups(name);
  const ended = await until(
    () => {
      const left = markedProcesses(layout);
      for (const id of left) signal(id, 'SIGKILL');
      endCgroups(cgroups);
      return left.length === 0 && processesIn(cgroups).length === 0 && removeCgroups(cgroups);
    },
    { withinMs: 30_000 },
  );
  if (!ended) {
    throw new StepFailed('some processes do not end', {
      next: 'run `make down` again; `ps` shows them in state D where the disk or kernel is stuck',
    });
  }
  const slot = knownSlot(layout.root);
  if (slot !== undefined) await removeLink(addressesOf(name, slot, 1).hostInterface);
  refuseMounts(layout);
  rmSync(layout.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** A mount here is none that we made; removing what is below it could empty somebody's disk. */
function refuseMounts({ root }: Layout): void {
  const mounts = (readText('/proc/self/mountinfo') ?? '').split('\n').map((line) => line.split(' ')[4] ?? '');
  const below = mounts.find((path) => path.startsWith(`${root}/`));
  if (below !== undefined)
    throw new StepFailed(`something is mounted on ${below}`, { next: `umount ${below}, then run again` });
}
