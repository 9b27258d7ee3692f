// The three ways to a cluster, each ending in a Target; and their undoing. Called by up.ts and down.ts.
import { join } from 'node:path';
import { destroyCluster } from '../cluster/cluster.ts';
import { folders, layoutOf } from '../cluster/names.ts';
import { goVersion, isGoRecent } from '../cluster/tools.ts';
import { StepFailed, type Progress } from '../progress.ts';
import { tryRun } from '../run.ts';
import { contextCluster } from './context.ts';
import { embeddedCluster } from './embedded.ts';
import { hasKindCluster, kindCluster, kindKubeconfig, removeKindCluster } from './kind.ts';
import { record, recorded, withoutWay, withThing, withWay, type Made, type Thing } from './record.ts';
import { removeThings } from './remove.ts';
import type { Env, Target } from './target.ts';
import { chooseWay, THREE_WAYS, type NoWay, type Way } from './ways.ts';

/** Name of the embedded cluster, and of what is written down. TRADEWIND_CLUSTER gives a second one beside the first. */
export const clusterName = (env: Env): string => env['TRADEWIND_CLUSTER'] || 'up';

/** One `make up` or `make down` at a time; the lock names the process. */
export const upLock = (name: string): string => join(folders().state, `${name}.up.lock`);

/** What the last `make up` worked on; undefined where there was none. */
export const recordedWay = (name: string): Made | undefined => recorded(name).at(-1);

export async function ensureTarget(env: Env, progress: Progress): Promise<Target> {
  const way = await wayFor(env);
  if (way.kind === 'none') throw new StepFailed(`no cluster: ${way.why}`, { next: `\n${THREE_WAYS}` });
  const name = clusterName(env);
  const willUse = (kubeconfig: string): void => record(name, withWay(recorded(name), way, kubeconfig));
  const willMake = (thing: Thing): void => record(name, withThing(recorded(name), way, thing));
  switch (way.kind) {
    case 'context': {
      const target = await contextCluster(name, way.context, env);
      willUse(target.kubeconfig);
      return { ...target, willMake };
    }
    case 'kind':
      willUse(kindKubeconfig(name));
      if (!(await hasKindCluster())) willMake({ kind: 'cluster' });
      return { ...(await kindCluster(name, env, progress)), willMake };
    case 'embedded':
      willUse(layoutOf(name).kubeconfig);
      willMake({ kind: 'cluster' });
      return await embeddedCluster(name, env, progress);
  }
}

async function wayFor(env: Env): Promise<Way | NoWay> {
  const go = await goVersion();
  return chooseWay({
    context: env['TRADEWIND_CONTEXT'],
    hasDocker: (await tryRun('docker', ['info'], { timeoutMs: 5_000 })).code === 0,
    missing: await missingOf(['kind', 'kubectl', 'helm']),
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    go,
    isGoRecent: isGoRecent(go ?? ''),
  });
}

/** Programs that are not on the PATH. */
async function missingOf(programs: readonly string[]): Promise<string[]> {
  const ran = await Promise.all(programs.map((program) => tryRun(program, ['help'])));
  return programs.filter((_, i) => ran[i]?.code === 127);
}

/**
 * Takes away what `make up` made, by each way that it took: a whole cluster where it made one, else what was not there
 * before. Goes on after a failure, which stays written down, and throws the first at the end.
 */
export async function removeTargets(name: string, progress: Progress): Promise<void> {
  const failures: unknown[] = [];
  for (const made of recorded(name)) {
    try {
      await removeMade(name, made, progress);
      record(name, withoutWay(recorded(name), made.way));
    } catch (error) {
      failures.push(error);
    }
  }
  // Also without a record: it may have been lost, or the cluster made by hand.
  await destroyCluster(name, progress);
  if (failures.length > 0) throw failures[0];
}

async function removeMade(name: string, made: Made, progress: Progress): Promise<void> {
  if (made.way.kind === 'embedded') return await destroyCluster(name, progress);
  const isWhole = made.things.some(({ kind }) => kind === 'cluster');
  return isWhole ? await removeKindCluster(progress) : await removeThings(made, progress);
}
