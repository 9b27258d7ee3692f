// `make down`: ends all that `make up` started, also one that still runs. Safe to run at any time, also after a crash half-way.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './cluster/lock.ts';
import { folders, layoutOf } from './cluster/names.ts';
import { allowServices } from './cluster/packages.ts';
import { signal, type ProcessId } from './cluster/process-table.ts';
import { endProcesses } from './cluster/teardown.ts';
import { consoleProgress, failureLines, type Progress } from './progress.ts';
import { clusterName, removeTargets, upLock } from './up/clusters.ts';
import { endForwarder } from './up/forwarder.ts';

/** A `make up`, or another `make down`, that runs now: it itself first, so that it starts nothing more. */
const endingIt =
  ({ say }: Progress) =>
  (holder: ProcessId): void => {
    if (signal(holder, 'SIGKILL')) say(`ended process ${holder.pid}, which was at work`);
  };

async function main(name: string, progress: Progress): Promise<void> {
  if (await endForwarder(name)) progress.say('forwarder ended');
  await endProcesses(name, layoutOf(name)); // for every way: what an ended `make up` had started
  await allowServices();
  await removeTargets(name, progress);
  const { state } = folders();
  const held = upLock(name);
  for (const path of readdirSync(state)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => join(state, file)))
    if (path !== held) rmSync(path, { force: true });
}

const name = clusterName(process.env);
const progress = consoleProgress();
try {
  await withLock(upLock(name), () => main(name, progress), { onHeld: endingIt(progress) });
} catch (error) {
  for (const line of failureLines(error)) console.error(line);
  process.exitCode = 1;
}
