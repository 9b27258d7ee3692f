import assert from 'node:assert/strict';
import { BOOK_FRESH_MS } from '../contract/messages.ts';
import { aBook, anIngest, NOW } from '../gateway/test/builders.ts';
import { lateOf, lookAtLags, type Lateness } from './lateness.ts';

const BTC = 'BTC-USD';
const LATE = BOOK_FRESH_MS + 1;

/** What is told after a look each second, for each of the lags of BTC-USD; undefined = nobody tells of it. */
function told(...lags: readonly (number | undefined)[]): string {
  let lateness: Lateness = new Map();
  return lags
    .map((lagMs, second) => {
      const symbols = { ...(lagMs === undefined ? {} : { [BTC]: aBook({ lagMs }) }), 'ETH-USD': aBook() };
      lateness = lookAtLags(lateness, [anIngest({ symbols })], NOW + second * 1_000);
      assert.ok(lateOf(lateness).every((name) => name === BTC));
      return lateOf(lateness).length === 0 ? '.' : 'L';
    })
    .join('');
}
const times = (count: number, lagMs: number | undefined) => Array.from({ length: count }, () => lagMs);

describe('books that are told to be late', () => {
  it('are those that were for ten seconds, until they were in time for thirty', () => {
    assert.equal(told(...times(12, LATE), ...times(32, 0)), `${'.'.repeat(10)}LL${'L'.repeat(30)}..`);
  });
  it('are none whose lag is what a fresh book may have, or that has none', () => {
    assert.equal(told(...times(60, BOOK_FRESH_MS)), '.'.repeat(60));
    const noLag = anIngest({ symbols: { [BTC]: aBook() } });
    assert.deepEqual(lateOf(lookAtLags(lookAtLags(new Map(), [noLag], NOW), [noLag], NOW + 60_000)), []);
  });
  it('do not come and go with a lag that crosses the bound each few seconds', () => {
    const crossing = Array.from({ length: 300 }, (_, second) => (second % 9 < 8 ? LATE : 0));
    assert.equal(told(...crossing), '.'.repeat(300));
    assert.equal(told(...times(11, LATE), ...crossing.map((lagMs) => LATE - lagMs)).slice(11), 'L'.repeat(300));
  });
  it('are forgotten where nobody tells of them', () => {
    assert.equal(told(...times(11, LATE), undefined, ...times(10, LATE)), `${'.'.repeat(10)}L${'.'.repeat(11)}`);
  });
  it('are told and end as soon where our clock is set back meanwhile', () => {
    const late = [anIngest({ symbols: { [BTC]: aBook({ lagMs: LATE }) } })];
    let lateness = lookAtLags(new Map(), late, NOW + 3_600_000);
    for (const at of [NOW, NOW + 10_000]) lateness = lookAtLags(lateness, late, at);
    assert.deepEqual(lateOf(lateness), [BTC]);
  });
});
