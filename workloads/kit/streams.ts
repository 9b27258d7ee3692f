// Redis streams as message pipes: one field `data` of JSON per entry. Called by the shells of ingest, router, harmoniser.
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from './clock.ts';
import type { Logger } from './log.ts';
import { RedisClock } from './redis-clock.ts';
import { isConnected, movesOf, type Redis } from './redis.ts';
import { untilAborted } from './shutdown.ts';

const BLOCK_MS = 1_000;
const BATCH = 200;
const RETRY_MS = 100;
/** How often Redis is asked for its time. */
const TIME_EVERY_MS = 5_000;

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
  /**
   * Called for each entry in order, one at a time. `ageMs`: since Redis took the entry, by Redis's own clock; it holds
   * the time in which the reader was busy, and never compares the clocks of two pods.
   */
  readonly onMessage: (key: string, id: string, data: string, ageMs: number) => void | Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Reads until the signal aborts, through any number of reconnects. From ids nothing is missed or given twice within one
 * call; if the stream itself went back (Redis lost its tail), reading goes on from the ids that are there; on another server
 * (moveConnection) from the first.
 *
 * An entry whose handler throws is logged. With `newest` reading goes on behind it, as the next one replaces it; from ids
 * it rejects with the handler's error: what must be done exactly once can neither be passed over nor done again.
 */
export async function readStreams(options: ReadOptions): Promise<void> {
  const { redis, keys, from, signal } = options;
  // A shard may have no symbols: XREAD of nothing is an error.
  if (keys.length === 0) return untilAborted(signal);
  const last = new Map(keys.map((key) => [key, from === 'newest' ? '$' : (from[key] ?? '0-0')]));
  const clock = new RedisClock();
  let connection = -1;
  let moves = movesOf(redis);
  const connections = countConnections(redis);
  while (!signal.aborted) {
    const answer = await fromRedis(redis, async () => {
      const now = connections();
      const isNew = connection !== now;
      // Another server numbers its entries by another clock: all that is there is looked at, and readers know what they had.
      if (moves !== movesOf(redis) && from !== 'newest') for (const key of keys) last.set(key, '0-0');
      moves = movesOf(redis);
      if (isNew) await anchor(redis, last, from === 'newest');
      // Before the first entry of each connection: another server may answer, with another clock.
      if (isNew || monotonicNow() - clock.heardAt > TIME_EVERY_MS) await askTime(redis, clock);
      connection = now;
      return redis.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', ...last.keys(), ...last.values());
    });
    if (answer === 'away') await pause(signal);
    else await handle(options, answer ?? [], { last, clock });
  }
}

/** Only what Redis is asked for may fail and be tried again; its connection's own handler logs why. */
async function fromRedis<T>(redis: Redis, ask: () => Promise<T>): Promise<T | 'away'> {
  if (!isConnected(redis)) return 'away';
  try {
    return await ask();
  } catch {
    return 'away';
  }
}

async function askTime(redis: Redis, clock: RedisClock): Promise<void> {
  const askedAt = monotonicNow();
  const [seconds, micros] = await redis.time();
  clock.heard(Number(seconds) * 1_000 + Number(micros) / 1_000, askedAt, monotonicNow());
}

type Answer = readonly (readonly [key: string, entries: readonly (readonly [id: string, fields: string[]])[]])[];

interface Reading {
  /** Id of the last entry that was handled, by key. */
  readonly last: Map<string, string>;
  readonly clock: RedisClock;
}

async function handle({ onMessage, from, log, signal }: ReadOptions, answer: Answer, { last, clock }: Reading) {
  const entries = answer.flatMap(([key, ofKey]) => ofKey.map(([id, fields]) => ({ key, id, data: fields[1] ?? '' })));
  for (const { key, id, data } of entries) {
    if (signal.aborted) return;
    try {
      await onMessage(key, id, data, clock.ageOf(id, monotonicNow()));
    } catch (error) {
      log.error({ key, id, error }, 'entry not handled');
      if (from !== 'newest') throw error;
    }
    last.set(key, id);
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
