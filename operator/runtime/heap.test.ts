import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Heap } from './heap.ts';

interface Item {
  readonly value: number;
  slot: number;
}
const anItem = (value: number): Item => ({ value, slot: -1 });
const drained = (heap: Heap<Item>): number[] => {
  const values: number[] = [];
  for (let item = heap.shift(); item !== undefined; item = heap.shift()) values.push(item.value);
  return values;
};

describe('a heap', () => {
  it('gives its items in order, whichever were taken out before', () => {
    const inputs = fc.array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(inputs, (all) => {
        const heap = new Heap<Item>((a, b) => a.value < b.value);
        const items = all.map(([value, stays]) => ({ item: anItem(value), stays }));
        for (const { item } of items) heap.push(item);
        for (const { item, stays } of items) if (!stays) heap.remove(item);
        const staying = items.filter(({ stays }) => stays).map(({ item }) => item.value);
        assert.equal(heap.size, staying.length);
        assert.deepEqual(
          drained(heap),
          staying.toSorted((a, b) => a - b),
        );
        for (const { item } of items) assert.equal(item.slot, -1);
      }),
    );
  });
  it('keeps the order when what takes the place of an item belongs above it', () => {
    const heap = new Heap<Item>((a, b) => a.value < b.value);
    const items = [0, 10, 1, 11, 12, 2, 3, 13, 14, 15, 16, 4, 5, 6, 7].map(anItem);
    for (const item of items) heap.push(item);
    heap.remove(items[3]!);
    assert.deepEqual(drained(heap), [0, 1, 2, 3, 4, 5, 6, 7, 10, 12, 13, 14, 15, 16]);
  });
  it('compares as often as the logarithm of its size, not as its size', () => {
    let compared = 0;
    const heap = new Heap<Item>((a, b) => {
      compared += 1;
      return a.value < b.value;
    });
    const size = 10_000;
    const items = Array.from({ length: size }, (_, i) => anItem((i * 7_919) % size));
    for (const item of items) heap.push(item);
    for (const item of items.slice(0, size / 2)) heap.remove(item);
    drained(heap);
    assert.ok(compared < 3 * size * Math.log2(size), `${compared} comparisons`);
  });
});
