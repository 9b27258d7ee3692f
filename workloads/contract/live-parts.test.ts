import assert from 'node:assert/strict';
import { liveParts, storedParts } from './live-parts.ts';

const NOW = 1_800_000_000_000;
const part = (name: string, ageMs: number): string => JSON.stringify({ part: name, shard: 0, at: NOW - ageMs });

describe('live figures', () => {
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
