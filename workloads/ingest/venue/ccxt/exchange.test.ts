import assert from 'node:assert/strict';
import { loadExchange, type CcxtExchange } from './exchange.ts';

const OWN = { ws: '', rest: '' };
const load = (
  exchange: string,
  more: object = {},
): Promise<CcxtExchange & { readonly throttler: { readonly config: Throttle } }> =>
  loadExchange({ exchange, endpoints: OWN, venueSymbols: ['BTC/USDT'], shards: 1, ...more }) as Promise<never>;
interface Throttle {
  readonly refillRate: number;
  readonly algorithm: string;
}

describe('an exchange of ccxt', () => {
  it('is slowed down by ccxt itself, each shard to its part', async () => {
    const [whole, part] = [await load('binance'), await load('binance', { shards: 4 })];
    assert.equal(part.throttler.config.refillRate, whole.throttler.config.refillRate / 4);
    assert.equal(part.throttler.config.algorithm, 'leakyBucket');
    assert.equal(part.rateLimit, 4 * whole.rateLimit);
  });
  it('loads markets of the kinds that are wanted', async () => {
    const types = async (venueSymbols: string[]) =>
      (await load('binance', { venueSymbols })).options['fetchMarkets'] as { types: string[] };
    assert.deepEqual((await types(['BTC/USDT'])).types, ['spot']);
    assert.ok((await types(['BTC/USDT', 'BTC/USDT:USDT'])).types.includes('linear'));
  });
  it('is where ccxt knows it to be, or all of it at another address', async () => {
    const { urls } = await load('binance');
    assert.match(JSON.stringify(urls['api']), /wss:\/\/stream\.binance\.com:9443\/ws/);
    const moved = await load('binance', { endpoints: { ws: 'ws://here/b', rest: 'http://here/b' } });
    const api = moved.urls['api'] as { public: string; ws: { spot: string } };
    assert.deepEqual([api.public, api.ws.spot], ['http://here/b/api/v3', 'ws://here/b/ws']);
    assert.doesNotMatch(JSON.stringify(api), /binance\.com/);
  });
  it('has a REST side alone, or streams that we cannot read', async () => {
    assert.equal((await load('bitso')).has['watchOrderBook'], undefined);
    assert.equal((await load('mexc')).has['watchOrderBook'], false);
    assert.equal((await load('kraken')).has['watchOrderBook'], true);
  });
  it('is refused by name where there is none', async () => {
    await assert.rejects(load('nowhere'), /^Error: ccxt has no exchange nowhere$/);
  });
});
