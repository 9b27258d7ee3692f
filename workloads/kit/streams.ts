// Redis streams as message pipes: one field `data` of JSON per entry. Called by the shells of ingest, router, harmoniser.
import { setTimeout as delay } from 'node:timers/promises';
import { isConnected, type Redis } from './redis.ts';

const BLOCK_MS = 1_000;
const BATCH = 200;
const RETRY_MS = 100;

/** Appends one message; resolves with its id. Trims the oldest, approximately, beyond `maxLength`. Rejects while Redis is away. */
export async function append(redis: Redis, key: string, message: unknown, maxLength: number): Promise<string> {
  const id = await redis.xadd(key, 'MAXLEN', '~', maxLength, '*', 'data', JSON.stringify(message));
  if (id === null) throw new Error(`XADD ${key}: no id`);
  return id;
}

export interface ReadOptions {
  /** A connection of its own: it blocks. */
  readonly redis: Redis;
  readonly keys: readonly string[];
  /** `newest`: only what comes after now, and after each reconnect again only what comes then. Ids: each entry after them. */
  readonly from: 'newest' | Readonly<Record<string, string>>;
  /** Called for each entry in order, one at a time. */
  readonly onMessage: (key: string, id: string, data: string) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Reads until the signal aborts, through any number of reconnects. From ids nothing is missed or given twice within one
 * call; if the stream itself went back (Redis lost its tail), reading goes on from the ids that are there.
 */
export async function readStreams(options: ReadOptions): Promise<void> {
  const { redis, keys, from, signal } = options;
  const last = new Map(keys.map((key) => [key, from === 'newest' ? '$' : (from[key] ?? '0-0')]));
  let connection = -1;
  const connections = countConnections(redis);
  while (!signal.aborted) {
    if (!isConnected(redis)) {
      await pause(signal);
      continue;
    }
    try {
      if (connection !== connections()) {
        connection = connections();
        await anchor(redis, last, from === 'newest');
      }
      await readOnce(options, last);
    } catch {
      // The connection's own handler has logged why; the next turn waits for it to be back.
      await pause(signal);
    }
  }
}

/** `$` is resolved to an id once per connection, so that nothing is lost between two XREADs. */
async function anchor(redis: Redis, last: Map<string, string>, newest: boolean): Promise<void> {
  for (const [key, id] of last) {
    const [tail] = (await redis.xrevrange(key, '+', '-', 'COUNT', 1)).map(([tailId]) => tailId);
    const end = tail ?? '0-0';
    if (newest || isAfter(id, end)) last.set(key, end);
  }
}

async function readOnce({ redis, onMessage, signal }: ReadOptions, last: Map<string, string>): Promise<void> {
  const answer = await redis.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', ...last.keys(), ...last.values());
  for (const [key, entries] of answer ?? []) {
    for (const [id, fields] of entries) {
      if (signal.aborted) return;
      await onMessage(key, id, fields[1] ?? '');
      last.set(key, id);
    }
  }
}

/** Whether stream id `a` comes after `b`. */
export function isAfter(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs === bMs ? aSeq > bSeq : aMs > bMs;
}

function countConnections(redis: Redis): () => number {
  let count = 0;
  redis.on('ready', () => (count += 1));
  return () => count;
}

const pause = (signal: AbortSignal): Promise<unknown> => delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
