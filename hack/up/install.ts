// Installs the operator and the demo: two releases and what people apply. Each step looks first: a second run changes nothing.
// Called by up.ts and by the end-to-end tests.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { StepFailed, type Progress } from '../progress.ts';
import { recordingSources, type Serving } from './recordings.ts';
import { MADE_BY, MADE_FROM, releaseStep, type Revision } from './release.ts';
import { helm, kubectl, NAMESPACE, OPERATOR_NAMESPACE, SYSTEM, type Target } from './target.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLES = join(ROOT, 'examples', 'kind');

interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly chart: string;
  readonly values: object;
}

/** Installs what is not as it should be. Throws StepFailed with what to do next. */
export async function install(target: Target, progress: Progress, recordings?: string): Promise<void> {
  await progress.step('operator installed', (note) =>
    ensureRelease(
      target,
      { name: 'tradewind', namespace: OPERATOR_NAMESPACE, chart: 'tradewind', values: operatorValues(target) },
      note,
    ),
  );
  await ensureNamespace(target);
  await progress.step('RiskParams and RouterRules `demo`', async (note) => {
    const made = [];
    for (const [kind, file] of [
      ['riskparams', 'risk-params.yaml'],
      ['routerrules', 'router-rules.yaml'],
    ] as const)
      made.push(await createIfAbsent(target, kind, join(EXAMPLES, file)));
    note(made.some(Boolean) ? 'made' : 'there already, left as they are');
  });
  const sources = recordings === undefined ? undefined : await recordingSources(target, progress, recordings);
  await progress.step('TradingSystem `demo` installed', async (note) => {
    await ensureRelease(
      target,
      { name: SYSTEM, namespace: NAMESPACE, chart: 'trading-system', values: systemValues(sources) },
      note,
    );
    await enableOnce(target);
  });
}

function operatorValues({ images }: Target): object {
  const image = (name: string) => ({
    repository: name.slice(0, name.lastIndexOf(':')),
    tag: name.slice(name.lastIndexOf(':') + 1),
  });
  return {
    replicas: 1,
    image: image(images.operator),
    workloadsImage: image(images.workloads),
    redisImage: image(images.redis),
  };
}

/** Sources of recordings take the place of those that serve their symbols; the others stay. */
export function systemValues(recorded: readonly Serving[] = []): {
  readonly spec: { readonly sources: readonly Serving[] };
} {
  const values = load(readFileSync(join(EXAMPLES, 'values.yaml'), 'utf8')) as ReturnType<typeof systemValues>;
  const isRecorded = (symbol: string): boolean => recorded.some(({ symbols }) => symbol in symbols);
  const others = values.spec.sources.filter(({ symbols }) => !Object.keys(symbols).some(isRecorded));
  return { ...values, spec: { ...values.spec, sources: [...recorded, ...others] } };
}

/** Hash of all that a release is made from. */
function madeFromOf({ chart, values }: Release): string {
  const hash = createHash('sha256').update(JSON.stringify(values));
  const folder = join(ROOT, 'charts', chart);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    if (file.isFile()) hash.update(readFileSync(join(file.parentPath, file.name)));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Installs or upgrades only where chart or values differ from what is there: helm would make a new revision each time. */
async function ensureRelease(target: Target, release: Release, note: (text: string) => void): Promise<void> {
  const { name, namespace } = release;
  const madeFrom = madeFromOf(release);
  const step = releaseStep(await revisionsOf(target, release), madeFrom);
  switch (step.do) {
    case 'nothing':
      return note('unchanged');
    case 'refuse':
      throw new StepFailed(`release ${name} in namespace ${namespace} is there, and was not made by \`make up\``, {
        next: `uninstall it (helm uninstall ${name} -n ${namespace}) if it is not needed, or name another context`,
      });
    case 'recover':
      note('after one that was killed');
      await kubectl(target, ['delete', 'secret', step.secret, '-n', namespace, '--ignore-not-found']);
      break;
    case 'reinstall':
      await helm(target, ['uninstall', name, '-n', namespace, '--ignore-not-found', '--wait']);
      break;
    case 'install':
      target.willMake?.({ kind: 'release', namespace, name });
      break;
    case 'upgrade':
      break;
  }
  return await upgrade(target, release, madeFrom);
}

async function revisionsOf(target: Target, { name, namespace }: Release): Promise<Revision[]> {
  const selector = `owner=helm,name=${name}`;
  const found = await kubectl(target, ['get', 'secrets', '-n', namespace, '-l', selector, '-o', 'json']);
  const { items } = JSON.parse(found) as {
    items: readonly { readonly metadata: { readonly name: string; readonly labels: Record<string, string> } }[];
  };
  return items.map(({ metadata }) => ({ secret: metadata.name, labels: metadata.labels }));
}

async function upgrade(target: Target, release: Release, madeFrom: string): Promise<void> {
  const { name, namespace, chart, values } = release;
  const labels = `${MADE_BY.name}=${MADE_BY.value},${MADE_FROM}=${madeFrom}`;
  const [folder, where] = [join(ROOT, 'charts', chart), ['-n', namespace, '--create-namespace']];
  try {
    await helm(
      target,
      ['upgrade', '--install', name, folder, ...where, '--labels', labels, '-f', '-'],
      JSON.stringify(values),
    );
  } catch (cause) {
    throw new StepFailed(`release ${name} could not be installed`, {
      cause,
      next: `helm status ${name} -n ${namespace}`,
    });
  }
}

/** Written on the system by the patch that enables trading: from then on people and Holds start and stop it. */
const ENABLED_ONCE = 'tradewind.io/enabled-by';

/** Whatever was killed before, a system of ours that has never been enabled is; one that somebody has stopped stays so. */
async function enableOnce(target: Target): Promise<void> {
  const system = ['tradingsystem', SYSTEM, '-n', NAMESPACE];
  const path = `jsonpath={.metadata.annotations.${ENABLED_ONCE.replaceAll('.', '\\.')}}`;
  if ((await kubectl(target, ['get', ...system, '-o', path])) !== '') return;
  const patch = { metadata: { annotations: { [ENABLED_ONCE]: MADE_BY.value } }, spec: { trading: 'Enabled' } };
  await kubectl(target, ['patch', ...system, '--type=merge', '-p', JSON.stringify(patch)]);
}

/** Everything of ours runs under the strictest of the Pod Security Standards. */
async function ensureNamespace(target: Target): Promise<void> {
  const found = await kubectl(target, ['get', 'namespace', NAMESPACE, '--ignore-not-found', '-o', 'name']);
  if (found !== '') return;
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } };
  await kubectl(target, ['create', '-f', '-'], JSON.stringify(namespace));
}

async function createIfAbsent(target: Target, kind: 'riskparams' | 'routerrules', file: string): Promise<boolean> {
  if ((await kubectl(target, ['get', '-f', file, '--ignore-not-found', '-o', 'name'])) !== '') return false;
  target.willMake?.({ kind, namespace: NAMESPACE, name: SYSTEM });
  await kubectl(target, ['create', '-f', file]);
  return true;
}
