// The harmoniser's process against a real Redis, with the test as its router and its venue: it asks before it trades, sends
// each order once, passes over what it cannot read, and goes on after a crash where the venue says that it is.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { dailyBarsKey, desiredKey, fillsStream, ordersStream, partsKey, signalsStream } from '../../contract/keys.ts';
import type { OrderRequest, VenueReport } from '../../contract/messages.ts';
import type { HarmoniserStatus } from '../../contract/status.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from '../../kit/test/redis.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { aSignal, CONFIG, ReportMaker, SYMBOLS } from './builders.ts';

const BTC = 'BTC-USD';
const now = (): number => performance.timeOrigin + performance.now();

/** Knows one account, answers questions, and fills orders when the test says so. */
class Venue {
  readonly asked: OrderRequest[] = [];
  readonly #maker = new ReportMaker();
  readonly #redis: Redis;
  readonly #read = new Map(SYMBOLS.map((symbol) => [symbol, '0-0']));
  #cashMicros = 1e12;
  #lots = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async tell(symbol: string, body: Parameters<ReportMaker['make']>[2]): Promise<VenueReport> {
    const report = this.#maker.make(symbol, now(), body);
    await this.#redis.xadd(fillsStream(symbol), '*', 'data', JSON.stringify(report));
    return report;
  }

  async serve(): Promise<void> {
    for (const [symbol, from] of this.#read) {
      for (const [id, fields] of await this.#redis.xrange(ordersStream(symbol), `(${from}`, '+')) {
        this.#read.set(symbol, id);
        const request = JSON.parse(fields[1] ?? '') as OrderRequest;
        this.asked.push(request);
        const { epoch } = request;
        const account = { cashMicros: this.#cashMicros, positions: { [BTC]: this.#lots }, openOrders: [], epoch };
        if (request.kind === 'reconcile')
          await this.tell(symbol, { kind: 'account', requestId: request.id, ...account });
      }
    }
  }

  async fill({ id, symbol, side, lots, limitTicks }: Extract<OrderRequest, { kind: 'new' }>): Promise<void> {
    const notionalMicros = Math.round((limitTicks * lots) / 10);
    this.#lots += side === 'buy' ? lots : -lots;
    this.#cashMicros += side === 'buy' ? -notionalMicros : notionalMicros;
    const trade = { orderId: id, tradeId: `${id}.0`, side, lots, ticks: limitTicks, notionalMicros, feeMicros: 0 };
    await this.tell(symbol, { kind: 'fill', ...trade });
    await this.tell(symbol, { kind: 'done', orderId: id, outcome: 'Filled', filledLots: lots });
  }

  orders(): Extract<OrderRequest, { kind: 'new' }>[] {
    return this.asked.flatMap((request) => (request.kind === 'new' ? [request] : []));
  }
}

