// Waits until the demo is Ready, saying what it waits for, and diagnoses where it does not come.
import { setTimeout as delay } from 'node:timers/promises';
import { StepFailed, type Progress } from '../progress.ts';
import { NAMESPACE, SYSTEM, kubectl, tryKubectl, type Target } from './target.ts';

const EVERY_MS = 500;

interface Found {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly phase?: string;
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  };
}

/** Resolves when the TradingSystem is Ready for its present spec. Throws StepFailed after `withinMs`. */
export async function waitUntilReady(target: Target, progress: Progress, withinMs = 300_000): Promise<void> {
  await progress.step('all parts up, every pod runs the desired document', async (note) => {
    const deadline = performance.now() + withinMs;
    let said = 'no status yet';
    while (performance.now() < deadline) {
      const ready = await readiness(target);
      if (ready === true) return note('');
      said = ready;
      note(said.slice(0, 60));
      await delay(EVERY_MS);
    }
    throw new StepFailed(`demo is not Ready after ${withinMs / 1_000} s: ${said}`, {
      cause: new Error(await diagnosis(target)),
      ...(target.logs === undefined ? {} : { log: target.logs }),
      next: `kubectl describe tsys ${SYSTEM} -n ${NAMESPACE}, then kubectl logs of the pod that is named`,
    });
  });
}

async function readiness(target: Target): Promise<true | string> {
  const { code, stdout } = await tryKubectl(target, ['get', 'tradingsystem', SYSTEM, '-n', NAMESPACE, '-o', 'json']);
  if (code !== 0) return 'no TradingSystem yet';
  const { metadata, status } = JSON.parse(stdout) as Found;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (status?.observedGeneration !== metadata.generation || ready === undefined)
    return 'the operator has not seen it yet';
  return ready.status === 'True' ? true : ready.message;
}

/** Pods that are not ready, and the last warnings. */
async function diagnosis(target: Target): Promise<string> {
  const [pods, events] = await Promise.all([
    tryKubectl(target, ['get', 'pods', '-n', NAMESPACE]),
    tryKubectl(target, ['get', 'events', '-n', NAMESPACE, '--field-selector=type=Warning', '--sort-by=.lastTimestamp']),
  ]);
  return [pods.stdout.trim(), events.stdout.trim().split('\n').slice(-5).join('\n')].filter(Boolean).join('\n');
}

/** Pods of the demo and their state, for the closing table. */
export async function podsOf(target: Target): Promise<{ name: string; state: string }[]> {
  const columns = 'custom-columns=N:.metadata.name,S:.status.phase,R:.status.containerStatuses[*].ready';
  const text = await kubectl(target, [
    'get',
    'pods',
    '-n',
    NAMESPACE,
    '-l',
    `tradewind.io/system=${SYSTEM}`,
    '--no-headers',
    '-o',
    columns,
  ]);
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', phase = '', ready = ''] = line.split(/\s+/);
      return { name, state: ready.includes('false') ? `${phase}, not ready` : phase };
    });
}
