// Each pod's live figures, once a second, where the gateway finds them.
import { setTimeout as delay } from 'node:timers/promises';
import { partsKey } from '../contract/keys.ts';
import { replicaName } from '../contract/pods.ts';
import type { PartStatus } from '../contract/status.ts';
import type { PodConfig } from './config.ts';
import { isConnected, type Redis } from './redis.ts';

const EVERY_MS = 1_000;

export interface PublishOptions {
  readonly pod: PodConfig;
  readonly redis: Redis;
  readonly make: () => PartStatus;
  readonly signal: AbortSignal;
}

/** Publishes until the signal aborts. While Redis is away nothing is kept: only the newest status means anything. */
export async function publishStatus({ pod, redis, make, signal }: PublishOptions): Promise<void> {
  const key = partsKey(pod.system.system.name);
  while (!signal.aborted) {
    if (isConnected(redis)) {
      await redis
        .hset(key, `${pod.part}-${replicaName(pod.shard, pod.replica)}`, JSON.stringify(make()))
        .catch(() => undefined);
    }
    await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