describe('the harmoniser process', () => {
  let server: TestRedis;
  let redis: Redis;
  let folder: PodFolder;
  let harmoniser: ChildProcess;
  let venue: Venue;
  let feeding: NodeJS.Timeout;
  let serving: NodeJS.Timeout;
  let served: Promise<void> = Promise.resolve();
  let edgeBps = 0;

  const start = (): ChildProcess =>
    spawn(process.execPath, [join(import.meta.dirname, '..', 'main.ts')], {
      env: { ...process.env, ...folder.env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('exit', resolve));
  const told = async (): Promise<HarmoniserStatus | undefined> => {
    const text = await redis.hget(partsKey('demo'), 'harmoniser-0');
    if (text === null) return undefined;
    const status = JSON.parse(text) as HarmoniserStatus;
    return status.ready && Date.now() - status.at < 2_000 ? status : undefined;
  };
  const lots = async (): Promise<number | undefined> => (await told())?.symbols[BTC]?.positionLots;
  const openOrders = (count: number) =>
    eventually(`${count} open orders`, async () => ((await told())?.openOrders === count ? true : undefined));

  before(async () => {
    server = await startRedis();
    redis = await server.client();
    venue = new Venue(redis);
    await redis.set(desiredKey('demo'), JSON.stringify(aFullDocument()));
    folder = podFolder('harmoniser', { ...CONFIG, redisUrl: server.url });
    harmoniser = start();
    let seq = 0;
    feeding = setInterval(() => {
      const signal = aSignal({ symbol: BTC, seq: ++seq, t: now(), edges: [{ edgeBps, confidence: 0.9, t: now() }] });
      redis.xadd(signalsStream(BTC), 'MAXLEN', '~', 100, '*', 'data', JSON.stringify(signal)).catch(() => undefined);
    }, 25);
    let busy = false;
    serving = setInterval(() => {
      if (busy) return;
      busy = true;
      served = venue.serve().finally(() => (busy = false));
    }, 10);
  });
  after(async () => {
    clearInterval(feeding);
    clearInterval(serving);
    await served;
    harmoniser.kill('SIGKILL');
    folder.remove();
    await server.stop();
  });

  it('starts its volatility from daily closes where they come late, instead of the class’s default', async () => {
    const source = async () => (await told())?.symbols[BTC]?.volatility?.source;
    await eventually('the default', async () => ((await source()) === 'ClassDefault' ? true : undefined));
    await redis.set(dailyBarsKey(BTC), 'no bars');
    const today = Math.floor(Date.now() / 86_400_000) * 86_400;
    const closes = Array.from({ length: 90 }, (_, i) => [today - (90 - i) * 86_400, 60_000 * (1 + (i % 2) / 50)]);
    await redis.set(dailyBarsKey(BTC), JSON.stringify({ source: 'binance', closes }));
    await eventually('the closes', async () => ((await source()) === 'DailyBars' ? true : undefined));
    assert.equal((await eventually('a status', told)).symbols['ETH-USD']?.volatility?.source, 'ClassDefault');
  });
  it('asks the venue about every symbol before it sends an order', async () => {
    edgeBps = 60;
    const order = await eventually('an order', () => venue.orders()[0]);
    const before = venue.asked.slice(0, venue.asked.indexOf(order));
    assert.deepEqual(
      new Set(before.map(({ kind, symbol }) => `${kind} ${symbol}`)),
      new Set(SYMBOLS.map((symbol) => `reconcile ${symbol}`)),
    );
    edgeBps = 0;
    await openOrders(1);
    await venue.fill(order);
    await eventually('the position', async () => ((await lots()) === order.lots ? true : undefined));
    await openOrders(0);
    assert.equal((await eventually('a status', told)).flushed, true);
  });
  it('passes over reports and signals that it cannot read, at once and after a crash', async () => {
    const held = await eventually('its position', lots);
    for (const text of [
      '{"seq":',
      '{"seq":1}',
      JSON.stringify({ seq: 9e6, bootId: 'x', symbol: BTC, t: 1, kind: 'dividend' }),
    ])
      await redis.xadd(fillsStream(BTC), '*', 'data', text);
    await redis.xadd(signalsStream(BTC), '*', 'data', '{"features":{}}');
    await venue.tell(BTC, { kind: 'accepted', orderId: 'x' });
    harmoniser.kill('SIGKILL');
    await ended(harmoniser);
    await redis.del(partsKey('demo'));
    const asked = venue.asked.length;
    harmoniser = start();
    assert.equal(await eventually('ready again with its position', lots), held);
    edgeBps = -60;
    const order = await eventually('an order of another boot', () =>
      venue.asked.slice(asked).find(({ kind }) => kind === 'new'),
    );
    assert.ok(venue.asked.slice(asked).some(({ kind }) => kind === 'reconcile'));
    assert.ok(order.kind === 'new' && order.side === 'sell' && order.reduceOnly);
  });
  it('never sent an order id twice', () => {
    const ids = venue.orders().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
