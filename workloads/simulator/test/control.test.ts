// Faults are asked for at a port of its own, over real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { SystemConfig } from '../../contract/system-config.ts';
import { startSimulator, type Simulator } from '../server.ts';

const SOURCES = [
  ['sim', 'binance', { 'BTC-USD': 'BTCUSDT' }],
  ['cb', 'coinbase-advanced', { 'BTC-USD': 'BTC-USD' }],
].map(([name, protocol, symbols]) => ({
  name,
  type: 'simulator',
  symbols,
  options: { protocol },
})) as unknown as SystemConfig['sources'];

describe('the simulator’s control port', () => {
  let simulator: Simulator;
  before(
    async () =>
      (simulator = await startSimulator({ sources: SOURCES, port: 0, controlPort: 0, recordingsDir: '/nowhere' })),
  );
  after(() => simulator.stop());

  const ask = async (path: string, body?: string, method = 'POST'): Promise<{ status: number; body: never }> => {
    const response = await fetch(`http://127.0.0.1:${simulator.controlPort}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: (await response.json()) as never };
  };

  it('does what it is asked, and says to how many', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${simulator.port}/sim/ws/btcusdt@trade`);
    client.on('error', () => undefined);
    await once(client, 'open');
    const { status, body } = await ask('/sim/faults', '{"fault":"reset"}');
    assert.deepEqual([status, body], [200, { source: 'sim', fault: 'reset', connections: 1 }]);
    await once(client, 'close');
    assert.equal(simulator.stats()['sim']?.struck.reset, 1);
  });
  it('halts a market: its status says so, and it says nothing more', async () => {
    const statusOf = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${simulator.port}${path}`)).text(); // prettier-ignore
    const binance = '/sim/api/v3/exchangeInfo?symbol=BTCUSDT';
    const coinbase = '/cb/api/v3/brokerage/market/products/BTC-USD';
    assert.match(await statusOf(binance), /"status":"TRADING"/);
    assert.equal((await ask('/sim/faults', '{"fault":"halt","symbol":"BTCUSDT","seconds":60}')).status, 200);
    assert.equal((await ask('/cb/faults', '{"fault":"halt","seconds":60}')).status, 200);
    assert.match(await statusOf(binance), /"status":"BREAK"/);
    assert.match(await statusOf(coinbase), /"trading_disabled":true/);
    const id = simulator.book('sim', 'BTCUSDT')!.lastUpdateId;
    await delay(300);
    assert.equal(simulator.book('sim', 'BTCUSDT')!.lastUpdateId, id);
    await ask('/sim/faults', '{"fault":"halt","seconds":0}');
    assert.match(await statusOf(binance), /"status":"TRADING"/);
  });
  it('lets nobody in, and answers 429, as long as it was asked', async () => {
    const venue = `http://127.0.0.1:${simulator.port}/sim/api/v3/ping`;
    await ask('/sim/faults', '{"fault":"refuse","seconds":60}');
    await assert.rejects(fetch(venue));
    await ask('/sim/faults', '{"fault":"refuse","seconds":0}');
    await ask('/sim/faults', '{"fault":"limit","seconds":60}');
    const response = await fetch(venue);
    assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '60']);
    const client = new WebSocket(`ws://127.0.0.1:${simulator.port}/sim/ws/btcusdt@trade`);
    const [error] = (await once(client, 'error')) as [Error];
    assert.match(error.message, /429/);
    await ask('/sim/faults', '{"fault":"limit","seconds":0}');
    assert.equal((await fetch(venue)).status, 200);
  });
  it('refuses what it cannot do, with field, found and expected', async () => {
    assert.deepEqual(await ask('/sim/faults', '{"fault":"gap","count":0}'), {
      status: 400,
      body: { field: 'count', found: '0', expected: 'a whole number in 1 … 10000' },
    });
    for (const [path, body, method, status, field] of [
      ['/sim/faults', '{', 'POST', 400, 'body'],
      ['/cb/faults', '{"fault":"shutdown"}', 'POST', 400, 'fault'],
      ['/sim/faults', `"${'x'.repeat(5_000)}"`, 'POST', 413, 'body'],
      ['/nope/faults', '{}', 'POST', 404, 'address'],
      ['/sim', '{}', 'POST', 404, 'address'],
      ['/sim/faults', undefined, 'GET', 405, 'method'],
    ] as const) {
      const found = (await ask(path, body, method)) as unknown as { status: number; body: { field: string } };
      assert.deepEqual([found.status, found.body.field], [status, field], `${method} ${path}`);
    }
  });
  it('shows the venues, and is not where they are', async () => {
    const { body } = await ask('/', undefined, 'GET');
    assert.deepEqual(Object.keys((body as { venues: object }).venues), ['sim', 'cb']);
    const response = await fetch(`http://127.0.0.1:${simulator.port}/sim/faults`, {
      method: 'POST',
      body: '{"fault":"reset"}',
    });
    assert.equal(response.status, 404);
  });
  it('is not reached from another machine', async function () {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.internal === false && one.family === 'IPv4');
    if (outside === undefined) return this.skip();
    const socket = connect(simulator.controlPort, outside.address);
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    return undefined;
  });
});
