// What the router has learned, in Redis: a hash with a field for each symbol, stored a few at a time, as all of them at once would
// hold up signals. Called by shell.ts.
import { routerSnapshotKey } from '../contract/keys.ts';
import type { PodConfig } from '../kit/config.ts';
import { newEpisode, type Episode } from '../kit/episode.ts';
import type { Logger } from '../kit/log.ts';
import { isConnected, type Redis } from '../kit/redis.ts';
import { parseSaved, savedFields, SWITCHES } from './saved.ts';
import { newState, type State } from './state.ts';

/** Each symbol is stored so often. */
const ROUND_MS = 5_000;
export const SLICE_MS = 100;

const keyOf = ({ system, shard }: PodConfig): string => routerSnapshotKey(system.system.name, shard);

/** The state to start with. Without Redis, or without anything stored, models start from their priors. */
export async function loadState(redis: Redis, pod: PodConfig, bootId: string): Promise<State> {
  const fields = await redis.hgetall(keyOf(pod)).catch(() => ({}));
  return newState(bootId, parseSaved(fields));
}

export class Snapshot {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #state: State;
  readonly #storing: Episode;
  /** Symbols of this round that are not stored yet. */
  #left: string[] = [];
  #isStoring = false;

  constructor({ redis, pod, log }: { redis: Redis; pod: PodConfig; log: Logger }, state: State) {
    this.#redis = redis;
    this.#key = keyOf(pod);
    this.#state = state;
    this.#storing = newEpisode(log, 'snapshot not stored: a restart would start from what was stored before');
  }

  /** To be called each SLICE_MS; does nothing while the one before is under way. Where Redis refuses it the log says so, once. */
  async storeSome(): Promise<void> {
    if (this.#isStoring || !isConnected(this.#redis)) return;
    if (this.#left.length === 0) this.#left = [...this.#state.symbols.keys()];
    const count = Math.ceil((this.#state.symbols.size * SLICE_MS) / ROUND_MS);
    this.#isStoring = true;
    await this.#storing.of(this.#store(this.#left.splice(0, count)));
    this.#isStoring = false;
  }

  /** Everything, and nothing of symbols that are gone: before the end. */
  async storeAll(): Promise<void> {
    if (isConnected(this.#redis)) await this.#storing.of(this.#storeWhole());
  }

  async #storeWhole(): Promise<void> {
    const stored = await this.#redis.hkeys(this.#key);
    await this.#store([...this.#state.symbols.keys()]);
    const gone = stored.filter((name) => name !== SWITCHES && !this.#state.symbols.has(name));
    if (gone.length > 0) await this.#redis.hdel(this.#key, ...gone);
  }

  async #store(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.#redis.hset(this.#key, savedFields(this.#state, names));
  }
}
