import assert from 'node:assert/strict';
import { systemValues } from './install.ts';

const servedBy = (sources: ReturnType<typeof systemValues>['spec']['sources']): string[] =>
  sources.map(({ symbols }) => Object.keys(symbols).join());

describe('the values of the demo', () => {
  it('are the example’s', () => {
    assert.deepEqual(servedBy(systemValues().spec.sources), ['BTC-USD,ETH-USD', 'BCH-USD', 'BTC-USD,ETH-USD']);
  });
  it('have recordings in the place of the sources of their symbols, none who knows their market, and every symbol served', () => {
    const recorded = { name: 'binance', symbols: { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' } };
    const { sources } = systemValues([recorded]).spec;
    assert.equal(sources[0], recorded);
    assert.deepEqual(servedBy(sources), ['BTC-USD,ETH-USD', 'BCH-USD']);
  });
});
