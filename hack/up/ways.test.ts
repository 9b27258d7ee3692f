import assert from 'node:assert/strict';
import { chooseWay, type Machine } from './ways.ts';

const machine: Machine = {
  context: undefined,
  hasDocker: false,
  missing: [],
  platform: 'linux',
  isRoot: true,
  go: 'go1.26.1',
  isGoRecent: true,
};

describe('which cluster make up takes', () => {
  it('takes one of yours only where you name it, and then before all else', () => {
    assert.deepEqual(chooseWay({ ...machine, hasDocker: true, context: 'prod' }), { kind: 'context', context: 'prod' });
  });
  it('needs kubectl and helm for one of yours, and not kind', () => {
    assert.equal(chooseWay({ ...machine, missing: ['kind'], context: 'prod' }).kind, 'context');
    const way = chooseWay({ ...machine, missing: ['kind', 'helm'], context: 'prod' });
    assert.deepEqual(way, { kind: 'none', why: 'TRADEWIND_CONTEXT is set, but there is no helm' });
  });
  it('takes kind where a Docker engine answers and its programs are there', () => {
    assert.equal(chooseWay({ ...machine, hasDocker: true }).kind, 'kind');
    assert.equal(chooseWay({ ...machine, hasDocker: true, missing: ['kind'] }).kind, 'embedded');
  });
  it('takes the embedded cluster on Linux as root with a recent Go', () =>
    assert.equal(chooseWay(machine).kind, 'embedded'));
  for (const [more, why] of [
    [{ platform: 'darwin' }, /not Linux/],
    [{ isRoot: false }, /not root/],
    [{ go: undefined, isGoRecent: false }, /no Go/],
    [{ go: 'go1.21.0', isGoRecent: false }, /1\.25 or later/],
    [
      { hasDocker: true, missing: ['kind', 'helm'], isRoot: false },
      /engine answers, but there is no kind, no helm; .*not root/,
    ],
  ] as const)
    it(`says why none is open: ${why.source}`, () => {
      const way = chooseWay({ ...machine, ...more });
      assert.equal(way.kind, 'none');
      assert.match(way.kind === 'none' ? way.why : '', why);
    });
});
