// Trades that a stream leaves out are found by REST, so that what was traded is summed up right, in every protocol.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { PROTOCOLS, STRUCK, symbolsOf } from './recovery.ts';
import { areValid, MARKET, start, stop, until } from './running.ts';

for (const protocol of PROTOCOLS) {
  describe(`trades that ${protocol} leaves out of its stream`, () => {
    it('are counted, found, and in the sums, each once', async () => {
      const symbols = symbolsOf(protocol);
      const running = await start(MARKET, { protocol, symbols });
      try {
        await until('valid books', () => running.ingest.shard.markets.size === 2 && areValid(running));
        const market = running.ingest.shard.markets.get(STRUCK)!;
        await until('trades', () => market.trades > 2);
        const before = market.lastTradeId - market.trades;
        const fault = { fault: 'gap', of: 'trade', symbol: symbols[STRUCK]!, count: 4 } as const;
        running.simulator.strike(protocol, fault);
        const counted = async (outcome: string): Promise<number> => {
          const metrics = await running.registry.metrics();
          return Number(
            new RegExp(`^tradewind_missed_trades_total\\{[^}]*outcome="${outcome}"\\} (\\S+)$`, 'm').exec(metrics)?.[1],
          );
        };
        let [missed, recovered] = [0, 0];
        const isDone = (): boolean =>
          recovered > 0 && missed === recovered && market.lastTradeId - market.trades === before;
        while (!isDone()) {
          [missed, recovered] = [await counted('missed'), await counted('recovered')];
          await delay(50);
        }
        assert.ok((running.simulator.stats()[protocol]?.struck.gap ?? 0) > 0);
      } finally {
        await stop(running);
      }
    });
  });
}

describe('a venue that wants no requests', () => {
  it('is asked for trades once, and not again before its time', async () => {
    const symbols = symbolsOf('binance');
    const running = await start(MARKET, { protocol: 'binance', symbols });
    const { simulator, ingest } = running;
    const struck = (): number => simulator.stats()['binance']?.struck.limit ?? 0;
    try {
      await until('valid books', () => ingest.shard.markets.size === 2 && areValid(running));
      await until('trades', () => ingest.shard.markets.get(STRUCK)!.trades > 2);
      simulator.strike('binance', { fault: 'limit', seconds: 60 });
      simulator.strike('binance', { fault: 'gap', of: 'trade', symbol: symbols[STRUCK]!, count: 4 });
      await until('a request', () => struck() > 0);
      await delay(6_000);
      assert.equal(struck(), 1);
    } finally {
      await stop(running);
    }
  });
});
