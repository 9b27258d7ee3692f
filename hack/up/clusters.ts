// The three ways to a cluster, each ending in a Target; and their undoing. Called by up.ts and down.ts.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { destroyCluster, ensureCluster, importImages } from '../cluster/cluster.ts';
import { folders } from '../cluster/names.ts';
import { goVersion, isGoRecent } from '../cluster/tools.ts';
import { buildImages } from '../images/images.ts';
import { StepFailed, type Progress } from '../progress.ts';
import { run, tryRun } from '../run.ts';
import { helm, tryKubectl, type Target, NAMESPACE, OPERATOR_NAMESPACE, SYSTEM } from './target.ts';
import { chooseWay, THREE_WAYS, type Way } from './ways.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const KIND_NAME = 'tradewind';
/** Default where a user's cluster or kind can pull: the chart's own. */
const PULLED_REDIS = 'redis:7.4-alpine';

type Env = Readonly<Record<string, string | undefined>>;

/** Name of the embedded cluster, and of what is written down. TRADEWIND_CLUSTER gives a second one beside the first. */
export const clusterName = (env: Env): string => env['TRADEWIND_CLUSTER'] || 'up';

const recordPath = (name: string): string => join(folders().state, `${name}-way.json`);

interface Record_ {
  readonly way: Way;
  readonly kubeconfig: string;
}

/** What the last `make up` used; undefined where there was none. */
export function recordedWay(name: string): Record_ | undefined {
  const path = recordPath(name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record_) : undefined;
}

export const forgetWay = (name: string): void => rmSync(recordPath(name), { force: true });

export async function ensureTarget(env: Env, progress: Progress): Promise<Target> {
  const way = chooseWay({
    context: env['TRADEWIND_CONTEXT'],
    hasDocker: (await tryRun('docker', ['info'], { timeoutMs: 5_000 })).code === 0,
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    go: await goVersion(),
    isGoRecent: isGoRecent((await goVersion()) ?? ''),
  });
  if (way.kind === 'none') throw new StepFailed(`no cluster: ${way.why}`, { next: `\n${THREE_WAYS}` });
  const target = await targetOf(way, env, progress);
  mkdirSync(folders().state, { recursive: true });
  writeFileSync(recordPath(clusterName(env)), JSON.stringify({ way, kubeconfig: target.kubeconfig }));
  return target;
}

async function targetOf(way: Exclude<Way, { kind: 'none' }>, env: Env, progress: Progress): Promise<Target> {
  switch (way.kind) {
    case 'context':
      return ownCluster(way.context, env);
    case 'kind':
      return await kindCluster(env, progress);
    case 'embedded':
      return await embeddedCluster(env, progress);
  }
}

async function embeddedCluster(env: Env, progress: Progress): Promise<Target> {
  const name = clusterName(env);
  progress.say(`embedded cluster \`${name}\`: Kubernetes on this machine, without Docker`);
  const nodes = env['NODES'] === '2' ? { nodes: 2 as const } : env['NODES'] === '1' ? { nodes: 1 as const } : {};
  const cluster = await ensureCluster({ name, ...nodes, progress });
  const built = await buildImages(progress);
  await progress.step('images in the cluster', () => importImages(cluster, built.archive));
  const { kubectl: kubectlPath, helm: helmPath } = cluster.tools;
  return {
    title: `embedded cluster ${name}`,
    kubeconfig: cluster.kubeconfig,
    kubectlPath,
    helmPath,
    images: built.images,
    logs: cluster.logs,
  };
}

