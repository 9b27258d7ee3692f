// Reads what the pods have written, once for all requests that come close together. Called by main.ts.
import type { DesiredDocument } from '../contract/desired.ts';
import { desiredKey, holdsKey, partsKey } from '../contract/keys.ts';
import { storedParts } from '../contract/live-parts.ts';
import { parseDesired } from '../contract/parse-desired.ts';
import { storedHolds } from '../contract/restraint.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import { isConnected, type Redis } from '../kit/redis.ts';
import type { Seen } from './seen.ts';

/** Requests within this time share one look. */
const SHARED_MS = 250;

/** Looks when asked. A look that fails sees a Redis that is away. */
export function createReader(system: SystemConfig, redis: Redis, now: () => number = Date.now): () => Promise<Seen> {
  let last: { readonly at: number; readonly seen: Promise<Seen> } | undefined;
  return () => {
    const at = now();
    if (last === undefined || at - last.at >= SHARED_MS) last = { at, seen: look(system, redis, now) };
    return last.seen;
  };
}

async function look(system: SystemConfig, redis: Redis, now: () => number): Promise<Seen> {
  const { name } = system.system;
  const away: Seen = { system, redisConnected: false, document: undefined, holds: [], parts: [], now: now() };
  if (!isConnected(redis)) return away;
  try {
    const [desired, holds, parts] = await Promise.all([
      redis.get(desiredKey(name)),
      redis.hgetall(holdsKey(name)),
      redis.hgetall(partsKey(name)),
    ]);
    return {
      ...away,
      redisConnected: true,
      document: documentIn(desired),
      holds: storedHolds(holds),
      parts: storedParts(parts),
      now: now(),
    };
  } catch {
    return away;
  }
}

function documentIn(text: string | null): DesiredDocument | undefined {
  if (text === null) return undefined;
  const read = parseDesired(text);
  return read.ok ? read.document : undefined;
}
