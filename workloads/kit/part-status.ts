// Each pod's live figures, once a second, where the gateway and the param server find them.
import { setTimeout as delay } from 'node:timers/promises';
import { partsKey } from '../contract/keys.ts';
import { replicaName } from '../contract/pods.ts';
import type { PartStatus } from '../contract/status.ts';
import type { PodConfig } from './config.ts';
import { newEpisode } from './episode.ts';
import type { Logger } from './log.ts';
import { executed, isConnected, type Redis } from './redis.ts';

const EVERY_MS = 1_000;
const LOOK_EVERY_MS = 50;

export interface PublishOptions {
  readonly pod: PodConfig;
  readonly redis: Redis;
  readonly log: Logger;
  /** Of each stage that the pod runs. */
  readonly make: () => readonly PartStatus[];
  /** Nothing is under way. Somebody may wait for it: that it has become so is told at once. */
  readonly isSettled: () => boolean;
  readonly signal: AbortSignal;
}

/** Publishes until the signal aborts. While Redis is away nothing is kept: only the newest status means anything. */
export async function publishStatus({ pod, redis, log, make, isSettled, signal }: PublishOptions): Promise<void> {
  const key = partsKey(pod.system.system.name);
  const fieldOf = (part: string): string => `${part}-${replicaName(pod.shard, pod.replica)}`;
  const writing = newEpisode(log, 'status not written to Redis');
  let wasSettled = true;
  while (!signal.aborted) {
    const settled = isSettled();
    if (isConnected(redis)) {
      const fields = make().flatMap((status) => [fieldOf(status.part), JSON.stringify(status)]);
      const pipeline = redis.pipeline().hset(key, ...fields);
      if (settled && !wasSettled) pipeline.publish(key, fieldOf(pod.part));
      await writing.of(executed(pipeline));
    }
    wasSettled = settled;
    await pause(settled ? () => false : isSettled, signal);
  }
}

/** A second, or until `isOver`. */
async function pause(isOver: () => boolean, signal: AbortSignal): Promise<void> {
  const end = performance.now() + EVERY_MS;
  while (!signal.aborted && performance.now() < end && !isOver()) {
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