/** A cluster of the user's must be able to pull the images, so they are the user's to name. */
function ownCluster(context: string, env: Env): Target {
  const [operator, workloads] = [env['TRADEWIND_OPERATOR_IMAGE'], env['TRADEWIND_WORKLOADS_IMAGE']];
  if (!operator || !workloads) {
    throw new StepFailed(
      'TRADEWIND_CONTEXT: found no images, expected TRADEWIND_OPERATOR_IMAGE and TRADEWIND_WORKLOADS_IMAGE',
      {
        next: 'build them with `docker build --target operator` and `--target workloads`, push them, and name them with their tags',
      },
    );
  }
  const kubeconfig = env['KUBECONFIG'] || join(env['HOME'] ?? '', '.kube', 'config');
  const images = { operator, workloads, redis: env['TRADEWIND_REDIS_IMAGE'] || PULLED_REDIS };
  return { title: `context ${context}`, kubeconfig, context, kubectlPath: 'kubectl', helmPath: 'helm', images };
}

/** Not tried on the machines that Tradewind is developed on: they have no Docker engine. */
async function kindCluster(env: Env, progress: Progress): Promise<Target> {
  const kubeconfig = join(folders().state, 'kind-kubeconfig');
  mkdirSync(folders().state, { recursive: true });
  await progress.step('kind cluster', async () => {
    const there = (await run('kind', ['get', 'clusters'])).split('\n').includes(KIND_NAME);
    if (!there)
      await run(
        'kind',
        ['create', 'cluster', '--name', KIND_NAME, '--config', join(ROOT, 'kind-config.yaml'), '--wait', '120s'],
        { timeoutMs: 600_000 },
      );
    await run('kind', ['export', 'kubeconfig', '--name', KIND_NAME, '--kubeconfig', kubeconfig]);
  });
  const tag = (await tryRun('git', ['-C', ROOT, 'describe', '--always', '--dirty'])).stdout.trim() || 'dev';
  const images = {
    operator: `tradewind-operator:${tag}`,
    workloads: `tradewind-workloads:${tag}`,
    redis: env['TRADEWIND_REDIS_IMAGE'] || PULLED_REDIS,
  };
  for (const name of ['operator', 'workloads'] as const) {
    await progress.step(`image ${images[name]}`, async () => {
      await run('docker', ['build', '--target', name, '-t', images[name], ROOT], { timeoutMs: 900_000 });
      await run('kind', ['load', 'docker-image', images[name], '--name', KIND_NAME], { timeoutMs: 300_000 });
    });
  }
  return { title: 'kind', kubeconfig, kubectlPath: 'kubectl', helmPath: 'helm', images };
}

/** Takes away what `make up` made: the cluster where it was ours to make, else the two releases and the demo's objects. */
export async function removeTarget(env: Env, progress: Progress): Promise<void> {
  const name = clusterName(env);
  const record = recordedWay(name);
  const way = record?.way ?? { kind: 'embedded' };
  if (way.kind === 'kind')
    await progress.step('kind cluster removed', () => run('kind', ['delete', 'cluster', '--name', KIND_NAME]));
  else if (way.kind === 'context')
    await progress.step('releases removed', () => uninstall(ownTarget(way.context, record?.kubeconfig ?? '')));
  else await destroyCluster(name, progress);
  forgetWay(name);
}

const ownTarget = (context: string, kubeconfig: string): Target => ({
  title: context,
  kubeconfig,
  context,
  kubectlPath: 'kubectl',
  helmPath: 'helm',
  images: { operator: '', workloads: '', redis: '' },
});

/** The CRDs stay, as an uninstall of the chart leaves them: they may hold systems that are not ours. */
async function uninstall(target: Target): Promise<void> {
  await helm(target, ['uninstall', SYSTEM, '-n', NAMESPACE, '--ignore-not-found', '--wait']);
  await tryKubectl(target, ['delete', 'riskparams,routerrules', SYSTEM, '-n', NAMESPACE, '--ignore-not-found']);
  await tryKubectl(target, ['delete', 'pvc', 'recordings', '-n', NAMESPACE, '--ignore-not-found', '--wait=false']);
  await helm(target, ['uninstall', 'tradewind', '-n', OPERATOR_NAMESPACE, '--ignore-not-found']);
}
