import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeJson } from '../whole-file.ts';
import { holderOf, withLock } from './lock.ts';
import { identityOf } from './process-table.ts';

describe('lock', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tradewind-lock-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'a.lock');
  const self = identityOf(process.pid);

  it('names its holder while work runs, and is gone afterwards, also after a failure', async () => {
    await withLock(path, async () => assert.deepEqual(holderOf(path), self));
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.deepEqual(readdirSync(dir), []);
  });
  for (const [title, left] of [
    ['an empty one', ''],
    ['a half-written one', '{"pid":'],
    ['one of a process that has ended', JSON.stringify({ ...self, startTime: '1' })],
    ['one of before a restart', JSON.stringify({ ...self, bootId: 'before' })],
  ] as const)
    it(`takes over ${title} that a crash has left`, async () => {
      writeFileSync(path, left);
      await withLock(path, async () => assert.deepEqual(holderOf(path), self), { withinMs: 0 });
      assert.equal(existsSync(path), false);
    });
  it('says for whom it waits, once, and at last what to do', async () => {
    writeJson(path, self);
    const said: string[] = [];
    const work = withLock(path, () => Promise.resolve(), { withinMs: 300, say: (text) => said.push(text) });
    await assert.rejects(work, new RegExp(`process ${process.pid} has been at work`));
    assert.deepEqual(said, [`waits for process ${process.pid}, which is at work`]);
    rmSync(path);
  });
});
