// What a hard restart of the machine does to etcd, which runs without fsync: files that end anywhere. Control plane only.
import assert from 'node:assert/strict';
import { globSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { destroyCluster, ensureCluster, type Cluster } from '../cluster/cluster.ts';
import { signal } from '../cluster/process-table.ts';
import { recorded, recordedNames } from '../cluster/supervise.ts';
import type { Progress } from '../progress.ts';
import { until } from '../run.ts';
import { kubectlFor, reasonToSkip } from './kit.ts';

const NAME = 'rebuildtest';

describe('a control plane whose machine was restarted hard', () => {
  const said: string[] = [];
  const progress: Progress = { say: (text) => void said.push(text), step: (_title, work) => work(() => undefined) };
  const start = (): Promise<Cluster> => ensureCluster({ name: NAME, controlPlaneOnly: true, progress });
  let cluster: Cluster;
  const names = async (): Promise<string> => await kubectlFor(cluster)('get namespaces -o name');
  const killAll = async (): Promise<void> => {
    const folders = { processes: join(cluster.stateDir, 'processes') };
    const all = recordedNames(folders).flatMap((name) => recorded(folders, name) ?? []);
    assert.ok(await until(() => !all.some((id) => signal(id, 'SIGKILL'))));
  };
  const files = (pattern: string): string[] => {
    const found = globSync(join(cluster.stateDir, 'etcd', 'member', pattern));
    assert.notEqual(found.length, 0, pattern);
    return found;
  };

  before(async function () {
    if ((await reasonToSkip()) !== undefined) return this.skip();
    this.timeout(30 * 60_000); // the first time, Kubernetes is built
    await destroyCluster(NAME);
    cluster = await start();
    await kubectlFor(cluster)('create namespace before');
  });
  after(async () => {
    if (cluster !== undefined) await destroyCluster(NAME);
  });

  it('comes back with its data where they are whole', async () => {
    await killAll();
    await start();
    assert.match(await names(), /namespace\/before/);
    assert.deepEqual(said, []);
  });
  for (const [title, cut] of [
    ['a log of garbage', () => files('wal/*.wal').forEach((file) => writeFileSync(file, Buffer.alloc(4096, 0x5a)))],
    ['a store that ends in the middle', () => files('snap/db').forEach((file) => truncateSync(file, statSync(file).size / 2))], // prettier-ignore
    [
      'a log that is shorter than the store knows',
      () => files('wal/*.wal').forEach((file) => truncateSync(file, 4096)),
    ],
  ] as const)
    it(`is built anew from ${title}, and says so`, async () => {
      await kubectlFor(cluster)('create namespace mark');
      await killAll();
      cut();
      said.length = 0;
      await start();
      assert.doesNotMatch(await names(), /namespace\/mark/);
      await kubectlFor(cluster)('create namespace after');
      assert.match(said.join('\n'), /etcd does not start from its data.*\n.*is built anew/);
      assert.ok(readdirSync(cluster.stateDir).includes('etcd.unusable'));
    });
});
