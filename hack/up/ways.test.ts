import assert from 'node:assert/strict';
import { chooseWay, type Machine } from './ways.ts';

const machine: Machine = {
  context: undefined,
  hasDocker: false,
  platform: 'linux',
  isRoot: true,
  go: 'go1.26.1',
  isGoRecent: true,
};

describe('which cluster make up takes', () => {
  it('takes one of yours only where you name it, and then before all else', () => {
    assert.deepEqual(chooseWay({ ...machine, hasDocker: true, context: 'prod' }), { kind: 'context', context: 'prod' });
  });
  it('takes kind where a Docker engine answers', () =>
    assert.equal(chooseWay({ ...machine, hasDocker: true }).kind, 'kind'));
  it('takes the embedded cluster on Linux as root with a recent Go', () =>
    assert.equal(chooseWay(machine).kind, 'embedded'));
  for (const [more, why] of [
    [{ platform: 'darwin' }, /not Linux/],
    [{ isRoot: false }, /not root/],
    [{ go: undefined, isGoRecent: false }, /no Go/],
    [{ go: 'go1.21.0', isGoRecent: false }, /1\.25 or later/],
  ] as const)
    it(`says why none is open: ${why.source}`, () => {
      const way = chooseWay({ ...machine, ...more });
      assert.equal(way.kind, 'none');
      assert.match(way.kind === 'none' ? way.why : '', why);
    });
});
