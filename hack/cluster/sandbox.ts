// What a node lives in: a cgroup, and a network and a mount namespace held by one sleeping process. When the node's processes
// end, the kernel takes interfaces, routes and mounts away by itself; nothing can be left behind.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../progress.ts';
import { run } from '../run.ts';
import type { Command } from './components.ts';
import { markOf } from './control-plane.ts';
import type { Addresses, Layout } from './names.ts';
import { readText } from './process-table.ts';
import { ensureComponent, isRunning, recorded, type Component, type Place } from './supervise.ts';

/** Joins the cgroups, then becomes the command: the process keeps the pid that is written down. */
export function inCgroups(folders: readonly string[]): Place {
  const join_ = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"';
  return { wrap: (command): Command => ['sh', '-c', join_, 'sh', ...folders, '--', ...command] };
}

/** Enters the namespaces that process `pid` holds. */
export const inNamespaces = (pid: number): Place => ({
  wrap: (command): Command => ['nsenter', `--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`, '--', ...command],
});

/** `outer` first, then `inner`. */
export const both = (outer: Place, inner: Place): Place => ({ wrap: (command) => outer.wrap(inner.wrap(command)) });

/**
 * Folders that programs have built in, each bound to one of the node's own, so that nodes and clusters never share them.
 * All of what the kubelet and containerd mount lies in the node's own mount namespace.
 */
export function ownFolders(layout: Layout, index: number): [from: string, to: string][] {
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

export function holderOf(layout: Layout, index: number): Component {
  const binds = ownFolders(layout, index).flatMap(([from, to]) => [from, to]);
  const name = `node-${index + 1}`;
  const script =
    'set -e; mount --make-rshared /; while [ $# -gt 0 ]; do mkdir -p "$2"; mount --bind "$1" "$2"; shift 2; done; exec sleep infinity';
  return {
    name,
    command: ['unshare', '--net', '--mount', '--propagation', 'slave', 'sh', '-c', script, 'sh', ...binds],
    env: markOf(layout),
    ready: async () => readText(`/proc/${recorded(layout, name)?.pid ?? 0}/comm`)?.trim() === 'sleep',
    withinMs: 10_000,
  };
}

/** True while the node's namespaces are there. */
export const hasSandbox = (layout: Layout, index: number): boolean => isRunning(layout, holderOf(layout, index));

/**
 * Makes the node's namespaces where they are not there, and gives the place to start its components in. What lasts only as
 * long as the namespaces (containerd's run state, pods' addresses) is emptied with them.
 */
export async function ensureSandbox(layout: Layout, index: number, cgroup: Place): Promise<Place & { readonly pid: number }> {
  const holder = holderOf(layout, index);
  if (!hasSandbox(layout, index)) {
    const node = layout.node(index);
    for (const stale of [join(node.containerd, 'run'), node.cni, join(node.dir, 'container-logs')]) {
      rmSync(stale, { recursive: true, force: true });
    }
    for (const [from] of ownFolders(layout, index)) mkdirSync(from, { recursive: true });
  }
  await ensureComponent(layout, holder, cgroup);
  const pid = recorded(layout, holder.name)?.pid;
  if (pid === undefined) throw new StepFailed(`${holder.name} ended as soon as it had started`);
  return { pid, ...both(cgroup, inNamespaces(pid)) };
}

/** Links the nodes: host ── node 1 ── node 2, each a veth pair. Idempotent. */
export async function ensureNetwork(addresses: Addresses, pids: readonly number[]): Promise<void> {
  const { nodes, hostInterface, serviceCidr } = addresses;
  const [first, second] = nodes;
  const [firstPid = 0, secondPid = 0] = pids;
  if (first === undefined) return;
  const host = (...args: string[]): Promise<string> => run('ip', args);
  const within = (pid: number) => (...args: string[]): Promise<string> => run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', ...args]); // prettier-ignore

  await link({ inside: host, name: hostInterface, ip: first.peerIp }, { inside: within(firstPid), name: 'eth0', ip: first.ip, pid: firstPid });
  // Any next hop will do: kube-proxy's rules turn a Service's address into a pod's before it leaves.
  await within(firstPid)('route', 'replace', serviceCidr, 'via', first.peerIp);
  await host('route', 'replace', serviceCidr, 'via', first.ip);
  await host('route', 'replace', first.podCidr, 'via', first.ip);
  if (second !== undefined) {
    await link({ inside: within(firstPid), name: 'tw-node-2', ip: second.peerIp }, { inside: within(secondPid), name: 'eth0', ip: second.ip, pid: secondPid });
    await within(secondPid)('route', 'replace', addresses.clusterCidr, 'via', second.peerIp);
    await within(secondPid)('route', 'replace', serviceCidr, 'via', second.peerIp);
    await within(firstPid)('route', 'replace', second.podCidr, 'via', second.ip);
    await host('route', 'replace', second.podCidr, 'via', first.ip);
    await host('route', 'replace', `${second.ip}/32`, 'via', first.ip);
  }
  for (const pid of pids) await forwardIn(pid);
}

interface End {
  readonly inside: (...args: string[]) => Promise<string>;
  readonly name: string;
  readonly ip: string;
}

async function link(near: End, far: End & { readonly pid: number }): Promise<void> {
  const there = await far.inside('-o', 'link', 'show', 'dev', far.name).then(() => true, () => false); // prettier-ignore
  if (!there) {
    // The kernel takes a while to remove an ended namespace's link; its name is needed now.
    await near.inside('link', 'delete', near.name).catch(() => undefined);
    await near.inside('link', 'add', near.name, 'type', 'veth', 'peer', 'name', far.name, 'netns', String(far.pid));
  }
  for (const end of [near, far]) {
    await end.inside('address', 'replace', `${end.ip}/30`, 'dev', end.name);
    await end.inside('link', 'set', end.name, 'up');
  }
  await far.inside('link', 'set', 'lo', 'up');
}

async function forwardIn(pid: number): Promise<void> {
  const set = (key: string): Promise<string> => run('nsenter', [`--net=/proc/${pid}/ns/net`, 'sysctl', '-qw', `${key}=1`]);
  await set('net.ipv4.ip_forward');
  // Not there where the kernel has br_netfilter as a module that is not loaded; kube-proxy then sees no bridged packets.
  await set('net.bridge.bridge-nf-call-iptables').catch(() => undefined);
}
