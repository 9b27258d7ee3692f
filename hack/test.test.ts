import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { countsOf, failuresOf } from './test.ts';

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

describe("failed tests from mocha's summary", () => {
  it('are named with their suites and the first line of what was thrown', () => {
    const output = `
  12 passing (3s)
  2 failing

  1) restart
       of a part
         waits:
     Error: not in time
      at waits (x.test.ts:3:1)

  2) charts
       render:

      AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:
      + actual - expected
`;
    assert.deepEqual(failuresOf(output), [
      'restart › of a part › waits: Error: not in time',
      'charts › render: AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:',
    ]);
  });
  it('are none where none is listed', () => {
    assert.deepEqual(failuresOf('\n  3 passing (5ms)\n'), []);
  });
});
