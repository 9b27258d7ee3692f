// `make up`: a cluster, the images, both charts, the demo, and a table that shows it working. Safe to run again.
import type { SystemStatus } from '@tradewind/workloads/contract/status.ts';
import { consoleProgress, failureLines, secondsText } from './progress.ts';
import { until } from './run.ts';
import { clusterName, ensureTarget } from './up/clusters.ts';
import { ensureForwarder } from './up/forwarder.ts';
import { install } from './up/install.ts';
import { NAMESPACE } from './up/target.ts';
import { statusTable } from './up/table.ts';
import { podsOf, waitUntilReady } from './up/wait.ts';

/** Without figures there is nothing to show: the first seconds of a system have none. */
const FIGURES_WITHIN_MS = 30_000;

async function statusAt(port: number): Promise<SystemStatus | undefined> {
  const answer = await fetch(`http://localhost:${port}/api/status`).catch(() => undefined);
  return answer?.ok === true ? ((await answer.json()) as SystemStatus) : undefined;
}

const hasFigures = ({ mid, model, varPct }: SystemStatus['symbols'][number]): boolean =>
  mid !== null && model !== null && varPct !== null;

/** Frames that arrive, and every symbol with a price, a model and risk. */
async function figures(port: number): Promise<SystemStatus | undefined> {
  let status: SystemStatus | undefined;
  await until(
    async () => {
      status = (await statusAt(port)) ?? status;
      return (status?.framesPerSecond ?? 0) > 0 && (status?.symbols.every(hasFigures) ?? false);
    },
    { withinMs: FIGURES_WITHIN_MS, everyMs: 500 },
  );
  return status;
}

function nextSteps(port: number): string {
  return `
http://localhost:${port}/health and /api/status answer; next, for example:

  export KUBECONFIG=$(make -s kubeconfig)
  kubectl get tradewind -n ${NAMESPACE}
  kubectl describe tsys demo -n ${NAMESPACE}
  kubectl patch riskparams demo -n ${NAMESPACE} --type merge \\
    -p '{"spec":{"positionSizing":{"kellyFraction":0.15}}}'
  kubectl create -n ${NAMESPACE} -f examples/hold.yaml   # no new positions
  kubectl delete hold -n ${NAMESPACE} --all              # goes on
  make down                                        # ends it all
`;
}

async function main(): Promise<void> {
  const started = performance.now();
  const progress = consoleProgress();
  const target = await ensureTarget(process.env, progress);
  await install(target, progress, process.env['RECORDINGS'] || undefined);
  await waitUntilReady(target, progress);
  const port = await progress.step('localhost → gateway', async (note) => {
    const found = await ensureForwarder(clusterName(process.env), target);
    note(`port ${found}${found === 8080 ? '' : ', as 8080 is taken'}`);
    return found;
  });
  const status = await figures(port);
  progress.say(`\nup in ${secondsText(performance.now() - started)}: ${target.title}\n`);
  if (status !== undefined) for (const line of statusTable(status, await podsOf(target))) console.log(line);
  console.log(nextSteps(port));
}

try {
  await main();
} catch (error) {
  for (const line of failureLines(error)) console.error(line);
  process.exitCode = 1;
}
