// Takes out of a cluster that is not ours what `make up` has put in, and nothing else. CRDs and namespaces stay: they may hold
// what others have made since.
import { existsSync } from 'node:fs';
import { StepFailed, type Progress } from '../progress.ts';
import type { Made, Thing } from './record.ts';
import { helm, kubectl, type Target } from './target.ts';

/** The last that was made goes first. Idempotent. */
export async function removeThings({ way, kubeconfig, things }: Made, progress: Progress): Promise<void> {
  const title = way.kind === 'context' ? `context ${way.context}` : way.kind;
  if (things.length === 0) return;
  if (!existsSync(kubeconfig)) throw new StepFailed(`${title}: ${kubeconfig} is gone`, { next: 'run `make up` again' });
  const images = { operator: '', workloads: '', redis: '' };
  const target: Target = { title, kubeconfig, kubectlPath: 'kubectl', helmPath: 'helm', images };
  for (const thing of things.toReversed())
    await progress.step(`${title}: ${nameOf(thing)} removed`, () => removeThing(target, thing));
}

const nameOf = (thing: Thing): string => (thing.kind === 'cluster' ? 'cluster' : `${thing.kind} ${thing.name}`);

async function removeThing(target: Target, thing: Thing): Promise<void> {
  if (thing.kind === 'cluster') return;
  const { kind, name, namespace } = thing;
  if (kind === 'release') await helm(target, ['uninstall', name, '-n', namespace, '--ignore-not-found', '--wait']);
  else await kubectl(target, ['delete', kind, name, '-n', namespace, '--ignore-not-found', '--wait=false']);
}
