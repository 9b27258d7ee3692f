// The control plane that tests of the API use: etcd and kube-apiserver of their own, with our CRDs. Called by tests only.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { consoleProgress } from './progress.ts';
import { run, tryRun } from './run.ts';
import { ensureCluster } from './cluster/cluster.ts';

const CRDS = join(import.meta.dirname, '..', 'crds');

export interface TestApi {
  readonly kubeconfig: string;
  /** Runs kubectl; `code` 1 and its words on standard error where it is refused. */
  kubectl(args: readonly string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Runs helm, as kubectl. */
  helm(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** A namespace that no other test has. */
  namespace(): Promise<string>;
}

let started: Promise<TestApi> | undefined;

/** Starts it at the first call (about 5 s), with the CRDs applied and established. The same one for all tests of a run. */
export function testApi(): Promise<TestApi> {
  started ??= start();
  return started;
}

async function start(): Promise<TestApi> {
  const cluster = await ensureCluster({ name: 'api', controlPlaneOnly: true, progress: consoleProgress() });
  const { kubectl } = cluster.tools;
  const base = ['--kubeconfig', cluster.kubeconfig];
  const files = readdirSync(CRDS).filter((file) => file.endsWith('.yaml'));
  const manifests = files.flatMap((file) => ['-f', join(CRDS, file)]);
  await run(kubectl, [...base, 'apply', '--server-side', '--force-conflicts', ...manifests]);
  await run(kubectl, [...base, 'wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  // Our clients must not get 429 because the watch cache of a new kind is not filled yet.
  for (const kind of ['tradingsystems', 'riskparams', 'routerrules', 'holds'])
    await run(kubectl, [...base, 'get', kind, '-A']);
  let count = 0;
  return {
    kubeconfig: cluster.kubeconfig,
    kubectl: (args, input) => tryRun(kubectl, [...base, ...args], input === undefined ? {} : { input }),
    helm: (args) => tryRun(cluster.tools.helm, args),
    namespace: async () => {
      const name = `test-${process.pid}-${Date.now().toString(36)}-${++count}`;
      await run(kubectl, [...base, 'create', 'namespace', name]);
      return name;
    },
  };
}
