// The feeds of Coinbase against a venue that misbehaves on purpose: gaps, repeats, refusals, no snapshot.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { isObject, parseJson, type Json } from '../../contract/json.ts';
import { monotonicNow } from '../../kit/clock.ts';
import { keyIn } from '../open-feed.ts';
import { newShard, step, type Event } from '../step.ts';
import type { CoinbaseApi } from '../venue/coinbase/message.ts';
import { ADVANCED, EXCHANGE } from '../venue/coinbase/apis.ts';
import {
  COINBASE_TIMING,
  openCoinbaseFeed,
  type CoinbaseOptions,
  type CoinbaseTiming,
} from '../venue/coinbase/feed.ts';
import type { Feed } from '../venue/feed.ts';
import { until } from './running.ts';

const PRODUCTS = ['BTC-USD', 'ETH-USD'];
const TIMING: CoinbaseTiming = { ...COINBASE_TIMING, firstRetryMs: 20, slowestRetryMs: 50 };

class FakeVenue {
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly heard: Json[] = [];
  readonly heardAt: number[] = [];
  #socket: WebSocket | undefined;
  sequence = 0;
  readonly halted = new Set<string>();

  constructor() {
    this.#server = createServer(({ url = '' }, response) => {
      const product = { quote_increment: '0.01', base_increment: '0.01', price_increment: '0.01', status: 'online' };
      const products = PRODUCTS.map((id) => ({ ...product, id, product_id: id, post_only: this.halted.has(id) }));
      const one = products.find(({ id }) => url === `/products/${id}`);
      response.end(JSON.stringify(url === '/products' ? products : (one ?? { products })));
    });
    this.#sockets = new WebSocketServer({ server: this.#server });
    this.#sockets.on('connection', (socket) => {
      this.#socket = socket;
      this.sequence = 0;
      socket.on('message', (data) => {
        const request = parseJson((data as Buffer).toString());
        if (isObject(request)) this.heard.push(request);
        this.heardAt.push(performance.now());
      });
    });
  }
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  say(frame: object): void {
    this.#socket?.send(JSON.stringify(frame));
  }
  /** Numbered, as Advanced Trade does. */
  tell(channel: string, event: object): void {
    this.say({ channel, sequence_num: this.sequence++, events: [event] });
  }
  book(product_id: string, type: 'snapshot' | 'update', bid: string): void {
    const level = (side: string, price_level: string) => ({ side, price_level, new_quantity: '1' });
    this.tell('l2_data', { type, product_id, updates: [level('bid', bid), level('offer', '200')] });
  }
  stop(): void {
    this.#socket?.terminate();
    this.#server.close();
  }
}

