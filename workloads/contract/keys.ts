// Names of everything in Redis, in one place. The braces are literal: a Redis Cluster hash tag, so that all keys of one
// symbol (or of one system) live on one node. Names without braces are the runbook's and are kept exactly.

/**
 * Hash {holder, pod, epoch, until, left, leftEpoch}: which harmoniser acts for a shard. `until` is epoch ms by the clock of
 * Redis, `left` what the next holder must know. Written by the lease's script only.
 */
export const leaseKey = (system: string, shard: number): string => `lease:{${system}}:${shard}`;

export const desiredKey = (system: string): string => `desired:{${system}}`;
/** Hash: pod uid → Ack as JSON. The same text is published on the channel of the same name. */
export const acksKey = (system: string): string => `acks:{${system}}`;
/** Hash: hold id → ActiveHold as JSON. */
export const holdsKey = (system: string): string => `holds:{${system}}`;
/** Hash: `<part>-<shard>` (`<part>-<shard>-s<n>` of a standby) → PartStatus as JSON, written by each pod every second.
 * On the channel of the same name: that what was under way in a pod has ended. */
export const partsKey = (system: string): string => `parts:{${system}}`;

/** Channel, and key with a TTL of 60 s, that tell pods to read the desired document again at once. */
export const RELOAD = 'param.reload';
export const RELOAD_TTL_SECONDS = 60;

export const featuresStream = (symbol: string): string => `features:{${symbol}}`;
export const signalsStream = (symbol: string): string => `signals:{${symbol}}`;
export const ordersStream = (symbol: string): string => `orders:{${symbol}}`;
export const fillsStream = (symbol: string): string => `fills:{${symbol}}`;
export const decisionsStream = (symbol: string): string => `decisions:{${symbol}}`;

/** Stream lengths at which the oldest entries are trimmed (approximately). */
export const STREAM_LENGTH = {
  features: 2_000,
  signals: 2_000,
  orders: 10_000,
  fills: 10_000,
  decisions: 10_000,
} as const;

/** Stream {timestamp, symbol, horizon, old_model, new_model, reason, latency_ms}, trimmed to 24 h. */
export const SWITCH_LOG = 'model.switch.log';
/** Hash {edge_bps, position_usd, confidence, at}, TTL 5 min. */
export const edgeBlendedKey = (symbol: string): string => `risk.edge_blended.${symbol}`;
export const EDGE_BLENDED_TTL_SECONDS = 300;
/** Hash: symbol → {annualised, perDay, source, at} as JSON. */
export const VOLATILITY_ESTIMATES = 'volatility_estimates';

/** DailyBars (bars.ts) as JSON: the venue's closes of past days, for a warm start. */
export const dailyBarsKey = (symbol: string): string => `bars.daily:{${symbol}}`;
export const BARS_TTL_SECONDS = 4 * 86_400;

export type SeriesName = 'edge_blended_bps' | 'position_size_usd' | 'var_pct';
/** RedisTimeSeries key under the runbook's name. `var_pct:portfolio` is the whole book's. */
export const seriesKey = (name: SeriesName, symbol: string): string => `${name}:${symbol}`;
/** Sorted set in place of a time series where the module is missing: score = epoch ms, member = `<ms>:<value>`. */
export const fallbackSeriesKey = (series: string): string => `ts:${series}`;
/** Hash {value, timestamp, labels}: always the latest value of a series. */
export const latestKey = (series: string): string => `metrics:${series}`;

/** Hash: symbol → what a router has learned about it, as JSON; `switches` → times of the last ones. Written every few seconds. */
export const routerSnapshotKey = (system: string, shard: number): string => `router:{${system}}:${shard}:learned`;
