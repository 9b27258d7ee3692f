import assert from 'node:assert/strict';
import type { SystemConfig } from '../contract/system-config.ts';
import { ownFeesBps, planSources } from './sources.ts';

const aSystem = (...sources: object[]): SystemConfig =>
  ({
    symbols: [{ name: 'BTC-USD' }, { name: 'ETH-USD' }],
    sources,
    shards: 1,
    venueUrls: { sim: 'ws://sim:8090/sim' },
  }) as unknown as SystemConfig;
const binance = { name: 'binance', type: 'binance', symbols: { 'BTC-USD': 'BTCUSDT' }, options: {} };
const sim = {
  name: 'sim',
  type: 'simulator',
  symbols: { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' },
  options: { protocol: 'binance', market: { feeBps: 2 } },
};

describe('the sources of a shard', () => {
  it('serve a symbol from the first that lists it', () => {
    const { feeds } = planSources(aSystem(binance, sim), 0);
    assert.deepEqual(
      feeds.map(({ name, symbols }) => [name, ...symbols.values()]),
      [
        ['binance', 'BTC-USD'],
        ['sim', 'ETH-USD'],
      ],
    );
  });
  it('are refused with the reason where they cannot be served', () => {
    const coinbase = { ...binance, name: 'cb', type: 'coinbase' };
    const ftp = { ...binance, url: 'ftp://x' };
    assert.match(planSources(aSystem(coinbase), 0).refused.get('cb') ?? '', /coinbase are not supported/);
    assert.match(planSources(aSystem(ftp), 0).refused.get('binance') ?? '', /found ftp:.*expected ws/);
  });
  it('charge a fee of their own only for the symbols whose primary is a simulated market', () => {
    assert.deepEqual([...ownFeesBps(aSystem(binance, sim))], [['ETH-USD', 2]]);
  });
});
