import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { shardOf, symbolsOfShard } from './shards.ts';

describe('shardOf', () => {
  it('gives a shard that exists', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 32 }), (key, shards) => {
        const shard = shardOf(key, shards);
        assert.ok(shard >= 0 && shard < shards);
      }),
    );
  });

  it('moves a key only to the shard that was added', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 16 }), (key, shards) => {
        const after = shardOf(key, shards + 1);
        assert.ok(after === shards || after === shardOf(key, shards));
      }),
    );
  });

  it('spreads 1,000 keys over 4 shards within a third of an even share', () => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 1_000; i++) counts[shardOf(`GROUP-${i}`, 4)]! += 1;
    for (const count of counts) assert.ok(count > 167 && count < 333, counts.join(' '));
  });
});

describe('symbolsOfShard', () => {
  it('keeps a group together and gives each symbol to exactly one shard', () => {
    const symbols = [{ name: 'BTC-USD', group: 'majors' }, { name: 'ETH-USD', group: 'majors' }, { name: 'XRP-USD' }];
    const byShard = [0, 1, 2].map((shard) => symbolsOfShard(symbols, shard, 3).map((symbol) => symbol.name));
    assert.deepEqual(byShard.flat().sort(), ['BTC-USD', 'ETH-USD', 'XRP-USD']);
    const majors = byShard.find((names) => names.includes('BTC-USD'));
    assert.ok(majors?.includes('ETH-USD'));
  });
});
