// Orders from Redis, where the harmoniser is a pod of its own. Called by main.ts.
import { ordersStream } from '../../contract/keys.ts';
import { symbolsOfShard } from '../../contract/shards.ts';
import type { PodConfig } from '../../kit/config.ts';
import type { StreamInletOptions } from '../../kit/inlet.ts';
import { readStreams } from '../../kit/streams.ts';
import { decodeOrder } from './order.ts';
import { entryRead } from './progress.ts';
import type { Orders } from './shell.ts';

/** Where nothing was ever read: orders of the last minute are answered (as too old), what is older has no asker. */
const FIRST_LOOK_BACK_MS = 60_000;

/** Each entry once, from where the volume says; what cannot be read is passed over, as nobody could be answered. */
export const ordersFrom =
  (
    { system, shard }: Pick<PodConfig, 'system' | 'shard'>,
    options: Pick<StreamInletOptions<unknown>, 'redis' | 'log' | 'signal'>,
  ): Orders =>
  async (ledger, take) => {
    const symbols = symbolsOfShard(system.symbols, shard, system.shards);
    const symbolOf = new Map(symbols.map(({ name }) => [ordersStream(name), name]));
    const start = `${Math.floor(Date.now() - FIRST_LOOK_BACK_MS)}-0`;
    const from = Object.fromEntries(
      [...symbolOf].map(([key, symbol]) => [key, ledger.progress.resume.get(symbol) ?? start]),
    );
    await readStreams({
      ...options,
      keys: [...symbolOf.keys()],
      from,
      onMessage: (key, id, data, ageMs) => {
        const symbol = symbolOf.get(key) ?? '';
        const request = decodeOrder(data);
        entryRead(ledger.progress, symbol, id);
        if (request.kind === 'unreadable' || request.symbol !== symbol) {
          const problem = request.kind === 'unreadable' ? request.problem : 'of another symbol';
          options.log.error({ key, id, problem }, 'order passed over');
          return ledger.pass(symbol, id);
        }
        return take({ request, requestId: id, transitMs: ageMs });
      },
    });
  };
