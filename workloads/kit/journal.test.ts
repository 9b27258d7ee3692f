import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from './journal.ts';

describe('the journal', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'journal-'))));
  const opened: Awaited<ReturnType<typeof open>>[] = [];
  afterEach(async () => {
    for (const journal of opened.splice(0)) await journal.close().catch(() => undefined);
    rmSync(dir, { recursive: true });
  });
  const open = () => openJournal<{ sum: number }, number>(dir, 'test');
  const reopen = async () => {
    const journal = await open();
    opened.push(journal);
    return journal;
  };
  const path = () => join(dir, 'test.journal');

  it('gives back what was appended, in order', async () => {
    const journal = await open();
    await Promise.all([1, 2, 3].map((n) => journal.append(n)));
    await journal.append(4);
    await journal.close();
    assert.deepEqual((await reopen()).entries, [1, 2, 3, 4]);
  });
  it('starts from the last snapshot and what came after it', async () => {
    const journal = await open();
    await journal.append(1);
    await journal.compact({ sum: 1 });
    await journal.append(2);
    await journal.close();
    const again = await reopen();
    assert.deepEqual([again.snapshot, again.entries], [{ sum: 1 }, [2]]);
  });
  it('cuts off a torn tail and goes on behind what was whole', async () => {
    const journal = await open();
    await journal.append(1);
    await journal.close();
    appendFileSync(path(), 'deadbeef {"e":');
    const again = await reopen();
    assert.deepEqual(again.entries, [1]);
    assert.equal(again.cutBytes, 'deadbeef {"e":'.length);
    await again.append(2);
    await again.close();
    assert.deepEqual((await reopen()).entries, [1, 2]);
  });
  it('refuses a file with a rotten line before whole ones, keeps it, and goes on refusing', async () => {
    const journal = await open();
    for (const n of [1, 2, 3]) await journal.append(n);
    await journal.close();
    const lines = readFileSync(path(), 'utf8').split('\n');
    const rotten = [lines[0], lines[1]?.replace('2', '7'), lines[2], ''].join('\n');
    writeFileSync(path(), rotten);
    await assert.rejects(open(), /test\.journal\.corrupt: .*line 2 .*rename it to test\.journal, or delete it/);
    assert.equal(readFileSync(`${path()}.corrupt`, 'utf8'), rotten);
    await assert.rejects(open(), /cannot be trusted/, 'a restart must not begin with nothing');
  });
  it('refuses a snapshot that went bad, also where nothing stands behind it', async () => {
    const journal = await open();
    await journal.compact({ sum: 1 });
    await journal.close();
    writeFileSync(path(), readFileSync(path(), 'utf8').replace('1}', '2}'));
    await assert.rejects(open(), /line 1 /);
  });
  it('keeps what is appended after a compaction was asked for, though an append before it still waits', async () => {
    const journal = await open();
    await Promise.all([journal.append(1), journal.compact({ sum: 1 }), journal.append(2)]);
    await journal.close();
    const again = await reopen();
    assert.deepEqual([again.snapshot, again.entries], [{ sum: 1 }, [2]]);
  });
  it('says whether an entry still waits for the disk', async () => {
    const journal = await reopen();
    assert.equal(journal.isFlushed(), true);
    const first = journal.append(1);
    const compacted = journal.compact({ sum: 1 });
    const second = journal.append(2);
    assert.equal(journal.isFlushed(), false);
    await first;
    assert.equal(journal.isFlushed(), false, 'the second waits behind the compaction');
    await Promise.all([compacted, second]);
    assert.equal(journal.isFlushed(), true);
    const again = journal.compact({ sum: 3 });
    assert.equal(journal.isFlushed(), true);
    await again;
  });
  it('takes appends that come while it writes into one later write, and loses none', async () => {
    const journal = await open();
    const all = Array.from({ length: 200 }, (_, i) => i);
    await Promise.all(all.map((n) => journal.append(n)));
    await journal.close();
    assert.deepEqual((await reopen()).entries, all);
  });
});
