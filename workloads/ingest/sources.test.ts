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
    const mute = { ...sim, options: {} };
    const ftp = { ...binance, url: 'ftp://x' };
    assert.match(planSources(aSystem(mute), 0).refused.get('sim') ?? '', /options\.protocol: found none/);
    const nowhere = { ...sim, name: 'nowhere' };
    assert.match(planSources(aSystem(nowhere), 0).refused.get('nowhere') ?? '', /no address of nowhere/);
    assert.match(planSources(aSystem(ftp), 0).refused.get('binance') ?? '', /found ftp:.*expected ws/);
  });
  for (const address of ['wss://v:99999/1', 'wss://[/1', 'wss://%zz/1', 'wss://v/1#a', 'https://v:x/1'])
    it(`are refused, venue or provider, where no client could dial their address: ${address}`, () => {
      const options = address.startsWith('https') ? { pollSeconds: 1 } : {};
      const wrong = { ...binance, name: 'wrong', url: address };
      for (const source of [wrong, { ...wrong, type: 'alpha', options }]) {
        const plan = planSources(aSystem(source, sim), 0);
        assert.match(plan.refused.get('wrong') ?? '', /^url: found .*, expected an address with a host/);
        assert.deepEqual([plan.alphas, plan.feeds.map(({ name }) => name)], [[], ['sim']]);
      }
    });
  it('speak their venue’s protocol, or that of the venue that is simulated', () => {
    const speaks = (source: object) => planSources(aSystem(source), 0).feeds[0];
    const coinbase = { ...binance, type: 'coinbase' };
    assert.equal(speaks(binance)?.protocol, 'binance');
    assert.equal(speaks(coinbase)?.protocol, 'coinbase-exchange');
    assert.equal(speaks(coinbase)?.endpoints.ws, 'wss://ws-feed.exchange.coinbase.com');
    const advanced = speaks({ ...coinbase, options: { api: 'advanced' } });
    assert.equal(advanced?.endpoints.ws, 'wss://advanced-trade-ws.coinbase.com');
    assert.deepEqual([advanced?.protocol, advanced?.isSigned], ['coinbase-advanced', false]);
    const own = speaks({ ...coinbase, url: 'https://proxy/cb/' });
    assert.deepEqual(own?.endpoints, { ws: 'wss://proxy/cb', rest: 'https://proxy/cb' });
    for (const protocol of ['coinbase-exchange', 'coinbase-advanced']) {
      assert.equal(speaks({ ...sim, options: { protocol } })?.protocol, protocol);
    }
  });
  it('have times that say something unless they play a recording', () => {
    const isRecorded = (source: object) => planSources(aSystem(source), 0).feeds[0]?.isRecorded;
    const recording = { claimName: 'recordings', files: {}, speed: 10, loop: true };
    assert.equal(isRecorded({ ...sim, options: { protocol: 'binance', recording } }), true);
    assert.deepEqual([isRecorded(sim), isRecorded(binance)], [false, false]);
  });
  it('sign with a key only where the venue takes one', () => {
    const secretRef = { name: 's' };
    const isSigned = (options: object) =>
      planSources(aSystem({ ...binance, type: 'coinbase', options }), 0).feeds[0]?.isSigned;
    assert.equal(isSigned({ api: 'advanced', secretRef }), true);
    assert.equal(isSigned({ api: 'exchange', secretRef }), false);
  });
  it('of ccxt go to the exchange’s own address unless another is given', () => {
    const kraken = { ...binance, name: 'k', type: 'ccxt', options: { exchange: 'kraken', pollSeconds: 5 } };
    const here = { ...kraken, url: 'ws://sim:8090/k' };
    const [own] = planSources(aSystem(kraken), 0).feeds;
    assert.deepEqual([own?.protocol, own?.ccxt], ['ccxt', { exchange: 'kraken', pollSeconds: 5 }]);
    assert.deepEqual(own?.endpoints, { ws: '', rest: '' });
    const [moved] = planSources(aSystem(here), 0).feeds;
    assert.deepEqual(moved?.endpoints, { ws: 'ws://sim:8090/k', rest: 'http://sim:8090/k' });
  });
  describe('that are signal providers', () => {
    const vertex = { name: 'vertex', type: 'alpha', symbols: { 'BTC-USD': 'XBT' }, url: 'wss://v/1?a=b', options: {} };
    it('are read for every symbol that they list, and are nobody’s primary, wherever they stand', () => {
      const { feeds, alphas } = planSources(aSystem(vertex, binance, { ...vertex, name: 'other' }), 0);
      assert.deepEqual(feeds.map(({ name }) => name), ['binance']); // prettier-ignore
      const symbols = new Map([['XBT', 'BTC-USD']]);
      assert.deepEqual(alphas, [
        { name: 'vertex', url: vertex.url, hasToken: false, symbols },
        { name: 'other', url: vertex.url, hasToken: false, symbols },
      ]);
    });
    it('are polled where they have an interval, with a token where they have a Secret', () => {
      const options = { pollSeconds: 5, secretRef: { name: 's' } };
      const [alpha] = planSources(aSystem({ ...vertex, url: 'https://v/1', options }, binance), 0).alphas;
      assert.deepEqual([alpha?.url, alpha?.pollMs, alpha?.hasToken], ['https://v/1', 5_000, true]);
    });
    it('are refused without an address, with one of the other way, or with one name for two symbols', () => {
      const refusal = (change: object) => planSources(aSystem({ ...vertex, ...change }), 0).refused.get('vertex') ?? '';
      assert.match(refusal({ url: undefined }), /url: found none/);
      const symbols = { 'BTC-USD': 'XBT', 'ETH-USD': 'XBT' };
      assert.match(refusal({ symbols }), /symbols: found XBT for BTC-USD and ETH-USD, expected another name for each/);
      assert.match(refusal({ url: 'https://v' }), /found https:\/\/v, expected ws or wss, as pollSeconds is absent/);
      assert.match(refusal({ options: { pollSeconds: 5 } }), /found wss:.*expected http or https/);
    });
  });
  it('are refused with one name for two symbols, of which one would stay without data', () => {
    const symbols = { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'BTCUSDT' };
    const { feeds, refused } = planSources(aSystem({ ...binance, symbols }), 0);
    assert.deepEqual(feeds, []);
    assert.match(refused.get('binance') ?? '', /symbols: found BTCUSDT for BTC-USD and ETH-USD, expected another name/);
  });
  it('charge a fee of their own only for the symbols whose primary is a simulated market', () => {
    assert.deepEqual([...ownFeesBps(aSystem(binance, sim))], [['ETH-USD', 2]]);
  });
});
