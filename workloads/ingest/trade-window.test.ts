import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { addTrade, emptyWindow, imbalance } from './trade-window.ts';

describe('trade window', () => {
  it('is the signed share of the last 30 s, and 0 where nothing traded', () => {
    const window = emptyWindow();
    assert.equal(imbalance(window, 1_000), 0);
    addTrade(window, 1_000, 3, false);
    addTrade(window, 2_000, 1, true);
    assert.equal(imbalance(window, 2_500), 0.5);
    assert.equal(imbalance(window, 31_500), -1);
    assert.equal(imbalance(window, 60_000), 0);
  });

  it('equals the sum over the trades of the same 30 buckets', () => {
    const trades = fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: 1, max: 9 }), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(trades, (steps) => {
        const window = emptyWindow();
        let t = 100_000;
        const all = steps.map(([wait, lots, sellerTook]) => {
          t += wait;
          addTrade(window, t, lots, sellerTook);
          return { second: Math.floor(t / 1_000), lots, signed: sellerTook ? -lots : lots };
        });
        const kept = all.filter(({ second }) => second > Math.floor(t / 1_000) - 30);
        const total = kept.reduce((sum, { lots }) => sum + lots, 0);
        const signed = kept.reduce((sum, trade) => sum + trade.signed, 0);
        assert.ok(Math.abs(imbalance(window, t) - (total === 0 ? 0 : signed / total)) < 1e-12);
      }),
    );
  });
});
