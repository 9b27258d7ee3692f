// Data that a hard restart of the machine has cut: etcd runs without fsync, so its files may end anywhere. Called by cluster.ts.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from './names.ts';
import { ComponentFailed, lastLines, logOf } from './supervise.ts';

type Place = Pick<Layout, 'etcd' | 'logs'>;

interface Ways<T> {
  /** Starts what is not running. */
  readonly start: () => Promise<T>;
  /** Ends every process of the instance. */
  readonly end: () => Promise<void>;
  readonly say: (text: string) => void;
}

/** Components that the data can keep from starting. */
const isOfStore = (error: unknown): error is ComponentFailed =>
  error instanceof ComponentFailed && ['etcd', 'kube-apiserver'].includes(error.component);

/**
 * Starts an instance; where etcd, or the API server for want of it, does not come up from data that is there, the data is put
 * aside and the instance starts anew. Data that was not to blame, as nothing starts without it either, is put back.
 */
export async function startOrRebuild<T>(place: Place, { start, end, say }: Ways<T>): Promise<T> {
  if (!existsSync(join(place.etcd, 'member'))) return await start();
  const first = await attempt(start);
  if ('result' in first) return first.result;
  await end();
  // A process that a killed script had not written down yet can be in the way, too: the same again without any process. An
  // etcd that runs and never serves waits for entries that its log has lost.
  if (first.error.ended) {
    const again = await attempt(start);
    if ('result' in again) return again.result;
    await end();
  }
  const aside = `${place.etcd}.unusable`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(place.etcd, aside);
  say(`etcd does not start from its data: ${lastLines(logOf(place, 'etcd'), 1).slice(0, 200)}`);
  say(`the data is now in ${aside}, and the cluster is built anew`);
  const anew = await attempt(start);
  if ('result' in anew) return anew.result;
  await end();
  rmSync(place.etcd, { recursive: true, force: true });
  renameSync(aside, place.etcd);
  throw anew.error;
}

/** Throws what is not of the store. */
async function attempt<T>(start: () => Promise<T>): Promise<{ result: T } | { error: ComponentFailed }> {
  try {
    return { result: await start() };
  } catch (error) {
    if (isOfStore(error)) return { error };
    throw error;
  }
}
