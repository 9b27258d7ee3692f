// The instance's cgroups: one subtree for all that it runs, components and pods alike, so that everything can be found and
// ended. Works on cgroup v1 (one tree per controller) and v2 (one tree).
import { existsSync, mkdirSync, readdirSync, realpathSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, readText, signal, type ProcessId } from './process-table.ts';

const MOUNT = '/sys/fs/cgroup';
const V2_CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids'];

/** Roots of the trees: `/sys/fs/cgroup` itself (v2), or a folder below it for each controller (v1). */
export function hierarchies(mount = MOUNT): string[] {
  if (existsSync(join(mount, 'cgroup.controllers'))) return [mount];
  if (!existsSync(mount)) return [];
  const roots = readdirSync(mount).map((entry) => realpathSync(join(mount, entry)));
  return [...new Set(roots)].filter((root) => existsSync(join(root, 'cgroup.procs')));
}

/** Name of the instance's subtree. Instance names hold no dot, so no two are prefixes of each other. */
export const cgroupOf = (name: string): string => `tradewind.${name}`;
/** Where the kubelet of a node puts its pods. */
export const nodeCgroup = (name: string, index: number): string => `/${cgroupOf(name)}/node-${index + 1}`;

/** Makes the subtree: `system` for components, `node-1` … for pods. Idempotent. Gives the folders of `system`. */
export function ensureCgroups(name: string, nodes: number): string[] {
  const children = ['system', ...Array.from({ length: nodes }, (_, index) => `node-${index + 1}`)];
  return hierarchies().map((root) => {
    const top = join(root, cgroupOf(name));
    delegate(root);
    makeCgroup(root, top);
    delegate(top);
    for (const child of children) makeCgroup(top, join(top, child));
    return join(top, 'system');
  });
}

/** v1's cpuset takes no process before it has CPUs and memory nodes. */
function makeCgroup(parent: string, path: string): void {
  mkdirSync(path, { recursive: true });
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const given = readText(join(path, file));
    const isV2 = existsSync(join(path, 'cgroup.controllers'));
    if (given?.trim() === '' && !isV2) writeFileSync(join(path, file), readText(join(parent, file)) ?? '');
  }
}

/** v2: children get the controllers that the parent has. */
function delegate(path: string): void {
  const available = readText(join(path, 'cgroup.controllers'))?.trim().split(' ') ?? [];
  for (const controller of V2_CONTROLLERS.filter((wanted) => available.includes(wanted))) {
    writeFileSync(join(path, 'cgroup.subtree_control'), `+${controller}`);
  }
}

function subtree(path: string): string[] {
  if (!existsSync(path)) return [];
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...below.flatMap((entry) => subtree(join(path, entry.name))), path];
}

/** The instance's cgroups, children before parents. */
export const cgroupsOf = (name: string): string[] => hierarchies().flatMap((root) => subtree(join(root, cgroupOf(name))));

/** Every process in the instance's cgroups. */
export function cgroupProcesses(name: string): ProcessId[] {
  const pids = cgroupsOf(name).flatMap((path) => (readText(join(path, 'cgroup.procs')) ?? '').split('\n'));
  return [...new Set(pids)].filter((pid) => pid !== '').flatMap((pid) => identityOf(Number(pid)) ?? []);
}

export const endCgroup = (name: string): void => cgroupProcesses(name).forEach((id) => signal(id, 'SIGKILL'));

/** Removes the instance's cgroups; false while one still has processes. */
export function removeCgroups(name: string): boolean {
  for (const path of cgroupsOf(name)) {
    try {
      rmdirSync(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EBUSY' && code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
    }
  }
  return cgroupsOf(name).length === 0;
}
