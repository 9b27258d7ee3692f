// What the desk sees of decisions in Redis: the stream of decisions, the runbook's keys, time series. Taps: what cannot be
// written is dropped, as the next one replaces it. Called by shell.ts.
import { parseDailyBars, type DailyBars } from '../contract/bars.ts';
import {
  decisionsStream,
  EDGE_BLENDED_TTL_SECONDS,
  dailyBarsKey,
  edgeBlendedKey,
  STREAM_LENGTH,
  VOLATILITY_ESTIMATES,
} from '../contract/keys.ts';
import type { Decision } from '../contract/messages.ts';
import { newEpisode } from '../kit/episode.ts';
import type { Logger } from '../kit/log.ts';
import { executed, isConnected, type Redis } from '../kit/redis.ts';
import { createSeriesWriter, type Point } from '../kit/series.ts';
import { daysPerYear } from './policy.ts';
import type { StoredEstimate } from './state.ts';

export interface Taps {
  decided(decision: Decision, positionUsd: number): void;
  estimated(symbol: string, sigmaDay: number): void;
  /** Time series; at `now`, epoch ms. */
  points(points: readonly Point[], now: number): void;
}

/** `classOf` gives a symbol's asset class. */
export function createTaps(redis: Redis, log: Logger, classOf: (symbol: string) => string): Taps {
  const series = createSeriesWriter(redis, log);
  const deciding = newEpisode(log, 'decisions not written to Redis');
  const estimating = newEpisode(log, 'volatilities not written to Redis');
  const drawing = newEpisode(log, 'time series not written to Redis');
  const write = (decision: Decision, positionUsd: number): void => {
    if (!isConnected(redis)) return;
    const { symbol, edgeBps, confidence, t } = decision;
    const key = edgeBlendedKey(symbol);
    const trim = ['MAXLEN', '~', STREAM_LENGTH.decisions] as const;
    const commands = redis
      .pipeline()
      .xadd(decisionsStream(symbol), ...trim, '*', 'data', JSON.stringify(decision))
      .hset(key, { edge_bps: edgeBps, position_usd: positionUsd, confidence, at: new Date(t).toISOString() })
      .expire(key, EDGE_BLENDED_TTL_SECONDS);
    void deciding.of(executed(commands));
  };
  return {
    // Once this turn of the event loop is over: the next symbol's signal does not wait for it.
    decided: (decision, positionUsd) => void setImmediate(write, decision, positionUsd),
    estimated(symbol, sigmaDay) {
      if (!isConnected(redis)) return;
      const annualised = sigmaDay * Math.sqrt(daysPerYear(classOf(symbol)));
      const estimate = { annualised, perDay: sigmaDay, source: 'harmoniser', at: Date.now() };
      void estimating.of(redis.hset(VOLATILITY_ESTIMATES, symbol, JSON.stringify(estimate)));
    },
    points(points, now) {
      if (isConnected(redis)) void drawing.of(series.write(points, now));
    },
  };
}

/** Estimates of an earlier run, for a warm start; what cannot be read is left out. */
export async function readEstimates(redis: Redis): Promise<Record<string, StoredEstimate>> {
  const stored = await redis.hgetall(VOLATILITY_ESTIMATES).catch(() => ({}));
  return Object.fromEntries(
    Object.entries(stored).flatMap(([symbol, text]) => {
      const estimate = estimateOf(text);
      return estimate === undefined ? [] : [[symbol, estimate] as const];
    }),
  );
}

/** Daily closes of a symbol, where ingest has stored them. */
export async function readBars(redis: Redis, symbol: string): Promise<DailyBars | undefined> {
  const text = isConnected(redis) ? await redis.get(dailyBarsKey(symbol)).catch(() => null) : null;
  return text === null ? undefined : parseDailyBars(text);
}

function estimateOf(text: string): StoredEstimate | undefined {
  try {
    const { perDay, at } = JSON.parse(text) as { perDay?: unknown; at?: unknown };
    const isSound = typeof perDay === 'number' && perDay > 0 && perDay < 1 && typeof at === 'number';
    return isSound ? { sigmaDay: perDay, at } : undefined;
  } catch {
    return undefined;
  }
}
