// The router's ends where the stages are pods of their own: features from Redis, signals into it. Called by main.ts.
import { parseJson } from '../contract/json.ts';
import { featuresStream, signalsStream, STREAM_LENGTH } from '../contract/keys.ts';
import type { Features, Signal } from '../contract/messages.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import { monotonicNow } from '../kit/clock.ts';
import { newestOf, type Inlet, type StreamInletOptions } from '../kit/inlet.ts';
import { newestWins, type Outlet } from '../kit/outlet.ts';
import type { PodConfig } from '../kit/config.ts';
import type { Redis } from '../kit/redis.ts';
import { append } from '../kit/streams.ts';

export function featuresFrom(
  { system, shard }: PodConfig,
  options: Pick<StreamInletOptions<Features>, 'redis' | 'log' | 'signal'>,
): Inlet<Features> {
  const symbols = symbolsOfShard(system.symbols, shard, system.shards);
  return newestOf({ ...options, keys: symbols.map(({ name }) => featuresStream(name)), parse: featuresIn });
}

/** JSON of ingest's message; undefined where it is none. */
function featuresIn(data: string): Features | undefined {
  const features = parseJson(data) as Features | null | undefined;
  return typeof features?.symbol === 'string' && typeof features.seq === 'number' ? features : undefined;
}

export const signalsTo = (redis: Redis): Outlet<Signal> => newestWins((signal) => storeSignal(redis, sentNow(signal)));

export const storeSignal = (redis: Redis, signal: Signal): Promise<unknown> =>
  append(redis, signalsStream(signal.symbol), signal, STREAM_LENGTH.signals);

/** As it is sent: the features have grown older since it was made. */
export const sentNow = (signal: Signal): Signal => ({
  ...signal,
  featuresAgeMs: signal.featuresAgeMs + monotonicNow() - signal.t,
});
