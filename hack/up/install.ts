// Installs the operator and the demo: two releases and what people apply. Each step looks first: a second run changes nothing.
// Called by up.ts and by the end-to-end tests.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { StepFailed, type Progress } from '../progress.ts';
import { recordingSources } from './recordings.ts';
import { helm, kubectl, NAMESPACE, OPERATOR_NAMESPACE, SYSTEM, tryKubectl, type Target } from './target.ts';

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
    for (const file of ['risk-params.yaml', 'router-rules.yaml'])
      made.push(await createIfAbsent(target, join(EXAMPLES, file)));
    note(made.some(Boolean) ? 'made' : 'there already, left as they are');
  });
  const sources = recordings === undefined ? undefined : await recordingSources(target, progress, recordings);
  await progress.step('TradingSystem `demo` installed', async (note) => {
    const isNew = (await tryKubectl(target, ['get', 'tradingsystem', SYSTEM, '-n', NAMESPACE])).code !== 0;
    await ensureRelease(
      target,
      { name: SYSTEM, namespace: NAMESPACE, chart: 'trading-system', values: systemValues(sources) },
      note,
    );
    // Once: from then on people and Holds start and stop it.
    if (isNew)
      await kubectl(target, [
        'patch',
        'tradingsystem',
        SYSTEM,
        '-n',
        NAMESPACE,
        '--type=merge',
        '-p',
        '{"spec":{"trading":"Enabled"}}',
      ]);
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

function systemValues(sources: object | undefined): object {
  const values = load(readFileSync(join(EXAMPLES, 'values.yaml'), 'utf8')) as { spec: object };
  return sources === undefined ? values : { ...values, spec: { ...values.spec, sources } };
}

/** Installs or upgrades only where chart or values differ from what is there: helm would make a new revision each time. */
async function ensureRelease(
  target: Target,
  { name, namespace, chart, values }: Release,
  note: (text: string) => void,
): Promise<void> {
  const hash = createHash('sha256').update(JSON.stringify(values));
  const folder = join(ROOT, 'charts', chart);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    if (file.isFile()) hash.update(readFileSync(join(file.parentPath, file.name)));
  }
  const description = `make up ${hash.digest('hex').slice(0, 12)}`;
  const found = await helm(target, ['status', name, '-n', namespace, '-o', 'json']).catch(() => '{}');
  const { info } = JSON.parse(found) as { info?: { description?: string; status?: string } };
  if (info?.description === description && info.status === 'deployed') return note('unchanged');
  const args = [
    'upgrade',
    '--install',
    name,
    folder,
    '-n',
    namespace,
    '--create-namespace',
    '--description',
    description,
    '-f',
    '-',
  ];
  try {
    await helm(target, args, JSON.stringify(values));
  } catch (cause) {
    throw new StepFailed(`release ${name} could not be installed`, {
      cause,
      next: `helm status ${name} -n ${namespace}`,
    });
  }
  return undefined;
}

async function ensureNamespace(target: Target): Promise<void> {
  if ((await tryKubectl(target, ['get', 'namespace', NAMESPACE])).code === 0) return;
  await kubectl(target, ['create', 'namespace', NAMESPACE]);
  // Everything of ours runs under the strictest of the Pod Security Standards.
  await kubectl(target, ['label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted']);
}

async function createIfAbsent(target: Target, file: string): Promise<boolean> {
  if ((await tryKubectl(target, ['get', '-f', file])).code === 0) return false;
  await kubectl(target, ['create', '-f', file]);
  return true;
}
