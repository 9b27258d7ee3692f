import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { SystemConfig } from '../contract/system-config.ts';
import { startSimulator, type Simulator } from './server.ts';

const SOURCES = [
  { name: 'sim', type: 'simulator', symbols: { 'BTC-USD': 'BTCUSDT' }, options: { protocol: 'binance' } },
] as unknown as SystemConfig['sources'];

describe('the simulator’s server', () => {
  let simulator: Simulator;
  before(async () => (simulator = await startSimulator({ sources: SOURCES, port: 0, recordingsDir: '/nowhere' })));
  after(() => simulator.stop());
  const get = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://127.0.0.1:${simulator.port}${path}`);
    return { status: response.status, body: await response.text() };
  };
  /** As it stands on the wire: fetch would mend the address. */
  const raw = async (...lines: readonly string[]): Promise<string> => {
    const socket = connect(simulator.port, '127.0.0.1');
    socket.end([...lines, 'Host: x', 'Connection: close', '', ''].join('\r\n'));
    return text(socket);
  };

  it('answers 400 to what is no address, and lives', async () => {
    for (const address of ['//', 'http://', '//[']) {
      assert.match(await raw(`GET ${address} HTTP/1.1`), /^HTTP\/1\.1 400 /, address);
    }
    assert.equal((await get('/sim/api/v3/ping')).status, 200);
  });
  it('ends an upgrade to what is no address, and lives', async () => {
    assert.equal(await raw('GET // HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket'), '');
    assert.equal((await get('/sim/api/v3/ping')).status, 200);
  });
  it('says where its venues are', async () => {
    const { status, body } = await get('/binance/api/v3/ping');
    assert.equal(status, 404);
    assert.match(body, /try \/sim/);
  });
  it('refuses a whole request for the one symbol that it does not know, as Binance does', async () => {
    const { status, body } = await get('/sim/api/v3/exchangeInfo?symbols=["BTCUSDT","NOPE"]');
    assert.equal(status, 400);
    assert.match(body, /-1121/);
  });
});
