// Connections to the system's Redis. A connection is never waited for by a queue: while it is away a command fails at
// once, so that callers know, and it reconnects for ever.
import { Redis, type ChainableCommander } from 'ioredis';
import { Counter, Histogram, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import type { PodConfig } from './config.ts';
import type { Logger } from './log.ts';
import { targetOf } from './redis-target.ts';

export type { Redis } from 'ioredis';

const FIRST_RETRY_MS = 50;
const SLOWEST_RETRY_MS = 2_000;

export interface RedisOptions {
  /** Shown by CLIENT LIST: `<pod>:<name>`. */
  readonly name: string;
  /** True for a connection that only reads with XREAD BLOCK or SUBSCRIBE: no time limit on a command. */
  readonly blocking?: boolean;
  /** The system's own where none is given. */
  readonly url?: string;
}

/** Full jitter: anywhere between half and all of min(2^(attempt−1) · 50 ms, 2 s). */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10), SLOWEST_RETRY_MS);
  return ceiling * (0.5 + random() / 2);
}

/**
 * Opens a connection in the background and returns at once. Commands fail while it is not ready (no offline queue) and are
 * never sent twice by themselves: a repeat of an XADD is the caller's decision, as only it knows the id.
 */
export function connectRedis(pod: PodConfig, log: Logger, options: RedisOptions): Redis {
  const redis = new Redis({
    ...targetOf(pod, options.url ?? pod.system.redisUrl),
    connectionName: `${pod.podName}:${options.name}`,
    replyMapping: 'legacy',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 3_000,
    // A server that is gone does not say goodbye.
    disconnectTimeout: 200,
    keepAlive: 5_000,
    ...(options.blocking ? {} : { commandTimeout: 2_000 }),
    retryStrategy: (attempt) => retryDelayMs(attempt),
    sentinelRetryStrategy: (attempt) => retryDelayMs(attempt),
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ redis: options.name, reason: error.message }, 'redis is away, reconnecting');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info({ redis: options.name }, 'redis is back');
    away = false;
  });
  neverGiveUp(redis);
  return redis;
}

/**
 * A client that is told to reconnect while it is still looking for its server (a Sentinel has named another, a move came in
 * between) ends for good, without asking retryStrategy. Only who closes a connection may end it.
 */
function neverGiveUp(redis: Redis): void {
  const disconnect = redis.disconnect.bind(redis);
  let closed = false;
  let attempt = 0;
  redis.disconnect = (reconnect = false) => {
    closed ||= !reconnect;
    disconnect(reconnect);
  };
  redis.on('ready', () => (attempt = 0));
  redis.on('end', () => {
    if (closed) return;
    setTimeout(() => {
      if (!closed && redis.status === 'end') redis.connect().catch(() => undefined);
    }, retryDelayMs(++attempt)).unref();
  });
}

const moves = new WeakMap<Redis, number>();

/** How often a connection was moved to another server: ids of streams and what was stored are not the same there. */
export const movesOf = (redis: Redis): number => moves.get(redis) ?? 0;

/** Ends the connection and makes it anew to another server; whoever holds it sees a Redis that was away. */
export function moveConnection(redis: Redis, pod: PodConfig, url: string): void {
  // The connector reads its address from these options at each connect, but the database it takes from the connection before.
  Object.assign(redis.options, targetOf(pod, url));
  if (movesOf(redis) === 0) {
    redis.prependListener('ready', () => void redis.select(redis.options.db ?? 0).catch(() => undefined));
  }
  moves.set(redis, movesOf(redis) + 1);
  redis.disconnect(true);
}

/** Refused as a rule: by a Redis before 7.2, to which the client says its name; of a series that is there. */
const MAY_BE_REFUSED: ReadonlySet<string> = new Set(['client', 'ts.create', 'ts.createrule']);

/**
 * Times every command of a connection into METRIC.redisCommandSeconds{command}, and counts those that Redis answers with an error
 * in METRIC.redisRefused{command}, whoever sent them. Not for blocking connections.
 */
export function measureCommands(redis: Redis, registry: Registry): void {
  const histogram = new Histogram({
    name: METRIC.redisCommandSeconds,
    help: 'Time from sending a Redis command to its answer, seen by the client',
    labelNames: ['command'],
    buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5],
    registers: [registry],
  });
  const refused = new Counter({
    name: METRIC.redisRefused,
    help: 'Commands that Redis answered with an error: no memory, no permission, a key of another kind',
    labelNames: ['command'],
    registers: [registry],
  });
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const end = histogram.startTimer({ command: command.name });
    command.promise.then(
      () => void end(),
      (error: Error) => {
        end();
        if (error.name === 'ReplyError' && !MAY_BE_REFUSED.has(command.name.toLowerCase()))
          refused.inc({ command: command.name });
      },
    );
    return send(command, stream);
  };
}

export const isConnected = (redis: Redis): boolean => redis.status === 'ready';

/** Sends what was gathered. Rejects where Redis refuses one of its commands, which `exec` alone does not. */
export async function executed(commands: ChainableCommander): Promise<void> {
  const results = await commands.exec();
  const refused = results?.find(([error]) => error !== null)?.[0];
  if (refused) throw refused;
}
