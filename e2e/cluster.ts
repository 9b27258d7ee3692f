// The demo in a cluster of the tests' own, apart from that of `make up`. Called by the end-to-end tests.
import { ensureCluster, importImages } from '@tradewind/hack/cluster/cluster.ts';
import { buildImages } from '@tradewind/hack/images/images.ts';
import { consoleProgress } from '@tradewind/hack/progress.ts';
import { install } from '@tradewind/hack/up/install.ts';
import type { Target } from '@tradewind/hack/up/target.ts';
import { waitUntilReady } from '@tradewind/hack/up/wait.ts';
import { kubectlFor } from './kubectl.ts';
import { NAMESPACE, systemOf, type System } from './system.ts';

/** Name of the tests' cluster; hack/test.ts removes it after the run. */
export const TEST_CLUSTER = 'test';

/** Brings cluster, images, operator and demo up where they are not, by the very code of `make up`; then Ready. */
export async function startDemo(): Promise<System> {
  const progress = consoleProgress();
  const cluster = await ensureCluster({ name: TEST_CLUSTER, progress });
  const built = await buildImages(progress);
  await progress.step('images in the cluster', () => importImages(cluster, built.archive));
  const { kubectl: kubectlPath, helm: helmPath } = cluster.tools;
  const target: Target = {
    title: `embedded cluster ${TEST_CLUSTER}`,
    kubeconfig: cluster.kubeconfig,
    kubectlPath,
    helmPath,
    images: built.images,
    logs: cluster.logs,
  };
  await install(target, progress);
  await waitUntilReady(target, progress);
  return systemOf(kubectlFor(kubectlPath, cluster.kubeconfig, NAMESPACE));
}
