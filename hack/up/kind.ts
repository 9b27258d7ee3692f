// kind, in a Docker engine, as a target of `make up`. Not tried on the machines that Tradewind is developed on: they have no
// engine.
import { join } from 'node:path';
import { folders } from '../cluster/names.ts';
import { inputKey } from '../images/inputs.ts';
import type { Progress } from '../progress.ts';
import { run } from '../run.ts';
import { PULLED_REDIS, type Env, type Target } from './target.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CLUSTER = 'tradewind';

export const kindKubeconfig = (name: string): string => join(folders().state, `${name}.kind.kubeconfig`);

/** Whether a cluster of the name is there, ours or made by hand. */
export const hasKindCluster = async (): Promise<boolean> =>
  (await run('kind', ['get', 'clusters'])).split('\n').includes(CLUSTER);

export async function kindCluster(name: string, env: Env, progress: Progress): Promise<Target> {
  const kubeconfig = kindKubeconfig(name);
  await progress.step('kind cluster', async () => {
    const config = ['--config', join(ROOT, 'kind-config.yaml'), '--wait', '120s', '--kubeconfig', kubeconfig];
    if (!(await hasKindCluster()))
      await run('kind', ['create', 'cluster', '--name', CLUSTER, ...config], { timeoutMs: 600_000 });
    await run('kind', ['export', 'kubeconfig', '--name', CLUSTER, '--kubeconfig', kubeconfig]);
  });
  // Of the content, so that a cluster never runs an older image under a name that it already has.
  const tag = inputKey([join(ROOT, 'Dockerfile')]);
  const images = {
    operator: `tradewind-operator:${tag}`,
    workloads: `tradewind-workloads:${tag}`,
    redis: env['TRADEWIND_REDIS_IMAGE'] || PULLED_REDIS,
  };
  for (const image of ['operator', 'workloads'] as const) {
    await progress.step(`image ${images[image]}`, async () => {
      await run('docker', ['build', '--target', image, '-t', images[image], ROOT], { timeoutMs: 900_000 });
      await run('kind', ['load', 'docker-image', images[image], '--name', CLUSTER], { timeoutMs: 300_000 });
    });
  }
  return { title: 'kind', kubeconfig, kubectlPath: 'kubectl', helmPath: 'helm', images };
}

export async function removeKindCluster(progress: Progress): Promise<void> {
  await progress.step('kind cluster removed', () => run('kind', ['delete', 'cluster', '--name', CLUSTER]));
}
