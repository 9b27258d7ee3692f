// What a node lives in: cgroups, and a network and a mount namespace held by one sleeping process. When the node's processes
// end, the kernel takes interfaces, routes and mounts away by itself; nothing can be left behind.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { endCgroups, ensureCgroups, nodeCgroups, processesIn } from './cgroups.ts';
import type { Command } from './components.ts';
import { markOf, type Layout } from './names.ts';
import { readText } from './process-table.ts';
import { ensureComponent, isRunning, recorded, type Component, type Place } from './supervise.ts';

/** Joins the cgroups, then becomes the command: the process keeps the pid that is written down. */
function inCgroups(folders: readonly string[]): Place {
  const script = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"';
  return { wrap: (command): Command => ['sh', '-c', script, 'sh', ...folders, '--', ...command] };
}

/** Enters the namespaces that process `pid` holds. */
const inNamespaces = (pid: number): Place => ({
  wrap: (command): Command => ['nsenter', `--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`, '--', ...command],
});

/**
 * Folders that programs have built in, each bound to one of the node's own, so that nodes and clusters never share them.
 * All of what the kubelet and containerd mount lies in the node's own mount namespace.
 */
function ownFolders(layout: Layout, index: number): [from: string, to: string][] {
  const node = layout.node(index);
  return [
    [join(node.containerd, 'run'), '/run/containerd'],
    [node.podLogs, '/var/log/pods'],
    [join(node.dir, 'container-logs'), '/var/log/containers'],
    [join(node.cni, 'lib'), '/var/lib/cni'],
    [join(node.cni, 'netns'), '/run/netns'],
    [join(node.dir, 'var-lib-kubelet'), '/var/lib/kubelet'],
  ];
}

/**
 * Kernel settings that the kubelet wants, and would change for the whole machine (kernel.panic restarts it). In a node's
 * mount namespace files lie over them that hold these values already, so it finds nothing to change.
 */
const KUBELET_SETTINGS: Readonly<Record<string, number>> = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};

const ownSettings = (layout: Layout, index: number): [from: string, to: string][] =>
  Object.keys(KUBELET_SETTINGS).map((key) => [
    join(layout.node(index).dir, 'sysctl', key.replaceAll('/', '.')),
    `/proc/sys/${key}`,
  ]);

function makeOwn(layout: Layout, index: number): void {
  for (const [from] of ownFolders(layout, index)) mkdirSync(from, { recursive: true });
  mkdirSync(join(layout.node(index).dir, 'sysctl'), { recursive: true });
  const values = Object.values(KUBELET_SETTINGS);
  for (const [order, [from]] of ownSettings(layout, index).entries()) writeFileSync(from, `${values[order]}\n`);
}

function holderOf(layout: Layout, index: number): Component {
  const binds = [...ownFolders(layout, index), ...ownSettings(layout, index)].flat();
  const name = `node-${index + 1}`;
  // Slave first: nothing mounted here is seen outside. Then shared again, as containers with mount propagation need it.
  const script =
    'set -e; mount --make-rshared /; while [ $# -gt 0 ]; do [ -e "$2" ] || mkdir -p "$2"; mount --bind "$1" "$2"; shift 2; done; exec sleep infinity';
  return {
    name,
    command: ['unshare', '--net', '--mount', '--propagation', 'slave', 'sh', '-c', script, 'sh', ...binds],
    env: markOf(layout),
    ready: async () => readText(`/proc/${recorded(layout, name)?.pid ?? 0}/comm`)?.trim() === 'sleep',
    withinMs: 60_000,
  };
}

export interface Sandbox extends Place {
  /** Process that holds the namespaces. */
  readonly pid: number;
}

/**
 * Makes the node's namespaces where they are not there, and gives the place to start its components in. Where the holder has
 * been killed, whatever still runs in the old namespaces is ended first; what lasts only as long as they do (containerd's
 * run state, pods' addresses) is emptied.
 */
export async function ensureSandbox(layout: Layout, name: string, index: number): Promise<Sandbox> {
  const holder = holderOf(layout, index);
  const cgroups = inCgroups(ensureCgroups(name, index));
  if (!isRunning(layout, holder)) {
    await endNode(name, index);
    const node = layout.node(index);
    for (const stale of [join(node.containerd, 'run'), node.cni, join(node.dir, 'container-logs')]) {
      rmSync(stale, { recursive: true, force: true });
    }
    makeOwn(layout, index);
  }
  await ensureComponent(layout, holder, cgroups);
  const pid = recorded(layout, holder.name)?.pid;
  if (pid === undefined) throw new StepFailed(`${holder.name} ended as soon as it had started`);
  return { pid, wrap: (command) => cgroups.wrap(inNamespaces(pid).wrap(command)) };
}

/** Ends all that runs in a node at once, its pods and (node 1) the control plane included. */
export async function endNode(name: string, index: number): Promise<void> {
  const groups = nodeCgroups(name, index);
  const ended = await until(
    () => {
      endCgroups(groups);
      return processesIn(groups).length === 0;
    },
    { withinMs: 30_000 },
  );
  if (!ended) throw new StepFailed(`processes of node ${index + 1} do not end`, { next: 'run the same command again' });
}