describe('a feed of Coinbase', () => {
  let venue: FakeVenue;
  let feed: Feed;
  let events: Event[];
  let malformed: string[];
  let shard: ReturnType<typeof newShard>;
  beforeEach(() => {
    venue = new FakeVenue();
    events = [];
    malformed = [];
    shard = newShard('b');
  });
  afterEach(() => {
    feed.stop();
    venue.stop();
  });

  const open = async (api: CoinbaseApi, more: Partial<CoinbaseOptions> = {}, timing = TIMING): Promise<void> => {
    const host = await venue.listen();
    const emit = (event: Event): void => {
      events.push(event);
      for (const output of step(shard, event)) {
        if (output.kind === 'snapshotWanted') feed.wantSnapshot(output.symbol);
        if (output.kind === 'streamLost') feed.renew(output.symbol);
      }
    };
    feed = openCoinbaseFeed(
      {
        source: 'cb',
        api,
        endpoints: { ws: `ws://${host}`, rest: `http://${host}` },
        symbols: new Map(PRODUCTS.map((product) => [product, product])),
        shards: 1,
        now: monotonicNow,
        random: () => 0,
        log: pino({ level: 'silent' }),
        emit,
        onMalformed: ({ reason }) => malformed.push(reason),
        ...more,
      },
      timing,
    );
    await until('a subscription', () => venue.heard.length >= (api === ADVANCED ? 3 : 1));
  };
  const isValid = (symbol: string): boolean => shard.markets.get(symbol)?.valid === true;
  const renewalsOf = (product: string): Json[] =>
    venue.heard
      .slice(3)
      .filter(({ type, product_ids: of }) => type === 'subscribe' && (of as string[]).includes(product));
  const withBooks = async (): Promise<void> => {
    for (const product of PRODUCTS) venue.book(product, 'snapshot', '100');
    await until('valid books', () => PRODUCTS.every(isValid));
  };

  it('takes a snapshot that comes before the acknowledgement', async () => {
    await open(ADVANCED);
    venue.book('BTC-USD', 'snapshot', '100');
    venue.tell('subscriptions', { subscriptions: { level2: ['BTC-USD'] } });
    venue.book('BTC-USD', 'update', '101');
    await until('the update', () => shard.markets.get('BTC-USD')?.best.bidTicks === 10_100);
    assert.deepEqual(malformed, []);
  });

  it('asks for every book of a connection whose numbers skip, on whatever channel, in one go', async () => {
    await open(ADVANCED);
    await withBooks();
    venue.sequence += 1;
    venue.tell('heartbeats', { heartbeat_counter: 7 });
    await until('both out', () => !PRODUCTS.some(isValid));
    await until('asked for', () => venue.heard.length >= 5);
    assert.deepEqual(venue.heard.slice(3), [
      { type: 'unsubscribe', product_ids: PRODUCTS, channel: 'level2' },
      { type: 'subscribe', product_ids: PRODUCTS, channel: 'level2' },
    ]);
    venue.book('BTC-USD', 'update', '50');
    await withBooks();
    assert.equal(shard.markets.get('BTC-USD')?.best.bidTicks, 10_000);
  });

  it('asks again at once where what was on its way may have been lost', async () => {
    await open(ADVANCED);
    venue.tell('heartbeats', { heartbeat_counter: 1 });
    venue.sequence += 1;
    venue.tell('heartbeats', { heartbeat_counter: 3 });
    await until('asked for', () => renewalsOf('BTC-USD').length === 1, 8_000); // by itself after COINBASE_TIMING.silence
  });

  it('leaves out what comes late or twice, and takes it for life', async () => {
    await open(ADVANCED);
    await withBooks();
    venue.sequence -= 1;
    venue.book('BTC-USD', 'update', '150');
    venue.sequence = 0;
    venue.book('ETH-USD', 'update', '150');
    venue.sequence = 2;
    venue.book('BTC-USD', 'update', '101');
    await until('the update', () => shard.markets.get('BTC-USD')?.best.bidTicks === 10_100);
    assert.equal(shard.markets.get('ETH-USD')?.best.bidTicks, 10_000);
    assert.equal(events.filter(({ kind }) => kind === 'lost').length, 0);
    assert.equal(events.filter(({ kind }) => kind === 'heard').length, 2);
  });

  it('goes on in number after a message that it cannot read, and asks for the one book that it was of', async () => {
    await open(ADVANCED);
    await withBooks();
    venue.tell('l2_data', { type: 'update', product_id: 'ETH-USD', updates: [{ side: 'bid' }] });
    await until('ETH out', () => !isValid('ETH-USD'));
    await until('asked for', () => renewalsOf('ETH-USD').length === 1);
    venue.tell('candles', {});
    venue.book('BTC-USD', 'update', '101');
    venue.book('ETH-USD', 'snapshot', '102');
    await until('both', () => PRODUCTS.every(isValid) && shard.markets.get('BTC-USD')?.best.bidTicks === 10_100);
    assert.deepEqual(malformed, ['BadField', 'UnknownEvent']);
    assert.equal(renewalsOf('BTC-USD').length, 0);
  });

  it('asks for the book whose update is older than the one before it', async () => {
    await open(EXCHANGE);
    const update = (product_id: string, time: string, bid: string): void =>
      venue.say({ type: 'l2update', product_id, changes: [['buy', bid, '1']], time: `2021-04-17T16:44:${time}Z` });
    for (const product_id of PRODUCTS)
      venue.say({ type: 'snapshot', product_id, bids: [['100', '1']], asks: [['200', '1']] });
    for (const time of ['07.100000', '07.100000', '07.200000']) update('BTC-USD', time, '101');
    update('ETH-USD', '06.000000', '101');
    update('ETH-USD', '06.5', '102');
    await until('updates', () => shard.markets.get('ETH-USD')?.best.bidTicks === 10_200);
    assert.ok(PRODUCTS.every(isValid), 'equal times, another product, another precision');
    update('BTC-USD', '07.199999', '102');
    await until('asked for', () => venue.heard.length >= 3);
    assert.deepEqual(venue.heard.slice(1).map(({ product_ids: products }) => products), [['BTC-USD'], ['BTC-USD']]); // prettier-ignore
    assert.deepEqual(PRODUCTS.map(isValid), [false, true]);
  });

  it('says what the venue refuses, until a book comes', async () => {
    await open(EXCHANGE);
    venue.say({ type: 'error', message: 'Failed to subscribe', reason: 'too many' });
    await until('a reason', () => feed.status().reason === 'refused: Failed to subscribe: too many');
    venue.say({ type: 'snapshot', product_id: 'BTC-USD', bids: [['1', '1']], asks: [['2', '1']] });
    await until('no reason', () => feed.status().reason === undefined);
    assert.deepEqual(malformed, ['Refused']);
  });

  it('asks for each product by itself where all are refused for one of them', async () => {
    await open(EXCHANGE);
    const refusal = { type: 'error', message: 'Failed to subscribe', reason: 'ETH-USD is delisted' };
    venue.say(refusal);
    await until('each by itself', () => venue.heard.length === 3);
    const asked = venue.heard.map(({ type, product_ids: products }) => [type, products]);
    assert.deepEqual(asked.slice(1), PRODUCTS.map((product) => ['subscribe', [product]])); // prettier-ignore
    assert.deepEqual(venue.heard[1]?.['channels'], venue.heard[0]?.['channels']);
    venue.say(refusal);
    venue.say({ type: 'snapshot', product_id: 'BTC-USD', bids: [['1', '1']], asks: [['2', '1']] });
    await until('the other', () => isValid('BTC-USD'));
    venue.say(refusal);
    await until('a reason', () => feed.status().reason?.includes('delisted') === true);
    assert.equal(venue.heard.length, 3);
  });

  it('asks for all that is of a product when it is traded, where it was not to be had before', async () => {
    venue.halted.add('ETH-USD');
    await open(EXCHANGE, {}, { ...TIMING, status: { everyMs: 200, hurryMs: 50, unknownMs: 1_000 } });
    venue.say({ type: 'snapshot', product_id: 'BTC-USD', bids: [['100', '1']], asks: [['200', '1']] });
    await until('a book', () => isValid('BTC-USD'));
    assert.equal(feed.status().reason, 'ETH-USD is post_only');
    assert.equal(venue.heard.length, 1);
    venue.halted.clear();
    await until('asked for', () => venue.heard.length >= 2);
    assert.deepEqual(venue.heard[1], { ...venue.heard[0], product_ids: ['ETH-USD'] });
    venue.say({ type: 'snapshot', product_id: 'ETH-USD', bids: [['100', '1']], asks: [['200', '1']] });
    await until('its book', () => isValid('ETH-USD'));
    venue.halted.add('ETH-USD');
    await until('a halt', () => !isValid('ETH-USD'));
    venue.halted.clear();
    await until('its end', () => isValid('ETH-USD'));
    assert.equal(venue.heard.length, 2, 'what came goes on');
  });

  it('sends no more than the venue takes: 8 messages a second without a login', async () => {
    const from = performance.now();
    await open(ADVANCED);
    await withBooks();
    for (let renewals = 1; renewals <= 10; renewals++) {
      venue.sequence += 1;
      venue.tell('heartbeats', { heartbeat_counter: renewals });
      await until('asked for', () => venue.heard.length === 3 + 2 * renewals);
      await withBooks();
    }
    // Heard later than they were sent, where the machine is busy, but never sooner.
    for (const [i, at] of venue.heardAt.entries())
      assert.ok(at - from >= 950 * Math.floor(i / 8), `message ${i + 1} after ${at - from} ms`);
    for (const product_id of PRODUCTS) {
      venue.tell('l2_data', { type: 'update', product_id, updates: [{ side: 'bid' }] });
      await delay(150);
    }
    await until('the rest', () => venue.heard.length >= 27);
    for (const product of PRODUCTS) {
      const of = venue.heard.filter(({ product_ids: products }) =>
        (products as string[] | undefined)?.includes(product),
      );
      assert.equal(of.at(-1)?.['type'], 'subscribe', product);
    }
  });

  it('signs each message anew with the key in its Secret, and goes on unsigned where there is none', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'secret-'));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const pem = privateKey.export({ format: 'pem', type: 'sec1' }).toString();
    writeFileSync(join(dir, 'name'), 'k');
    writeFileSync(join(dir, 'privateKey'), pem);
    try {
      await open(ADVANCED, { key: () => keyIn(dir) });
      const jwts = venue.heard.map(({ jwt }) => jwt);
      assert.equal(new Set(jwts).size, 3);
      for (const jwt of jwts) assert.match(String(jwt), /^[\w-]+\.[\w-]+\.[\w-]+$/);
      rmSync(join(dir, 'privateKey'));
      await withBooks();
      venue.sequence += 1;
      venue.tell('heartbeats', { heartbeat_counter: '1' });
      await until('unsigned', () => venue.heard.length >= 5);
      assert.equal(venue.heard[4]?.['jwt'], undefined);
      const reason = 'subscriptions are not signed: key privateKey of the Secret: found nothing';
      assert.equal(feed.status().reason, reason);
      writeFileSync(join(dir, 'privateKey'), 'secret');
      assert.doesNotMatch(JSON.stringify(keyIn(dir)), /secret"$/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
