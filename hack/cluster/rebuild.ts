// Data that a hard restart of the machine has cut: etcd runs without fsync, so its files may end anywhere. Called by cluster.ts.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from './names.ts';
import { isAlive } from './process-table.ts';
import { ComponentFailed, lastLines, logOf, recorded } from './supervise.ts';

type Place = Pick<Layout, 'etcd' | 'logs' | 'processes'>;

interface Ways<T> {
  /** Starts what is not running. */
  readonly start: () => Promise<T>;
  /** Ends every process of the instance. */
  readonly end: () => Promise<void>;
  readonly say: (text: string) => void;
}

/**
 * Starts an instance; where etcd, or the API server for want of it, does not come up from data that is there, the data is put
 * aside and the instance starts anew. Data that was not to blame, as nothing starts without it either, is put back.
 */
export async function startOrRebuild<T>(place: Place, { start, end, say }: Ways<T>): Promise<T> {
  if (!existsSync(join(place.etcd, 'member'))) return await start();
  try {
    return await start();
  } catch (error) {
    if (!isOfStore(place, error)) throw error;
  }
  // A process that a killed script had not written down yet can be in the way, too: the same again without any process.
  await end();
  try {
    return await start();
  } catch (error) {
    if (!isOfStore(place, error)) throw error;
  }
  await end();
  const aside = `${place.etcd}.unusable`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(place.etcd, aside);
  say(`etcd does not start from its data: ${lastLines(logOf(place, 'etcd'), 1).slice(0, 200)}`);
  say(`the data is now in ${aside}, and the cluster is built anew`);
  try {
    return await start();
  } catch (error) {
    if (!isOfStore(place, error)) throw error;
    await end();
    rmSync(place.etcd, { recursive: true, force: true });
    renameSync(aside, place.etcd);
    throw error;
  }
}

/** Whether the data may be why: etcd has ended, or the API server has ended while it worked on it. */
function isOfStore(place: Place, error: unknown): boolean {
  if (!(error instanceof ComponentFailed)) return false;
  const runs = (name: string): boolean => {
    const known = recorded(place, name);
    return known !== undefined && isAlive(known);
  };
  if (error.component === 'etcd') return !runs('etcd');
  return error.component === 'kube-apiserver' && !(runs('etcd') && runs('kube-apiserver'));
}
