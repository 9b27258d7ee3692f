// The instance's cgroups: one subtree for all that it runs, components and pods alike, so that everything can be found and
// ended. Works on cgroup v1 (one tree per controller) and v2 (one tree).
import { existsSync, mkdirSync, readdirSync, realpathSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instanceId } from './names.ts';
import { identityOf, readText, signal, type ProcessId } from './process-table.ts';

const MOUNT = '/sys/fs/cgroup';
const V2_CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids'];

/** Roots of the trees: `/sys/fs/cgroup` itself (v2), or a folder below it for each controller (v1). */
function hierarchies(): string[] {
  if (existsSync(join(MOUNT, 'cgroup.controllers'))) return [MOUNT];
  if (!existsSync(MOUNT)) return [];
  const roots = readdirSync(MOUNT).map((entry) => realpathSync(join(MOUNT, entry)));
  return [...new Set(roots)].filter((root) => existsSync(join(root, 'cgroup.procs')));
}

const cgroupOf = (name: string): string => `tradewind.${instanceId(name)}`;
/** Below the instance's cgroup: a node's components, and its pods. */
const systemOf = (index: number): string => `system-${index + 1}`;
const podsOf = (index: number): string => `node-${index + 1}`;

/** Where the kubelet of a node puts its pods. */
export const podCgroup = (name: string, index: number): string => `/${cgroupOf(name)}/${podsOf(index)}`;

/** Makes a node's part of the subtree. Idempotent. Gives the folders that its components join. */
export function ensureCgroups(name: string, index: number): string[] {
  return hierarchies().map((root) => {
    const top = join(root, cgroupOf(name));
    delegate(root);
    makeCgroup(root, top);
    delegate(top);
    for (const child of [systemOf(index), podsOf(index)]) makeCgroup(top, join(top, child));
    return join(top, systemOf(index));
  });
}

/** v1's cpuset takes no process before it has CPUs and memory nodes. */
function makeCgroup(parent: string, path: string): void {
  mkdirSync(path, { recursive: true });
  if (existsSync(join(path, 'cgroup.controllers'))) return; // v2 inherits them
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readText(join(path, file))?.trim() === '') writeFileSync(join(path, file), readText(join(parent, file)) ?? '');
  }
}

/** v2: children get the controllers that the parent has. */
function delegate(path: string): void {
  const available = readText(join(path, 'cgroup.controllers'))?.trim().split(' ') ?? [];
  const given = readText(join(path, 'cgroup.subtree_control'))?.trim().split(' ') ?? [];
  for (const controller of V2_CONTROLLERS.filter((wanted) => available.includes(wanted) && !given.includes(wanted))) {
    writeFileSync(join(path, 'cgroup.subtree_control'), `+${controller}`);
  }
}

/** `path` and all below it, children before parents. */
function subtree(path: string): string[] {
  return [...foldersIn(path).flatMap((name) => subtree(join(path, name))), ...(existsSync(path) ? [path] : [])];
}

/** Empty where it has gone, which with cgroups may be between two looks. */
function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Tops of the instance's cgroups, one in each hierarchy; those of one node, its components' and its pods'. */
export const instanceCgroups = (name: string): string[] => hierarchies().map((root) => join(root, cgroupOf(name)));
export const nodeCgroups = (name: string, index: number): string[] =>
  instanceCgroups(name).flatMap((top) => [join(top, systemOf(index)), join(top, podsOf(index))]);

/** Every process in `tops` and below. */
export function processesIn(tops: readonly string[]): ProcessId[] {
  const pids = tops.flatMap(subtree).flatMap((path) => (readText(join(path, 'cgroup.procs')) ?? '').split('\n'));
  return [...new Set(pids)].filter((pid) => pid !== '').flatMap((pid) => identityOf(Number(pid)) ?? []);
}

export const endCgroups = (tops: readonly string[]): void => {
  for (const id of processesIn(tops)) signal(id, 'SIGKILL');
};

/** Removes the cgroups; false while one still has processes. */
export function removeCgroups(tops: readonly string[]): boolean {
  for (const path of tops.flatMap(subtree)) {
    try {
      rmdirSync(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EBUSY' && code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
    }
  }
  return tops.flatMap(subtree).length === 0;
}
