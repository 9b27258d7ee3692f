import assert from 'node:assert/strict';
import { liveParts, storedParts } from './live-parts.ts';

const NOW = 1_800_000_000_000;
const part = (name: string, ageMs: number): string => JSON.stringify({ part: name, shard: 0, at: NOW - ageMs });

describe('live figures', () => {
  it('are of the harmoniser of each shard that acts, of two that say so of the later epoch', () => {
    const told = (pod: string, shard: number, lease?: object) => JSON.stringify({ part: 'harmoniser', pod, shard, at: NOW, lease }); // prettier-ignore
    const fields = {
      a: told('a', 0, { held: true, epoch: 2 }),
      b: told('b', 0, { held: true, epoch: 3 }),
      c: told('c', 1, { held: false }),
      d: told('d', 1),
    };
    const { acting, harmoniser } = liveParts(storedParts(fields), NOW);
    assert.deepEqual(acting.map(({ pod }) => pod), ['b']); // prettier-ignore
    assert.equal(harmoniser.length, 4);
  });
  it('are read by part; what is older than 5 s, or cannot be read, is silence', () => {
    const fields = {
      a: part('ingest', 0),
      b: part('router', 5_000),
      c: part('harmoniser', 5_001),
      d: 'null',
      e: '{',
      f: '[]',
    };
    const { ingest, router, harmoniser } = liveParts(storedParts(fields), NOW);
    assert.deepEqual([ingest.length, router.length, harmoniser.length], [1, 1, 0]);
  });
});
