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
  return ready.status === 'True' ? await runsTheImages(target) : ready.message;
}

interface Workload {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

/** A new operator may be about to roll what an older one called Ready. */
async function runsTheImages(target: Target): Promise<true | string> {
  const { code, stdout } = await tryKubectl(target, [
    'get',
    'deployments,statefulsets',
    '-n',
    NAMESPACE,
    '-l',
    `tradewind.io/system=${SYSTEM}`,
    '-o',
    'json',
  ]);
  if (code !== 0) return 'parts could not be listed';
  const { items } = JSON.parse(stdout) as { items: readonly Workload[] };
  const wanted = new Set(Object.values(target.images));
  const old = items.filter(({ spec }) => !spec.template.spec.containers.every(({ image }) => wanted.has(image)));
  return old.length === 0
    ? true
    : `new images not rolled out yet: ${old.map(({ metadata }) => metadata.name).join(', ')}`;
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
