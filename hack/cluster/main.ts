// `node hack/cluster/main.ts up|down NAME [--control-plane-only] [--nodes=1|2]`: an instance by hand, for tests and debugging.
import { consoleProgress, failureLines } from '../progress.ts';
import { destroyCluster, ensureCluster } from './cluster.ts';

const [command, name = 'dev', ...flags] = process.argv.slice(2);
const progress = consoleProgress();
try {
  if (command === 'up') {
    const nodes = ([1, 2] as const).find((count) => flags.includes(`--nodes=${count}`));
    const cluster = await ensureCluster({
      name,
      ...(nodes === undefined ? {} : { nodes }),
      controlPlaneOnly: flags.includes('--control-plane-only'),
      progress,
    });
    console.log(`export KUBECONFIG=${cluster.kubeconfig}`);
  } else if (command === 'down') await destroyCluster(name, progress);
  else throw new Error(`expected up or down, found ${command ?? 'nothing'}`);
} catch (error) {
  for (const line of failureLines(error)) console.error(line);
  process.exitCode = 1;
}
