// `make up`: a cluster, the images, both charts, the demo, and a table that shows it working. Safe to run again.
import { withLock } from './cluster/lock.ts';
import { layoutOf, markOf } from './cluster/names.ts';
import { consoleProgress, failureLines, secondsText, StepFailed, type Progress } from './progress.ts';
import { clusterName, ensureTarget, upLock } from './up/clusters.ts';
import { ensureForwarder } from './up/forwarder.ts';
import { install } from './up/install.ts';
import { stillStarting, waitUntilWorking } from './up/live.ts';
import { NAMESPACE, SYSTEM } from './up/target.ts';
import { statusTable } from './up/table.ts';
import { podsOf, waitUntilReady } from './up/wait.ts';

function nextSteps(port: number): string {
  return `
http://localhost:${port}/health and /api/status answer; next, for example:

  export KUBECONFIG=$(make -s kubeconfig)
  kubectl get tradewind -n ${NAMESPACE}
  kubectl describe tsys ${SYSTEM} -n ${NAMESPACE}
  kubectl patch riskparams ${SYSTEM} -n ${NAMESPACE} --type merge \\
    -p '{"spec":{"positionSizing":{"kellyFraction":0.15}}}'
  hold=$(kubectl create -n ${NAMESPACE} -f examples/hold.yaml -o name)  # no new positions
  kubectl delete -n ${NAMESPACE} $hold                              # goes on
  kubectl annotate --overwrite tsys ${SYSTEM} -n ${NAMESPACE} \\
    tradewind.io/restart=$(date +%s)                          # in order
  kubectl get tsys ${SYSTEM} -n ${NAMESPACE} -w                            # its story
  make down                                                   # ends it all
`;
}

async function main(name: string, progress: Progress): Promise<void> {
  const started = performance.now();
  const target = await ensureTarget(process.env, progress);
  await install(target, progress, process.env['RECORDINGS'] || undefined);
  await waitUntilReady(target, progress);
  const port = await progress.step('localhost → gateway', async (note) => {
    const found = await ensureForwarder(name, target);
    note(`port ${found}${found === 8080 ? '' : '; 8080 was taken'}`);
    return found;
  });
  const status = await waitUntilWorking(port, progress);
  if (status === undefined) {
    throw new StepFailed(`no status from http://localhost:${port}/api/status`, {
      next: `kubectl --kubeconfig ${target.kubeconfig} get pods -n ${NAMESPACE} says what is missing; then run \`make up\` again`,
    });
  }
  progress.say(`\nup in ${secondsText(performance.now() - started)}: ${target.title}\n`);
  for (const line of statusTable(status, await podsOf(target))) console.log(line);
  const starting = stillStarting(status);
  if (starting !== undefined) console.log(`\nit does not work fully yet: ${starting}; /health says what is not well`);
  console.log(nextSteps(port));
}

const name = clusterName(process.env);
const progress = consoleProgress();
// Whatever this starts carries the mark, so that `make down` finds it.
Object.assign(process.env, markOf(layoutOf(name)));
try {
  await withLock(upLock(name), () => main(name, progress), { say: progress.say });
} catch (error) {
  for (const line of failureLines(error)) console.error(line);
  process.exitCode = 1;
}
