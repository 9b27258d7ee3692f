// Time series under the runbook's names: RedisTimeSeries where the module is loaded, sorted sets where it is not.
import { fallbackSeriesKey, latestKey, seriesKey, type SeriesName } from '../contract/keys.ts';
import type { Logger } from './log.ts';
import { executed, isConnected, type Redis } from './redis.ts';

const DAY_MS = 86_400_000;
/** At 1 Hz a day, as means of a minute a week. */
const FINE_RETENTION_MS = DAY_MS;
const COARSE_RETENTION_MS = 7 * DAY_MS;
const COARSE_MS = 60_000;
const MODULE_EVERY_MS = 1_000;
/** A sorted set takes ~118 bytes a point: every 5 s for a day is 2 MB a series. */
const FALLBACK_EVERY_MS = 5_000;

export interface Point {
  readonly series: SeriesName;
  readonly symbol: string;
  readonly value: number;
}

export interface SeriesWriter {
  /**
   * Writes the points that are due at `now` (epoch ms). The latest value is always written. Does nothing while Redis is away;
   * rejects where it refuses one of them.
   */
  write(points: readonly Point[], now: number): Promise<void>;
}

/** Chooses at each connect, as Redis may have come back with or without the module. The fallback warns once. */
export function createSeriesWriter(redis: Redis, log: Logger): SeriesWriter {
  let hasModule: boolean | undefined;
  let warned = false;
  const lastAt = new Map<string, number>();
  const prepared = new Set<string>();
  redis.on('close', () => {
    hasModule = undefined;
    prepared.clear();
  });

  const choose = async (): Promise<boolean> => {
    const modules = JSON.stringify(await redis.call('MODULE', 'LIST'));
    const found = /timeseries/i.test(modules);
    if (!found && !warned) log.warn('Connected to Redis (TimeSeries module not available - using fallback)');
    warned ||= !found;
    return found;
  };

  return {
    write: async (points, now) => {
      if (!isConnected(redis)) return;
      hasModule ??= await choose();
      const everyMs = hasModule ? MODULE_EVERY_MS : FALLBACK_EVERY_MS;
      const pipeline = redis.pipeline();
      const preparing = redis.pipeline();
      for (const { series, symbol, value } of points) {
        const key = seriesKey(series, symbol);
        pipeline.hset(latestKey(key), { value, timestamp: Math.trunc(now), labels: JSON.stringify({ symbol }) });
        if (now - (lastAt.get(key) ?? 0) < everyMs) continue;
        lastAt.set(key, now);
        if (!hasModule) addToSet(pipeline, fallbackSeriesKey(key), value, now);
        else {
          if (!prepared.has(key)) prepare(preparing, key, symbol);
          prepared.add(key);
          pipeline.call('TS.ADD', key, Math.trunc(now), value, 'ON_DUPLICATE', 'LAST');
        }
      }
      if (preparing.length > 0) await preparing.exec();
      await executed(pipeline).catch((error: unknown) => {
        prepared.clear(); // what was refused may have been a series, too
        throw error;
      });
    },
  };
}

type Pipeline = ReturnType<Redis['pipeline']>;

/**
 * Makes a series, and its means of a minute under `<key>:1m`, which the module keeps by itself. What is there already
 * answers with an error of its own, which says no more than that.
 */
function prepare(pipeline: Pipeline, key: string, symbol: string): void {
  const coarse = `${key}:1m`;
  pipeline.call('TS.CREATE', key, 'RETENTION', FINE_RETENTION_MS, 'LABELS', 'symbol', symbol);
  pipeline.call('TS.CREATE', coarse, 'RETENTION', COARSE_RETENTION_MS, 'LABELS', 'symbol', symbol);
  pipeline.call('TS.CREATERULE', key, coarse, 'AGGREGATION', 'avg', COARSE_MS);
}

function addToSet(pipeline: Pipeline, key: string, value: number, now: number): void {
  const at = Math.trunc(now);
  pipeline.zadd(key, at, `${at}:${value}`).zremrangebyscore(key, 0, at - DAY_MS);
}
