// Connections to the system's Redis. A connection is never waited for by a queue: while it is away a command fails at
// once, so that callers know, and it reconnects for ever.
import { Redis } from 'ioredis';
import { Histogram, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import type { PodConfig } from './config.ts';
import type { Logger } from './log.ts';

export type { Redis } from 'ioredis';

const FIRST_RETRY_MS = 50;
const SLOWEST_RETRY_MS = 2_000;

export interface RedisOptions {
  /** Shown by CLIENT LIST: `<pod>:<name>`. */
  readonly name: string;
  /** True for a connection that only reads with XREAD BLOCK or SUBSCRIBE: no time limit on a command. */
  readonly blocking?: boolean;
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
  const url = new URL(pod.system.redisUrl);
  const redis = new Redis({
    host: url.hostname,
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    ...(pod.redisPassword === undefined ? {} : { password: pod.redisPassword }),
    connectionName: `${pod.podName}:${options.name}`,
    replyMapping: 'legacy',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 3_000,
    keepAlive: 5_000,
    ...(options.blocking ? {} : { commandTimeout: 2_000 }),
    retryStrategy: (attempt) => retryDelayMs(attempt),
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
  return redis;
}

/** Times every command of a connection into METRIC.redisCommandSeconds{command}. Not for blocking connections. */
export function measureCommands(redis: Redis, registry: Registry): void {
  const histogram = new Histogram({
    name: METRIC.redisCommandSeconds,
    help: 'Time from sending a Redis command to its answer, seen by the client',
    labelNames: ['command'],
    buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5],
    registers: [registry],
  });
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const end = histogram.startTimer({ command: command.name });
    const stop = (): void => void end();
    command.promise.then(stop, stop);
    return send(command, stream);
  };
}

export const isConnected = (redis: Redis): boolean => redis.status === 'ready';
