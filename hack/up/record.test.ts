import assert from 'node:assert/strict';
import { withoutWay, withThing, withWay, type Made, type Thing } from './record.ts';
import type { Way } from './ways.ts';

const embedded: Way = { kind: 'embedded' };
const mine: Way = { kind: 'context', context: 'mine' };
const release: Thing = { kind: 'release', namespace: 'trading', name: 'demo' };

describe('the record of what make up has made', () => {
  const both: Made[] = withWay(withWay([], embedded, '/e'), mine, '/m');

  it('has every way that was taken, the present one last', () => {
    assert.deepEqual(both.map(({ way }) => way), [embedded, mine]); // prettier-ignore
    assert.deepEqual(withWay(both, embedded, '/e').map(({ way }) => way), [mine, embedded]); // prettier-ignore
  });
  it('keeps what a way has made when it is taken again', () => {
    const made = withThing(withThing(both, mine, release), mine, release);
    assert.deepEqual(made.at(-1)?.things, [release]);
    assert.deepEqual(withWay(made, mine, '/m'), made);
    assert.deepEqual(made[0]?.things, []);
  });
  it('forgets one way and keeps the others', () => assert.deepEqual(withoutWay(both, mine), [both[0]]));
});
