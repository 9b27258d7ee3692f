// The embedded cluster: a real Kubernetes on one Linux machine, without Docker. `make up` and the tests call ensureCluster,
// importImage and destroyCluster; docs/local-cluster.md shows what runs where.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentProgress, StepFailed, type Progress } from '../progress.ts';
import { ensurePrivateFolder } from '../whole-file.ts';
import { ensureControlPlane } from './control-plane.ts';
import { imagesIn, importArchive } from './images.ts';
import { withLock } from './lock.ts';
import type { Access } from './kubeconfig.ts';
import { folders, isInstanceName, layoutOf } from './names.ts';
import { ensureNodes, nodesThere } from './nodes.ts';
import { startOrRebuild } from './rebuild.ts';
import { endProcesses, hasRemains, removeEverything } from './teardown.ts';
import { ensureTools, type Tools } from './tools.ts';

export interface ClusterOptions {
  /** Lower-case letters, digits, dashes, up to 15. `up` is make up's, `test` the test suite's; each name is a cluster apart. */
  readonly name: string;
  /** 2 adds a second kubelet and containerd in namespaces of their own, 1 removes them. Default: what is there, at first 1. */
  readonly nodes?: 1 | 2;
  /** Only etcd and kube-apiserver, on this machine's loopback: no pods run, no root needed, up in about 5 s. */
  readonly controlPlaneOnly?: boolean;
  /** Further flags of kube-apiserver, such as `--goaway-chance=0.02`. Other flags than the last time restart it. */
  readonly apiServerFlags?: readonly string[];
  readonly progress?: Progress;
}

export interface Cluster {
  readonly name: string;
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  /** `https://host:port` of the API server, reachable from this machine. */
  readonly server: string;
  readonly stateDir: string;
  /** One log file per component: `<logs>/kube-apiserver.log` and so on. */
  readonly logs: string;
  /** Paths of kubectl and helm, and the folders of all programs. */
  readonly tools: Tools;
}

/**
 * Brings the cluster up and gives its access. A healthy one is found in well under a second and left alone; processes that
 * have died are started again; after a restart of the machine it comes back with its data, or without where the restart has
 * cut them. Stopped half-way, it goes on where it was. Throws StepFailed.
 */
export async function ensureCluster(options: ClusterOptions): Promise<Cluster> {
  const { name, progress = silentProgress, apiServerFlags = [] } = options;
  const layout = checkedLayout(name);
  ensurePrivateFolder(folders().state);
  const tools = await ensureTools(progress);
  const start = (): Promise<Access> => {
    ensurePrivateFolder(layout.root);
    if (options.controlPlaneOnly !== true) {
      return ensureNodes(layout, { name, nodes: options.nodes ?? nodesThere(layout), apiServerFlags }, tools, progress);
    }
    return progress.step('control plane', () => ensureControlPlane(layout, tools.kubernetes, apiServerFlags));
  };
  const access = await withLock(
    lockOf(name),
    () => startOrRebuild(layout, { start, end: () => endProcesses(name, layout), say: progress.say }),
    { say: progress.say },
  );
  return {
    name,
    kubeconfig: layout.kubeconfig,
    server: access.server,
    stateDir: layout.root,
    logs: layout.logs,
    tools,
  };
}

/**
 * Ends all that belongs to the cluster and removes its state. Needs no build, works on what a crash left half-way, and does
 * nothing where there is nothing. Throws StepFailed when something cannot be ended.
 */
export async function destroyCluster(name: string, progress: Progress = silentProgress): Promise<void> {
  const layout = checkedLayout(name);
  if (!existsSync(layout.root) && !hasRemains(name, layout)) return;
  await withLock(
    lockOf(name),
    () => progress.step(`cluster \`${name}\` removed`, () => removeEverything(name, layout)),
    { say: progress.say },
  );
}

/**
 * Imports an OCI or Docker archive of images into every node, so that pods start from it with `imagePullPolicy: Never` or
 * `IfNotPresent`. An image of the same name is replaced; a node that has all of `names`, where they are given, is left
 * alone. Throws StepFailed.
 */
export async function importImages(
  cluster: Cluster,
  archivePath: string,
  names: readonly string[] = [],
): Promise<void> {
  const layout = checkedLayout(cluster.name);
  const sockets = [0, 1].map((index) => layout.node(index).socket).filter((socket) => existsSync(socket));
  if (sockets.length === 0) throw new StepFailed(`cluster \`${cluster.name}\` has no nodes to import images into`);
  for (const socket of sockets) {
    const there = names.length === 0 ? new Set() : await imagesIn(socket);
    if (names.length === 0 || names.some((image) => !there.has(image))) await importArchive(socket, archivePath);
  }
}

const lockOf = (name: string): string => join(folders().state, `${name}.lock`);

function checkedLayout(name: string): ReturnType<typeof layoutOf> {
  if (!isInstanceName(name))
    throw new RangeError(`cluster name ${JSON.stringify(name)}: expected up to 15 of a-z, 0-9, -`);
  return layoutOf(name);
}
