import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { applyLevels, bestLots, bestTicks, clearBook, emptyBook, isOrderly, setBook, topLevels } from './book.ts';

const levels = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(3)), { maxLength: 12 });

describe('book', () => {
  it('equals a map that is sorted at the end, on any sequence of updates', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(levels, levels), { maxLength: 20 }), (updates) => {
        const book = emptyBook();
        const bids = new Map<number, number>();
        const asks = new Map<number, number>();
        for (const [bidLevels, askLevels] of updates) {
          applyLevels(book, bidLevels.flat(), askLevels.flat());
          for (const [ticks, lots] of bidLevels)
            if (lots) bids.set(ticks, lots);
            else bids.delete(ticks);
          for (const [ticks, lots] of askLevels)
            if (lots) asks.set(ticks, lots);
            else asks.delete(ticks);
        }
        const descending = [...bids].sort((a, b) => b[0] - a[0]);
        const ascending = [...asks].sort((a, b) => a[0] - b[0]);
        assert.deepEqual(topLevels(book.bids, 100), descending.flat());
        assert.deepEqual(topLevels(book.asks, 100), ascending.flat());
        assert.equal(bestTicks(book.bids), descending[0]?.[0] ?? 0);
        assert.equal(bestLots(book.asks), ascending[0]?.[1] ?? 0);
      }),
    );
  });

  it('keeps the best levels when it grows too deep, and its memory bounded', () => {
    const book = emptyBook(10);
    for (let ticks = 1; ticks <= 1_000; ticks++) applyLevels(book, [ticks, ticks], [5_000 - ticks, 1]);
    assert.equal(bestTicks(book.bids), 1_000);
    assert.equal(bestTicks(book.asks), 4_000);
    assert.ok(book.bids.size >= 10 && book.bids.size <= 21);
    assert.equal(topLevels(book.bids, 2).join(), '1000,1000,999,999');
    assert.ok(book.asks.keys.length <= 64);
  });

  it('is the whole that is set, whatever it was, with the best levels of it and no more room than they need', () => {
    const book = emptyBook(10);
    applyLevels(book, [5_000, 1], [6_000, 1]);
    const levels = (from: number, step: number): number[] =>
      Array.from({ length: 4_000 }, (_, i) => [from + step * i, i + 1]).flat();
    setBook(book, levels(5_000, -1), levels(5_001, 1));
    assert.deepEqual([topLevels(book.bids, 2), topLevels(book.asks, 2)], [[5_000, 1, 4_999, 2], [5_001, 1, 5_002, 2]]); // prettier-ignore
    assert.deepEqual([book.bids.size, book.bids.keys.length, book.asks.lots.length], [10, 40, 40]);
    setBook(book, [1, 7, 3, 9, 2, 8, 4, 0], []);
    assert.deepEqual([topLevels(book.bids, 9), book.asks.size], [[3, 9, 2, 8, 1, 7], 0]);
  });

  it('is orderly only two-sided and neither crossed nor locked', () => {
    assert.ok(isOrderly(100, 101));
    for (const [bid, ask] of [
      [0, 101],
      [100, 0],
      [101, 101],
      [102, 101],
    ] as const)
      assert.ok(!isOrderly(bid, ask));
  });

  it('is empty after it was cleared', () => {
    const book = emptyBook();
    applyLevels(book, [5, 1], [6, 1]);
    clearBook(book);
    assert.equal(bestTicks(book.bids) + bestTicks(book.asks), 0);
  });
});
