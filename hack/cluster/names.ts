// Where an instance of the embedded cluster keeps things, what it is known by, and the addresses it uses: pure functions of
// its name, its state folder and its slot.
// Two instances share nothing but the binaries, so that `make up`'s and the tests' never touch each other.
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Folders outside of the checkout: binaries that any checkout can use again, and each instance's state. */
export function folders(env: NodeJS.ProcessEnv = process.env, home = homedir()): { cache: string; state: string } {
  return {
    cache: join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'tradewind'),
    state: join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'tradewind'),
  };
}

/** Names become parts of cgroup and file names. */
export const isInstanceName = (name: string): boolean => /^[a-z][a-z0-9-]{0,14}$/.test(name);

/**
 * What an instance is called where all users' instances meet (cgroups, links): another state folder may have one of the same
 * name. It holds one dot, so no two are prefixes of each other.
 */
export const instanceId = (name: string, stateRoot = folders().state): string =>
  `${name}.${createHash('sha256').update(stateRoot).digest('hex').slice(0, 8)}`;

/** Environment by which every process of an instance is known, also one that was started but not yet written down. */
export const markOf = ({ root }: Pick<Layout, 'root'>): { readonly TRADEWIND_INSTANCE: string } => ({
  TRADEWIND_INSTANCE: root,
});

export const SLOTS = 16;

export interface NodeAddresses {
  /** Kubernetes node name. */
  readonly name: string;
  readonly ip: string;
  /** Its end of the link to the host (node 1) or to node 1 (node 2). */
  readonly peerIp: string;
  readonly podCidr: string;
}

export interface Addresses {
  /** Interface on the host's side. */
  readonly hostInterface: string;
  readonly nodes: readonly NodeAddresses[];
  /** All that lives in the instance; node k's pods are `.k.0/24`, links are at the top. */
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  /** ClusterIP of `kubernetes`. */
  readonly apiServiceIp: string;
  readonly dnsIp: string;
}

/**
 * Addresses of the instance in `slot` (0 … SLOTS - 1) with 1 or 2 nodes. Slots never overlap: pods of slot s are in
 * 10.(160+s).0.0/16, Services in 10.(176+s).0.0/16; both are routed on this machine only.
 */
export function addressesOf(name: string, slot: number, nodes: number): Addresses {
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS)
    throw new RangeError(`slot ${slot}: expected 0 … ${SLOTS - 1}`);
  if (nodes !== 1 && nodes !== 2) throw new RangeError(`${nodes} nodes: expected 1 or 2`);
  const [pods, services] = [`10.${160 + slot}`, `10.${176 + slot}`];
  return {
    hostInterface: `tw${slot}`,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      name: `${name}-${index + 1}`,
      ip: `${pods}.${255 - index}.2`,
      peerIp: `${pods}.${255 - index}.1`,
      podCidr: `${pods}.${index + 1}.0/24`,
    })),
    clusterCidr: `${pods}.0.0/16`,
    serviceCidr: `${services}.0.0/16`,
    apiServiceIp: `${services}.0.1`,
    dnsIp: `${services}.0.10`,
  };
}

/** Files of one instance. */
export function layoutOf(name: string, stateRoot = folders().state) {
  const root = join(stateRoot, name);
  const node = (index: number) => {
    const dir = join(root, `node-${index + 1}`);
    return {
      dir,
      containerd: join(dir, 'containerd'),
      socket: join(dir, 'containerd', 'containerd.sock'),
      kubelet: join(dir, 'kubelet'),
      podLogs: join(dir, 'pod-logs'),
      cni: join(dir, 'cni'),
      config: join(dir, 'config'),
    };
  };
  return {
    root,
    node,
    pki: join(root, 'pki'),
    logs: join(root, 'logs'),
    processes: join(root, 'processes'),
    etcd: join(root, 'etcd'),
    volumes: join(root, 'volumes'),
    config: join(root, 'config'),
    kubeconfig: join(root, 'kubeconfig'),
  };
}
export type Layout = ReturnType<typeof layoutOf>;
