import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOrRebuild } from './rebuild.ts';
import { ComponentFailed } from './supervise.ts';

describe('an instance whose data may be cut', () => {
  let dir: string;
  let etcd: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tradewind-rebuild-'));
    etcd = join(dir, 'etcd');
    mkdirSync(join(etcd, 'member'), { recursive: true });
    writeFileSync(join(etcd, 'member', 'db'), 'old');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const failed = (component: string, ended = true): Error => new ComponentFailed(component, 'why', { ended });
  /** Starts `failures.length` times in vain, then for good. */
  const run = async (failures: readonly Error[]) => {
    const done: string[] = [];
    const left = [...failures];
    const start = async (): Promise<'up'> => {
      done.push(existsSync(join(etcd, 'member', 'db')) ? 'start on data' : 'start anew');
      const failure = left.shift();
      if (failure !== undefined) throw failure;
      return 'up';
    };
    const end = async (): Promise<void> => void done.push('end');
    const place = { etcd, logs: dir };
    const result = await startOrRebuild(place, { start, end, say: () => undefined }).catch((error: Error) => error);
    return { done, result };
  };

  it('starts from its data where it can', async () => {
    assert.deepEqual(await run([]), { done: ['start on data'], result: 'up' });
  });
  it('gives up no data where only a process was in the way', async () => {
    const { done, result } = await run([failed('etcd')]);
    assert.deepEqual([done, result], [['start on data', 'end', 'start on data'], 'up']);
  });
  for (const component of ['etcd', 'kube-apiserver'])
    it(`starts anew, with the data put aside, where ${component} ends on it`, async () => {
      const { done, result } = await run([failed(component), failed(component)]);
      assert.deepEqual([done.at(-1), result], ['start anew', 'up']);
      assert.equal(readFileSync(join(dir, 'etcd.unusable', 'member', 'db'), 'utf8'), 'old');
    });
  it('does not wait twice for an etcd that runs and does not serve', async () => {
    const { done, result } = await run([failed('etcd', false)]);
    assert.deepEqual([done, result], [['start on data', 'end', 'start anew'], 'up']);
  });
  it('puts the data back where it was not to blame', async () => {
    const failure = failed('etcd');
    const { done, result } = await run([failure, failure, failure]);
    assert.deepEqual([done.at(-1), result], ['end', failure]);
    assert.equal(readFileSync(join(etcd, 'member', 'db'), 'utf8'), 'old');
    assert.equal(existsSync(join(dir, 'etcd.unusable')), false);
  });
  it('leaves failures of other kinds to the caller', async () => {
    for (const failure of [failed('kubelet-1'), new Error('no')])
      assert.deepEqual(await run([failure]), { done: ['start on data'], result: failure });
  });
  it('has nothing to put aside at its first start', async () => {
    rmSync(etcd, { recursive: true });
    const failure = failed('etcd');
    assert.deepEqual(await run([failure]), { done: ['start anew'], result: failure });
  });
});
