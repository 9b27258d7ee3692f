// Which shard trades a symbol. The operator renders with it and every pod selects its symbols with it.
import { createHash } from 'node:crypto';

/**
 * Rendezvous hashing (Thaler and Ravishankar 1998): the shard with the highest hash of (key, shard) wins, so that going
 * from n to n+1 shards moves only the keys that the new one wins. `key` is the symbol's group, or its name where it has
 * none; `shards` ≥ 1. Result 0 … shards−1, the same in every process.
 */
export function shardOf(key: string, shards: number): number {
  const weights = Array.from({ length: shards }, (_, shard) =>
    createHash('sha256').update(`${key}/${shard}`).digest().readUInt32BE(0),
  );
  return weights.indexOf(Math.max(...weights));
}

/** The symbols of one shard, in the order they came in. Correlated symbols share a group and so a shard. */
export function symbolsOfShard<S extends { readonly name: string; readonly group?: string | undefined }>(
  symbols: readonly S[],
  shard: number,
  shards: number,
): readonly S[] {
  return symbols.filter((symbol) => shardOf(symbol.group ?? symbol.name, shards) === shard);
}
