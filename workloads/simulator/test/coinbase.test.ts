// The simulator's Coinbase protocols over real sockets, as a client other than ours would use them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { SystemConfig } from '../../contract/system-config.ts';
import { startSimulator, type Simulator } from '../server.ts';

const SYMBOLS = { 'BTC-USD': 'BTC-USD', 'ETH-USD': 'ETH-USD' };
const SOURCES = ['coinbase-exchange', 'coinbase-advanced'].map((protocol) => ({
  name: protocol,
  type: 'simulator',
  symbols: SYMBOLS,
  options: { protocol },
})) as unknown as SystemConfig['sources'];

type Said = Record<string, never> & {
  type: string;
  channel: string;
  sequence_num: number;
  events: { type: string; trades: { trade_id: string }[]; heartbeat_counter: unknown }[];
};

describe('the simulator’s Coinbase', () => {
  let simulator: Simulator;
  const clients: WebSocket[] = [];
  before(async () => (simulator = await startSimulator({ sources: SOURCES, port: 0, recordingsDir: '/nowhere' })));
  after(() => simulator.stop());
  afterEach(() => clients.splice(0).forEach((client) => client.terminate()));

  const get = async (path: string): Promise<{ status: number; body: never }> => {
    const response = await fetch(`http://127.0.0.1:${simulator.port}${path}`);
    return { status: response.status, body: (await response.json()) as never };
  };
  const connect = async (source: string): Promise<{ said: Said[]; ask: (request: object) => void }> => {
    const client = new WebSocket(`ws://127.0.0.1:${simulator.port}/${source}`);
    clients.push(client);
    const said: Said[] = [];
    client.on('message', (data) => said.push(JSON.parse((data as Buffer).toString()) as Said));
    await once(client, 'open');
    return { said, ask: (request) => client.send(JSON.stringify(request)) };
  };
  const heard = async (said: Said[], what: (one: Said) => boolean): Promise<Said> => {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline) {
      const found = said.find(what);
      if (found !== undefined) return found;
      await delay(20);
    }
    return assert.fail(`not heard; types: ${[...new Set(said.map(({ type, channel }) => type ?? channel))].join()}`);
  };

  it('Exchange acknowledges, then gives the book, then its changes, trades and heartbeats', async () => {
    const { said, ask } = await connect('coinbase-exchange');
    ask({ type: 'subscribe', product_ids: ['BTC-USD'], channels: ['level2_batch', 'matches', 'heartbeat', 'ticker'] });
    for (const type of ['l2update', 'match', 'ticker', 'heartbeat']) await heard(said, (one) => one.type === type);
    const types = said.map(({ type }) => type);
    assert.deepEqual(types.slice(0, 3), ['subscriptions', 'snapshot', 'last_match']);
    const sequences = said.map(({ sequence }) => sequence as unknown as number).filter((one) => one !== undefined);
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    );
    ask({
      type: 'unsubscribe',
      product_ids: ['BTC-USD'],
      channels: ['level2_batch', 'matches', 'heartbeat', 'ticker'],
    });
    const isNews = (one: Said): boolean => said.indexOf(one) > 0 && one.type === 'subscriptions';
    const last = said.indexOf(await heard(said, isNews));
    await delay(500);
    assert.deepEqual(said.slice(last + 1), []);
  });
  it('Exchange takes products per channel, and refuses what it does not have', async () => {
    const { said, ask } = await connect('coinbase-exchange');
    ask({ type: 'subscribe', channels: [{ name: 'heartbeat', product_ids: ['ETH-USD'] }] });
    assert.equal((await heard(said, ({ type }) => type === 'heartbeat'))['product_id'], 'ETH-USD');
    for (const request of [
      { type: 'subscribe', product_ids: ['NOPE-USD'], channels: ['level2'] },
      { type: 'subscribe', product_ids: ['BTC-USD'], channels: ['full'] },
      { type: 'subscribe', product_ids: ['BTC-USD'] },
      { type: 'dance' },
      { type: { toString: 1 } },
      { type: 'subscribe', product_ids: ['BTC-USD'], channels: [['level2', { toString: 1 }]] },
    ]) {
      const { length } = said;
      ask(request);
      await heard(said, (one) => one.type === 'error' && said.indexOf(one) >= length);
    }
    assert.ok(!said.some(({ type }) => type === 'snapshot'));
  });
  it('Advanced numbers all of a connection, gives a book before the acknowledgement and trades newest first', async () => {
    const { said, ask } = await connect('coinbase-advanced');
    for (const channel of ['level2', 'market_trades', 'heartbeats'])
      ask({ type: 'subscribe', product_ids: ['BTC-USD'], channel });
    await heard(
      said,
      ({ channel, events }) =>
        channel === 'market_trades' && events[0]!.trades.length > 1 && events[0]!.type === 'update',
    );
    await heard(said, (one) => typeof one.events[0]?.heartbeat_counter === 'number');
    assert.deepEqual(said.slice(0, 2).map(({ channel }) => channel), ['l2_data', 'subscriptions']); // prettier-ignore
    assert.deepEqual(said.map(({ sequence_num }) => sequence_num), said.map((_, i) => i)); // prettier-ignore
    const counters = said.map(({ events }) => typeof events[0]?.heartbeat_counter);
    assert.ok(counters.includes('string') && counters.includes('number'));
    for (const { channel, events } of said) {
      if (channel !== 'market_trades') continue;
      const ids = events[0]!.trades.map(({ trade_id }) => Number(trade_id));
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => b - a),
      );
    }
  });
  it('Advanced takes 8 messages a second, and no JWT that makes no sense', async () => {
    const { said, ask } = await connect('coinbase-advanced');
    const jwt = [{ alg: 'ES256' }, {}].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    ask({ type: 'subscribe', channel: 'heartbeats', jwt: `${jwt}.x` });
    assert.match(JSON.stringify(await heard(said, ({ type }) => type === 'error')), /authentication failure/);
    for (let i = 0; i < 20; i++) ask({ type: 'subscribe', channel: 'heartbeats' });
    await heard(said, (one) => JSON.stringify(one).includes('rate limit'));
  });
  it('closes a connection that subscribes to nothing for 5 s', async () => {
    await connect('coinbase-advanced');
    await once(clients[0]!, 'close');
  });
  it('lists products, books and daily bars by REST, in both forms', async () => {
    const products = (await get('/coinbase-exchange/products')).body as { id: string; quote_increment: string }[];
    assert.deepEqual(products.map(({ id, quote_increment }) => [id, quote_increment]), [['BTC-USD', '0.01'], ['ETH-USD', '0.01']]); // prettier-ignore
    const listed = (await get('/coinbase-advanced/api/v3/brokerage/market/products?product_ids=ETH-USD')).body as {
      products: { product_id: string }[];
    };
    assert.deepEqual(listed.products.map(({ product_id }) => product_id), ['ETH-USD']); // prettier-ignore
    const level1 = (await get('/coinbase-exchange/products/BTC-USD/book?level=1')).body as { bids: string[][] };
    const level2 = (await get('/coinbase-exchange/products/BTC-USD/book?level=2')).body as { bids: string[][] };
    assert.deepEqual([level1.bids.length, level2.bids.length > 40], [1, true]);
    const book = (await get('/coinbase-advanced/api/v3/brokerage/market/product_book?product_id=BTC-USD&limit=3'))
      .body as { pricebook: { asks: object[] } };
    assert.equal(book.pricebook.asks.length, 3);
  });
  it('gives daily bars in the range that is asked for, newest first, and none beyond its limit', async () => {
    const day = 86_400;
    const today = Math.floor(Date.now() / 1_000 / day) * day;
    const path = '/coinbase-exchange/products/BTC-USD/candles?granularity=86400';
    const all = (await get(path)).body as number[][];
    assert.deepEqual([all.length, all[0]![0], all[0]![4]], [300, today - day, 61_800]);
    const some = (await get(`${path}&start=${today - 3 * day}&end=${today - 2 * day}`)).body as number[][];
    assert.deepEqual(some, all.slice(1, 3));
    assert.equal((await get(`${path}&start=${today - 400 * day}`)).status, 400);
    assert.equal((await get('/coinbase-exchange/products/BTC-USD/candles?granularity=60')).status, 400);
    const advanced = '/coinbase-advanced/api/v3/brokerage/market/products/BTC-USD/candles?granularity=ONE_DAY';
    const { candles } = (await get(`${advanced}&start=${today - 3 * day}&end=${today}`)).body as {
      candles: { start: string; close: string }[];
    };
    assert.deepEqual(candles.map(({ start }) => Number(start)), [1, 2, 3].map((n) => today - n * day)); // prettier-ignore
    assert.equal(Number(candles[0]!.close), 61_800);
  });
  it('says 404 to what is not there, and 429 beyond 10 requests a second', async () => {
    await delay(1_000);
    assert.equal((await get('/coinbase-exchange/products/NOPE-USD')).status, 404);
    assert.equal((await get('/coinbase-advanced/api/v3/brokerage/market/products/NOPE-USD')).status, 404);
    const statuses = await Promise.all(Array.from({ length: 100 }, () => get('/coinbase-exchange/time')));
    assert.ok(statuses.some(({ status }) => status === 429));
  });
});
