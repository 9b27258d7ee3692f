// Follows which Redis is in use, for a pod that does not run the desired document: the gateway.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isNewer, type DesiredDocument } from '../contract/desired.ts';
import { desiredKey } from '../contract/keys.ts';
import { parseDesired } from '../contract/parse-desired.ts';
import type { PodConfig } from './config.ts';
import { isConnected, type Redis } from './redis.ts';

const POLL_MS = 1_000;

export interface ActiveOptions {
  readonly pod: PodConfig;
  readonly redis: Redis;
  readonly moveRedis: (url: string) => void;
  readonly signal: AbortSignal;
}

/** Moves where the newest document says so: the one in Redis, or the mounted one where that Redis is not in use any more. */
export async function followActive({ pod, redis, moveRedis, signal }: ActiveOptions): Promise<void> {
  if (pod.system.redis === undefined) return;
  let newest: DesiredDocument | undefined;
  while (!signal.aborted) {
    const stored = isConnected(redis) ? await redis.get(desiredKey(pod.system.system.name)).catch(() => null) : null;
    for (const document of [documentIn(stored), documentIn(mounted(pod))]) {
      const isOurs = document?.owner === pod.system.system.uid;
      if (document !== undefined && isOurs && isNewer(document, newest)) newest = document;
    }
    if (newest?.redis !== undefined) moveRedis(newest.redis.active);
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

function documentIn(text: string | null): DesiredDocument | undefined {
  const parsed = parseDesired(text ?? '');
  return parsed.ok ? parsed.document : undefined;
}

function mounted({ desiredFile }: PodConfig): string | null {
  try {
    return readFileSync(desiredFile, 'utf8');
  } catch {
    return null; // not mounted yet
  }
}
