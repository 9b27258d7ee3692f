import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePrivateFolder, readJson, writeJson } from './whole-file.ts';

describe('whole files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tradewind-files-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'a.json');

  it('are replaced in one step, readable by the owner only, with nothing left beside them', () => {
    writeJson(path, { a: 1 });
    writeJson(path, { a: 2 });
    assert.deepEqual(readJson(path), { a: 2 });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dir), ['a.json']);
  });
  it('count as not there where they are missing, empty or cut', () => {
    assert.equal(readJson(join(dir, 'none')), undefined);
    assert.equal(readJson(join(path, 'below-a-file')), undefined);
    for (const text of ['', '{"a":']) {
      writeFileSync(path, text);
      assert.equal(readJson(path), undefined);
    }
  });
  it('lie in a folder that is closed also where it was open before', () => {
    chmodSync(dir, 0o755);
    ensurePrivateFolder(dir);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
  });
});
