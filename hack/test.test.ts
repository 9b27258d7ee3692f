import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { countsOf } from './test.ts';

describe("counts from mocha's summary", () => {
  it('reads all three', () => {
    const output = '\n  thing\n    ok\n\n  12 passing (3s)\n  2 pending\n  1 failing\n';
    assert.deepEqual(countsOf(output), { passed: 12, failed: 1, skipped: 2 });
  });
  it('takes a line that is missing for none', () => {
    assert.deepEqual(countsOf('\n  3 passing (5ms)\n'), { passed: 3, failed: 0, skipped: 0 });
  });
  it('takes a run without a summary for a crash', () => {
    assert.equal(countsOf('TypeError: boom'), undefined);
  });
});
