// The harmoniser's ends where the stages are pods of their own: signals and the venue's reports from Redis, orders into it. Called
// by main.ts.
import { parseJson } from '../contract/json.ts';
import { fillsStream, ordersStream, signalsStream, STREAM_LENGTH } from '../contract/keys.ts';
import type { OrderRequest, Signal } from '../contract/messages.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import type { PodConfig } from '../kit/config.ts';
import { newestOf, type Inlet, type StreamInletOptions } from '../kit/inlet.ts';
import type { Redis } from '../kit/redis.ts';
import { append, readStreams } from '../kit/streams.ts';
import { parseReport } from './report.ts';
import type { Reports } from './shell.ts';

/** Where no fill was ever read: reports of the last minute are looked at; the account report tells the rest. */
const FIRST_LOOK_BACK_MS = 60_000;

type Options = Pick<StreamInletOptions<unknown>, 'redis' | 'log' | 'signal'>;

const namesIn = ({ system, shard }: PodConfig): string[] =>
  symbolsOfShard(system.symbols, shard, system.shards).map(({ name }) => name);

export const signalsFrom = (pod: PodConfig, options: Options): Inlet<Signal> =>
  newestOf({ ...options, keys: namesIn(pod).map(signalsStream), parse: signalIn });

function signalIn(data: string): Signal | undefined {
  const signal = parseJson(data) as Signal | null | undefined;
  return signal?.features === undefined ? undefined : signal;
}

export const reportsFrom =
  (pod: PodConfig, options: Options): Reports =>
  async ({ fillsRead }, take) => {
    const symbolOf = new Map(namesIn(pod).map((symbol) => [fillsStream(symbol), symbol]));
    const start = `${Date.now() - FIRST_LOOK_BACK_MS}-0`;
    await readStreams({
      ...options,
      keys: [...symbolOf.keys()],
      from: Object.fromEntries([...symbolOf].map(([key, symbol]) => [key, fillsRead.get(symbol) ?? start])),
      onMessage: (key, id, data) => {
        const parsed = parseReport(data);
        if ('problem' in parsed) return options.log.error({ key, id, problem: parsed.problem }, 'report passed over');
        return take({ report: parsed.report, symbol: symbolOf.get(key) ?? '', id });
      },
    });
  };

export const ordersTo =
  (redis: Redis) =>
  (request: OrderRequest): Promise<unknown> =>
    append(redis, ordersStream(request.symbol), request, STREAM_LENGTH.orders);
