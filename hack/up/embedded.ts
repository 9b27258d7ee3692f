// The embedded cluster as a target of `make up`, with the images that it cannot pull.
import { ensureCluster, importImages } from '../cluster/cluster.ts';
import { buildImages } from '../images/images.ts';
import type { Progress } from '../progress.ts';
import type { Env, Target } from './target.ts';

export async function embeddedCluster(name: string, env: Env, progress: Progress): Promise<Target> {
  progress.say(`embedded cluster \`${name}\`: Kubernetes on this machine, without Docker`);
  const nodes = env['NODES'] === '2' ? { nodes: 2 as const } : env['NODES'] === '1' ? { nodes: 1 as const } : {};
  const cluster = await ensureCluster({ name, ...nodes, progress });
  const built = await buildImages(progress);
  await progress.step('images in the cluster', () => importImages(cluster, built.archive, Object.values(built.images)));
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
