import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { splitPath, tarOf, withFolders, type Entry } from './tar.ts';

const file = (path: string, content: string, mode = 0o644): Entry => ({
  path,
  mode,
  content: { file: Buffer.from(content) },
});

describe('tar', () => {
  const entries = withFolders([
    file('a/b/c.txt', 'hello'),
    { path: 'a/l', mode: 0o777, content: { link: 'b/c.txt' } },
    file('x', '', 0o755),
  ]);

  it('puts each folder above a file once, before what is in it', () => {
    assert.deepEqual(
      entries.map((entry) => entry.path),
      ['a', 'a/b', 'a/b/c.txt', 'a/l', 'x'],
    );
  });
  it('is read by tar itself, modes and links included', () => {
    const listed = execFileSync('tar', ['-tvf', '-'], { input: tarOf(entries), encoding: 'utf8' });
    assert.match(listed, /drwxr-xr-x 0\/0 .* a\/b\/\n/);
    assert.match(listed, /-rw-r--r-- 0\/0 +5 1970-01-01 00:00 a\/b\/c.txt\n/);
    assert.match(listed, /a\/l -> b\/c.txt\n/);
    const content = execFileSync('tar', ['-xOf', '-', 'a/b/c.txt'], { input: tarOf(entries), encoding: 'utf8' });
    assert.equal(content, 'hello');
  });
  it('gives the same bytes for the same files', () => {
    assert.deepEqual(tarOf(entries), tarOf(entries));
  });
  it('splits long paths, and refuses what no tar can hold', () => {
    const long = `${'d'.repeat(90)}/${'e'.repeat(90)}`;
    assert.deepEqual(splitPath(long), { prefix: 'd'.repeat(90), name: 'e'.repeat(90) });
    assert.throws(() => splitPath('f'.repeat(120)), /path too long/);
  });
});
