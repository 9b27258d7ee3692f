import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { backoffMs, newBudget, shareOf } from './limits.ts';

const TIMES = { firstMs: 500, ceilingMs: 30_000 };

describe('backoffMs', () => {
  it('lies between 0 and a ceiling that doubles to its limit', () => {
    assert.equal(backoffMs(0, 0.5, TIMES), 250);
    assert.equal(backoffMs(3, 0.5, TIMES), 2_000);
    assert.equal(backoffMs(1_000, 0.5, TIMES), 15_000);
    assert.equal(backoffMs(9, 0, TIMES), 0);
  });

  it('makes no storm: a venue that refuses for 10 minutes sees fewer than 60 attempts of one client', () => {
    let [t, failures, seed] = [0, 0, 1];
    while (t < 600_000) {
      seed = (seed * 16_807) % 2_147_483_647;
      t += backoffMs(failures, seed / 2_147_483_647, TIMES);
      failures += 1;
    }
    assert.ok(failures < 60, `${failures}`);
  });
});

describe('a budget', () => {
  it('never lets more than its limit through in any window', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 5 })), { maxLength: 60 }), (asks) => {
        const budget = newBudget(10, 100);
        const granted: { at: number; weight: number }[] = [];
        let now = 0;
        for (const [wait, weight] of asks) {
          now += wait;
          if (budget.spend(weight, now) === 0) granted.push({ at: now, weight });
        }
        for (const { at } of granted) {
          const window = granted.filter((grant) => grant.at > at - 100 && grant.at <= at);
          assert.ok(window.reduce((sum, { weight }) => sum + weight, 0) <= 10);
        }
      }),
    );
  });

  it('is shared by the pods of one address, none of which is left without', () => {
    const spent = (perSecond: number, shards: number): number => {
      const budget = shareOf(perSecond, shards);
      return Array.from({ length: 10_000 }, (_, t) => budget.spend(1, t)).filter((wait) => wait === 0).length;
    };
    assert.deepEqual([spent(8, 1), spent(8, 3), spent(2, 4), spent(8, 80)], [80, 20, 5, 1]);
  });

  it('keeps half of itself from what can wait, and gives it something where nothing else is spent', () => {
    const budget = newBudget(10, 100);
    assert.deepEqual([1, 2, 3].map((at) => budget.spendSpare(2, at)), [true, true, false]); // prettier-ignore
    assert.deepEqual([budget.spend(6, 4), budget.spendSpare(1, 5), budget.spendSpare(2, 103)], [0, false, false]);
    assert.deepEqual([newBudget(1, 100).spendSpare(1, 0), newBudget(1, 100).spendSpare(2, 0)], [true, false]);
  });

  it('says how long to wait', () => {
    const budget = newBudget(2, 100);
    assert.deepEqual(
      [budget.spend(1, 0), budget.spend(1, 30), budget.spend(1, 40), budget.spend(1, 100)],
      [0, 0, 60, 0],
    );
  });
});
