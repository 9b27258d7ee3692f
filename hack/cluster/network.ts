// The links between this machine and the nodes, and their routes: host ── node 1 ── node 2, each a veth pair. The kernel takes
// link and routes away when the namespace at either end goes.
import { StepFailed } from '../progress.ts';
import { run } from '../run.ts';
import type { Addresses } from './names.ts';
import { readText } from './process-table.ts';

type Ip = (...args: string[]) => Promise<string>;

/** One end of a link: how to run `ip` there, and what the interface is called there. */
interface End {
  readonly inside: Ip;
  readonly name: string;
  readonly ip: string;
}

const onHost: Ip = (...args) => run('ip', args);
const within =
  (pid: number): Ip =>
  (...args) =>
    run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', ...args]);

/**
 * Links and routes for nodes whose namespaces `pids` hold, in the order of `addresses.nodes`. Idempotent. This machine's end
 * carries `owner` as its alias; throws StepFailed where it carries another's.
 */
export async function ensureNetwork(addresses: Addresses, pids: readonly number[], owner: string): Promise<void> {
  const { nodes, hostInterface, serviceCidr, clusterCidr } = addresses;
  const [[first, firstPid], [second, secondPid]] = [0, 1].map((index) => [nodes[index], pids[index]] as const) as [
    readonly [(typeof nodes)[0] | undefined, number | undefined],
    readonly [(typeof nodes)[0] | undefined, number | undefined],
  ];
  if (first === undefined || firstPid === undefined) return;
  const inFirst = within(firstPid);
  refuseStranger(hostInterface, owner);
  await link(
    { inside: onHost, name: hostInterface, ip: first.peerIp },
    { inside: inFirst, name: 'eth0', ip: first.ip },
    firstPid,
  );
  await onHost('link', 'set', hostInterface, 'alias', owner);
  // Any next hop will do: kube-proxy's rules turn a Service's address into a pod's before it leaves.
  await inFirst('route', 'replace', serviceCidr, 'via', first.peerIp);
  for (const range of [serviceCidr, first.podCidr]) await onHost('route', 'replace', range, 'via', first.ip);
  await forwardIn(firstPid);
  if (second === undefined || secondPid === undefined) return;
  const inSecond = within(secondPid);
  await link(
    { inside: inFirst, name: 'tw-node-2', ip: second.peerIp },
    { inside: inSecond, name: 'eth0', ip: second.ip },
    secondPid,
  );
  for (const range of [clusterCidr, serviceCidr]) await inSecond('route', 'replace', range, 'via', second.peerIp);
  await inFirst('route', 'replace', second.podCidr, 'via', second.ip);
  for (const range of [second.podCidr, `${second.ip}/32`]) await onHost('route', 'replace', range, 'via', first.ip);
  await forwardIn(secondPid);
}

/** Two state folders can have given out one slot only while neither's instance ran. */
function refuseStranger(hostInterface: string, owner: string): void {
  const other = readText(`/sys/class/net/${hostInterface}/ifalias`)?.trim() ?? '';
  if (other === '' || other === owner) return;
  throw new StepFailed(`link ${hostInterface} and its addresses belong to another cluster, ${other}`, {
    next: 'end that one, or this one (`make down`), and run `make up` again',
  });
}

/** Index of an interface and of its peer, from `ip -o link show dev NAME`: `5: tw0@if2: <BROADCAST,…`. */
export function indexesIn(output: string): { own: string; peer: string } | undefined {
  const [, own, peer] = output.match(/^(\d+): [^@]+@if(\d+):/) ?? [];
  return own === undefined || peer === undefined ? undefined : { own, peer };
}

const indexesOf = async ({ inside, name }: End): Promise<ReturnType<typeof indexesIn>> =>
  indexesIn(await inside('-o', 'link', 'show', 'dev', name).catch(() => ''));

async function link(near: End, far: End, farPid: number): Promise<void> {
  const [here, there] = await Promise.all([indexesOf(near), indexesOf(far)]);
  if (here === undefined || here.own !== there?.peer || here.peer !== there.own) {
    // An end whose peer's namespace has just ended stays for a moment; its name is needed now.
    for (const end of [near, far]) await end.inside('link', 'delete', end.name).catch(() => undefined);
    await near.inside('link', 'add', near.name, 'type', 'veth', 'peer', 'name', far.name, 'netns', String(farPid));
  }
  for (const end of [near, far]) {
    await end.inside('address', 'replace', `${end.ip}/30`, 'dev', end.name);
    await end.inside('link', 'set', end.name, 'up');
  }
  await far.inside('link', 'set', 'lo', 'up');
}

async function forwardIn(pid: number): Promise<void> {
  const set = (key: string): Promise<string> =>
    run('nsenter', [`--net=/proc/${pid}/ns/net`, 'sysctl', '-qw', `${key}=1`]);
  await set('net.ipv4.ip_forward');
  // Not there where the kernel has br_netfilter as a module that is not loaded; kube-proxy then sees no bridged packets.
  await set('net.bridge.bridge-nf-call-iptables').catch(() => undefined);
}

/** Removes this machine's end of the link, and with it the routes over it. */
export async function removeLink(name: string): Promise<void> {
  await onHost('link', 'delete', name).catch(() => undefined);
}
