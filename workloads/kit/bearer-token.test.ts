import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenIn } from './bearer-token.ts';

describe('a bearer token', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'token-'))));
  afterEach(() => rmSync(dir, { recursive: true }));
  const given = (text: string) => {
    writeFileSync(join(dir, 'token'), text);
    return tokenIn(dir);
  };
  it('is what the Secret has, without the line’s end', () =>
    assert.deepEqual(given('abc.DEF-1\n'), { token: 'abc.DEF-1' }));
  it('is none where there is nothing, or what no header takes; nothing of it is said', () => {
    const missing = { problem: 'key token of the Secret in options.secretRef: found nothing, expected up to 4096 visible ASCII characters' }; // prettier-ignore
    assert.deepEqual(tokenIn(dir), missing);
    assert.deepEqual(given(' \n'), missing);
    for (const text of ['s3cr\net', 's3cr et', 's3crét', 'x'.repeat(4_097)]) {
      const read = given(text);
      assert.ok('problem' in read && /found something else/.test(read.problem) && !read.problem.includes('s3cr'), text);
    }
  });
});
