// Daily closes from the simulated venues by their own REST, through every kind of feed.
import assert from 'node:assert/strict';
import { DAY_SECONDS, parseDailyBars } from '../../contract/bars.ts';
import { dailyBarsKey } from '../../contract/keys.ts';
import { start, stop, until, MARKET } from './running.ts';

const CASES = [
  { protocol: 'binance', symbol: 'BTCUSDT' },
  { protocol: 'coinbase-exchange', symbol: 'BTC-USD' },
  { protocol: 'coinbase-advanced', symbol: 'BTC-USD' },
  { protocol: 'binance', symbol: 'BTCUSDT', ccxt: 'binance', unified: 'BTC/USDT' },
  { protocol: 'coinbase-advanced', symbol: 'BTC-USD', ccxt: 'coinbase', unified: 'BTC/USD' },
] as const;

describe('daily closes of a venue', () => {
  for (const one of CASES)
    it(`come from ${one.protocol}${'ccxt' in one ? ' by ccxt' : ''}`, async () => {
      const source = (url: string) =>
        'ccxt' in one
          ? { name: one.protocol, type: 'ccxt', url, symbols: { 'BTC-USD': one.unified }, options: { exchange: one.ccxt } }
          : { name: one.protocol, type: one.protocol.split('-')[0], url, symbols: { 'BTC-USD': one.symbol }, options: one.protocol === 'coinbase-advanced' ? { api: 'advanced' } : {} }; // prettier-ignore
      const running = await start(MARKET, { protocol: one.protocol, symbols: { 'BTC-USD': one.symbol }, source });
      try {
        await until('closes', () => running.stored.size > 0);
        const bars = parseDailyBars(running.stored.get(dailyBarsKey('BTC-USD')) ?? '');
        const today = Math.floor(Date.now() / 1_000 / DAY_SECONDS) * DAY_SECONDS;
        assert.deepEqual([bars?.source, bars?.closes.at(-1)], [one.protocol, [today - DAY_SECONDS, 61_800]]);
        assert.ok((bars?.closes.length ?? 0) > 170, String(bars?.closes.length));
      } finally {
        await stop(running);
      }
    });
});
