// TRADEWIND_CONTEXT: a cluster of the user's as a target of `make up`.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { folders } from '../cluster/names.ts';
import { StepFailed } from '../progress.ts';
import { run } from '../run.ts';
import { ensurePrivateFolder, replaceFile } from '../whole-file.ts';
import { PULLED_REDIS, type Env, type Target } from './target.ts';

/**
 * Looks only, and writes a kubeconfig of that one context into the state folder: whatever the user's own file says later, all
 * that follows works on this cluster. Throws StepFailed.
 */
export async function contextCluster(name: string, context: string, env: Env): Promise<Target> {
  const [operator, workloads] = [env['TRADEWIND_OPERATOR_IMAGE'], env['TRADEWIND_WORKLOADS_IMAGE']];
  if (!operator || !workloads) {
    throw new StepFailed(
      'TRADEWIND_CONTEXT: found no images, expected TRADEWIND_OPERATOR_IMAGE and TRADEWIND_WORKLOADS_IMAGE',
      {
        next: 'build them with `docker build --target operator` and `--target workloads`, push them, and name them with their tags',
      },
    );
  }
  const kubeconfig = await ownKubeconfig(name, context);
  const images = { operator, workloads, redis: env['TRADEWIND_REDIS_IMAGE'] || PULLED_REDIS };
  return { title: `context ${context}`, kubeconfig, kubectlPath: 'kubectl', helmPath: 'helm', images };
}

/** kubectl itself reads the user's file, or files: KUBECONFIG may be a list. Names of contexts may hold any character. */
async function ownKubeconfig(name: string, context: string): Promise<string> {
  const hash = createHash('sha256').update(context).digest('hex').slice(0, 8);
  const path = join(folders().state, `${name}.context-${hash}.kubeconfig`);
  try {
    const text = await run('kubectl', ['config', 'view', '--minify', '--flatten', '--context', context]);
    ensurePrivateFolder(folders().state);
    replaceFile(path, text);
    return path;
  } catch (cause) {
    throw new StepFailed(`TRADEWIND_CONTEXT=${context}: kubectl cannot use it`, {
      cause,
      next: '`kubectl config get-contexts` lists those that are there',
    });
  }
}
