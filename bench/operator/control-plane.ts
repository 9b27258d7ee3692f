// The control plane of the benchmarks: etcd and kube-apiserver of their own, a user with a token, and the programs to be
// measured, built. Called by operator.ts, faults.ts and trading-system.ts.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { destroyCluster, ensureCluster, type Cluster } from '@tradewind/hack/cluster/cluster.ts';
import { bundleOf, type Bundle } from '@tradewind/hack/images/bundles.ts';
import { consoleProgress } from '@tradewind/hack/progress.ts';
import { run } from '@tradewind/hack/run.ts';
import { load } from 'js-yaml';

const ROOT = join(import.meta.dirname, '..', '..');
const USER = 'bench';
const NAME = 'bench';

export interface ControlPlane {
  readonly cluster: Cluster;
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** As a pod has it: `ca.crt` and `token`. */
  readonly mount: string;
  /** A folder for what this run leaves: programs, logs, kubeconfigs. */
  readonly folder: string;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  /** Another token of the same user, valid as long as a Secret of this name. */
  readonly token: (secret: string) => Promise<string>;
}

/** The same API server at the same port; other flags than the last time restart it. */
export const serverWith = (apiServerFlags: readonly string[]): Promise<Cluster> =>
  ensureCluster({ name: NAME, controlPlaneOnly: true, apiServerFlags, progress: consoleProgress() });

/** Starts it with the CRDs of `manifests`, and a user who may do anything. */
async function controlPlane(manifests: readonly string[]): Promise<ControlPlane> {
  const cluster = await serverWith([]);
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    run(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args], input === undefined ? {} : { input });
  const files = manifests.flatMap((file) => ['-f', file]);
  await kubectl(['apply', '--server-side', '--force-conflicts', ...files]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  await kubectl(
    ['apply', '--server-side', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: userObjects() }),
  );
  const token = async (secret: string): Promise<string> => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace: 'default' } };
    await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(object));
    const bound = ['--bound-object-kind=Secret', `--bound-object-name=${secret}`];
    return (await kubectl(['create', 'token', USER, '-n', 'default', '--duration=24h', ...bound])).trim();
  };
  const folder = mkdtempSync(join(tmpdir(), 'tradewind-bench-'));
  const mount = join(folder, 'mount');
  mkdirSync(mount);
  writeFileSync(join(mount, 'ca.crt'), caOf(readFileSync(cluster.kubeconfig, 'utf8')));
  writeFileSync(join(mount, 'token'), await token('bench-1'));
  return { cluster, host: cluster.server.replace('https://', ''), mount, folder, kubectl, token };
}

/** Runs `work` and leaves nothing behind; with TRADEWIND_KEEP the control plane stays for the next time. Logs stay where it failed. */
export async function onControlPlane<T>(
  manifests: readonly string[],
  work: (plane: ControlPlane) => Promise<T>,
): Promise<T> {
  try {
    const plane = await controlPlane(manifests);
    const result = await work(plane);
    rmSync(plane.folder, { recursive: true });
    return result;
  } finally {
    if (!process.env['TRADEWIND_KEEP']) await destroyCluster(NAME);
  }
}

function userObjects(): object[] {
  const metadata = { name: USER, namespace: 'default' };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const subjects = [{ kind: 'ServiceAccount', ...metadata }];
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: USER },
    roleRef,
  };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { ...binding, subjects },
  ];
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly 'certificate-authority-data': string } }[];
}

function caOf(kubeconfig: string): Buffer {
  const data = (load(kubeconfig) as Kubeconfig).clusters[0]?.cluster['certificate-authority-data'];
  if (data === undefined) throw new Error('kubeconfig: found no certificate-authority-data');
  return Buffer.from(data, 'base64');
}

/** Writes a kubeconfig for the mounted token and gives its path. `host` may be a relay's. */
export function writeKubeconfig({ folder, mount }: ControlPlane, host: string): string {
  const path = join(folder, `kubeconfig-${host.replace(/\W/g, '-')}`);
  const cluster = {
    server: `https://${host}`,
    'certificate-authority-data': readFileSync(join(mount, 'ca.crt')).toString('base64'),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': USER,
    clusters: [{ name: USER, cluster }],
    users: [{ name: USER, user: { tokenFile: join(mount, 'token') } }],
    contexts: [{ name: USER, context: { cluster: USER, user: USER } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Builds a Go program of this folder; Go's own cache makes the second time short. */
export async function buildGo(name: string, folder: string): Promise<string> {
  const target = join(folder, name);
  const flags = ['build', '-mod=readonly', '-o', target, '.'];
  await run('go', flags, { cwd: join(import.meta.dirname, name), timeoutMs: 30 * 60_000 });
  return target;
}

/** Bundles programs as the images are; gives the folder that has them. */
export async function bundleInto(folder: string, bundle: Bundle): Promise<string> {
  for (const { path, content } of await bundleOf(bundle)) {
    if (!('file' in content)) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content.file);
  }
  return join(folder, 'app');
}

/** How the chart starts the operator: Node's flags in the command of its Deployment. */
export const operatorFlags = (): string[] =>
  flagsIn(readFileSync(join(ROOT, 'charts/tradewind/templates/deployment.yaml'), 'utf8'));

export function flagsIn(template: string): string[] {
  const command = /command: \[node, (.*?),? ?\/app\/operator\.js\]/.exec(template);
  if (command?.[1] === undefined)
    throw new Error('charts/tradewind: found no command of the operator, expected [node, …]');
  return command[1].split(', ').filter((flag) => flag !== '');
}
