// Ends an instance, however it was started and wherever a crash left it: its processes are known by its cgroups and by a mark
// in their environment; its namespaces, mounts and interfaces go with them.
import { rmSync } from 'node:fs';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { endCgroups, instanceCgroups, processesIn, removeCgroups } from './cgroups.ts';
import { addressesOf, markOf, type Layout } from './names.ts';
import { removeLink } from './network.ts';
import { processesWith, readText, signal, type ProcessId } from './process-table.ts';
import { knownSlot } from './slots.ts';

const markedProcesses = (layout: Layout): ProcessId[] =>
  Object.entries(markOf(layout)).flatMap(([name, value]) => processesWith(name, value));

/** Whether anything of the instance is there besides its folder. */
export const hasRemains = (name: string, layout: Layout): boolean =>
  processesIn(instanceCgroups(name)).length > 0 || markedProcesses(layout).length > 0;

/** Ends every process of the instance but this one and those it comes from. Throws StepFailed when one does not end. */
export async function endProcesses(name: string, layout: Layout): Promise<void> {
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
}

/**
 * Ends and removes all of the instance. May be stopped at any point and run again: its folder, which holds what it is known
 * by, goes last. Throws StepFailed when something does not end.
 */
export async function removeEverything(name: string, layout: Layout): Promise<void> {
  await endProcesses(name, layout);
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
