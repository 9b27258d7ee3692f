// ccxt's own classes place, query and cancel orders at the simulated venues and read their balances, with nothing but their
// addresses changed; and what venues refuse, they refuse with their own codes.
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AuthenticationError,
  BaseError,
  binance,
  coinbase,
  coinbaseexchange,
  InsufficientFunds,
  type Exchange,
} from 'ccxt';
import type { SystemConfig } from '../../contract/system-config.ts';
import { startSimulator, type Simulator } from '../server.ts';

const PEM = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'pem', type: 'sec1' }).toString(); // prettier-ignore
const base64 = (text: string): string => Buffer.alloc(32, text).toString('base64');
const SECRET = base64('the-secret');
const SECRETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  binance: { key: 'the-key', secret: 'the-secret' },
  'coinbase-exchange': { key: 'the-key', secret: SECRET, passphrase: 'the-phrase' },
  'coinbase-advanced': { name: 'organizations/o/apiKeys/k', privateKey: PEM },
};
const VENUES = {
  binance: { symbol: 'BTC/USDT', quote: 'USDT', id: 'BTCUSDT' },
  'coinbase-exchange': { symbol: 'BTC/USD', quote: 'USD', id: 'BTC-USD' },
  'coinbase-advanced': { symbol: 'BTC/USD', quote: 'USD', id: 'BTC-USD' },
} as const;
type Protocol = keyof typeof VENUES;
/** Coinbase's accounts by the API that orders are of; of no meaning to the others. */
const V3 = { v3: true };

const SOURCES = Object.entries(VENUES).map(([protocol, { id }]) => ({
  name: protocol,
  type: 'simulator',
  symbols: { 'BTC-USD': id },
  options: {
    protocol,
    market: { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30, feeBps: 10 },
  },
})) as unknown as SystemConfig['sources'];

/** The same addresses at the simulator. */
const moved = (urls: unknown, base: string): unknown => {
  if (typeof urls === 'string') return urls.replace(/^https?:\/\/[^/]+/, base);
  return Object.fromEntries(Object.entries(urls as object).map(([name, url]) => [name, moved(url, base)]));
};

describe('orders at the simulated venues, by ccxt', () => {
  let simulator: Simulator;
  let secretsDir: string;
  before(async () => {
    secretsDir = mkdtempSync(join(tmpdir(), 'secrets-'));
    for (const [source, secret] of Object.entries(SECRETS)) {
      mkdirSync(join(secretsDir, source));
      for (const [name, text] of Object.entries(secret)) writeFileSync(join(secretsDir, source, name), text);
    }
    simulator = await startSimulator({ sources: SOURCES, port: 0, recordingsDir: '/nowhere', secretsDir });
  });
  after(async () => {
    await simulator.stop();
    rmSync(secretsDir, { recursive: true });
  });

  const clientOf = (protocol: Protocol, more: object = {}): Exchange => {
    const { key = '', secret = '', passphrase = '', name = '', privateKey = '' } = SECRETS[protocol]!;
    const made = {
      binance: () => new binance({ apiKey: key, secret, options: { fetchMarkets: { types: ['spot'] } }, ...more }),
      'coinbase-exchange': () => new coinbaseexchange({ apiKey: key, secret, password: passphrase, ...more }),
      'coinbase-advanced': () => new coinbase({ apiKey: name, secret: privateKey, ...more }),
    }[protocol]();
    made.has['fetchCurrencies'] = false; // not a trading endpoint
    made.urls['api'] = moved(made.urls['api'], `http://127.0.0.1:${simulator.port}/${protocol}`) as never;
    return made;
  };
  const bestOf = (protocol: Protocol): { bid: number; ask: number } => {
    const { bids, asks } = simulator.book(protocol, VENUES[protocol].id)!;
    return { bid: Number(bids[0]![0]), ask: Number(asks[0]![0]) };
  };

  for (const protocol of Object.keys(VENUES) as Protocol[]) {
    const { symbol, quote } = VENUES[protocol];

    describe(protocol, () => {
      it('takes from the book at once, and the balance pays for it, fee included', async () => {
        const client = clientOf(protocol);
        const before = await client.fetchBalance(V3);
        const placed = await client.createOrder(symbol, 'limit', 'buy', 0.5, Math.round(bestOf(protocol).ask * 1.01));
        const order = await client.fetchOrder(placed.id!, symbol);
        assert.deepEqual([order.status, order.filled, order.remaining, order.side], ['closed', 0.5, 0, 'buy']);
        // Its limit is 1 % away, the market since then less.
        assert.ok(Math.abs(order.average! / bestOf(protocol).ask - 1) < 5e-3, `at ${order.average}`);
        const after = await client.fetchBalance(V3);
        const [paid, got] = [before[quote]!.free! - after[quote]!.free!, after['BTC']!.free! - before['BTC']!.free!];
        const isReceived = protocol === 'binance';
        assert.ok(Math.abs(paid - order.cost! * (isReceived ? 1 : 1.001)) < 1e-6, `paid ${paid}`);
        assert.ok(Math.abs(got - (isReceived ? 0.5 * 0.999 : 0.5)) < 1e-9, `got ${got}`);
        assert.equal(after[quote]!.used, 0, 'nothing is held for what is done');
      });
      it('rests what it cannot fill, holds its money, and gives it back when it is cancelled', async () => {
        const client = clientOf(protocol);
        const before = await client.fetchBalance(V3);
        const price = Math.round(bestOf(protocol).bid * 0.9);
        const { id } = await client.createOrder(symbol, 'limit', 'buy', 0.1, price);
        const held = (await client.fetchBalance(V3))[quote]!.used!;
        assert.ok(held >= 0.1 * price && held < 0.1 * price * 1.0011, `${held}`);
        assert.equal((await client.fetchOrder(id!, symbol)).status, 'open');
        assert.deepEqual((await client.fetchOpenOrders(symbol)).map((order) => order.id), [id]); // prettier-ignore
        await client.cancelOrder(id!, symbol);
        const order = await client.fetchOrder(id!, symbol);
        assert.deepEqual([order.status, order.filled], ['canceled', 0]);
        assert.deepEqual((await client.fetchBalance(V3))[quote], before[quote]);
        await assert.rejects(client.cancelOrder(id!, symbol));
      });
      it('sells at the market', async () => {
        const client = clientOf(protocol);
        const { id } = await client.createOrder(symbol, 'market', 'sell', 0.2);
        const order = await client.fetchOrder(id!, symbol);
        assert.deepEqual([order.status, order.filled, order.type], ['closed', 0.2, 'market']);
      });
      it('refuses what the account cannot pay, and a price that is none, with its own codes', async () => {
        const client = clientOf(protocol);
        const { bid } = bestOf(protocol);
        await assert.rejects(client.createOrder(symbol, 'limit', 'buy', 90, Math.round(bid)), InsufficientFunds);
        await assert.rejects(client.createOrder(symbol, 'limit', 'sell', 0.00001, 1), BaseError);
      });
      it('refuses all orders of a market that is halted, as the venue does, and cancels what rests', async () => {
        const client = clientOf(protocol);
        const { id } = await client.createOrder(symbol, 'limit', 'buy', 0.1, Math.round(bestOf(protocol).bid * 0.9));
        simulator.strike(protocol, { fault: 'halt', seconds: 600 });
        const told = { binance: /Market is closed/, 'coinbase-exchange': /Trading is disabled/, 'coinbase-advanced': /ORDER_ENTRY_DISABLED/ }[protocol]; // prettier-ignore
        await assert.rejects(client.createOrder(symbol, 'market', 'sell', 0.01), told);
        await client.cancelOrder(id!, symbol);
        simulator.strike(protocol, { fault: 'halt', seconds: 0 });
        await client.createOrder(symbol, 'market', 'sell', 0.01);
      });
      it('lets nobody in with another key', async () => {
        const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
        const secret =
          protocol === 'coinbase-advanced'
            ? other.export({ format: 'pem', type: 'sec1' }).toString()
            : base64('another');
        await assert.rejects(clientOf(protocol, { secret }).fetchBalance(V3), BaseError);
        await assert.rejects(
          clientOf(protocol, { apiKey: 'organizations/o/apiKeys/x' }).fetchBalance(V3),
          AuthenticationError,
        );
      });
    });
  }

  /** Signed as Binance's documentation has it, by nothing of ccxt's. */
  const signed = async (
    method: string,
    path: string,
    params: Record<string, string>,
    wrong: { at?: number; secret?: string; key?: string } = {},
  ) => {
    const query = new URLSearchParams({ ...params, timestamp: String(Date.now() + (wrong.at ?? 0)) }).toString();
    const signature = createHmac('sha256', wrong.secret ?? 'the-secret')
      .update(query)
      .digest('hex');
    const response = await fetch(`http://127.0.0.1:${simulator.port}/binance${path}?${query}&signature=${signature}`, {
      method,
      headers: { 'X-MBX-APIKEY': wrong.key ?? 'the-key' },
    });
    return {
      status: response.status,
      body: (await response.json()) as {
        code?: number;
        msg?: string;
        status?: string;
        orderId: number;
        executedQty: string;
      },
    };
  };
  const LIMIT = {
    symbol: 'BTCUSDT',
    side: 'BUY',
    type: 'LIMIT',
    timeInForce: 'GTC',
    quantity: '0.01',
    price: '50000.00',
  };
  const POST = ['POST', '/api/v3/order'] as const;
  const TEST = ['POST', '/api/v3/order/test'] as const;

  for (const [what, params, code] of [
    ['a price between two ticks', { price: '50000.001' }, -1013],
    ['a price that is no number', { price: '5e4' }, -1100],
    ['a size between two steps', { quantity: '0.000001' }, -1013],
    ['a size of nothing', { quantity: '0.00000' }, -1013],
    ['less money than it takes', { quantity: '0.00001' }, -1013],
    ['an unknown symbol', { symbol: 'NOPE' }, -1121],
    ['an unknown side', { side: 'HOLD' }, -1117],
    ['an unknown type', { type: 'STOP' }, -1116],
    ['an unknown time in force', { timeInForce: 'GTX' }, -1115],
    ['more than the account has', { quantity: '100' }, -2010],
    ['an order that must not take, and would', { type: 'LIMIT_MAKER', price: '99999.00' }, -2010],
  ] as const) {
    it(`Binance refuses ${what}: ${code}`, async () => {
      const { status, body } = await signed(...POST, { ...LIMIT, ...params });
      assert.deepEqual([status, body.code], [400, code], body.msg);
    });
  }
  it('Binance refuses what is not signed, late, or early: −2015, −1022, −1021, −1131', async () => {
    const codeOf = async (params: object, wrong: object): Promise<number | undefined> =>
      (await signed(...TEST, { ...LIMIT, ...params }, wrong)).body.code;
    assert.equal(await codeOf({}, { key: 'x' }), -2015);
    assert.equal(await codeOf({}, { secret: 'x' }), -1022);
    assert.equal(await codeOf({}, { at: -6_000 }), -1021);
    assert.equal(await codeOf({ recvWindow: '10000' }, { at: -6_000 }), undefined);
    assert.equal(await codeOf({}, { at: 5_000 }), -1021);
    assert.equal(await codeOf({ recvWindow: '60001' }, {}), -1131);
  });
  it('Binance places nothing for a test, knows an order by its client id, and −2013, −2011 where there is none', async () => {
    assert.deepEqual((await signed('POST', '/api/v3/order/test', LIMIT)).body, {});
    const { orderId } = (await signed(...POST, { ...LIMIT, newClientOrderId: 'mine' })).body;
    const by = { symbol: 'BTCUSDT', origClientOrderId: 'mine' };
    assert.equal((await signed('GET', '/api/v3/order', by)).body.orderId, orderId);
    assert.equal((await signed(...POST, { ...LIMIT, newClientOrderId: 'mine' })).body.code, -2010);
    assert.equal((await signed('DELETE', '/api/v3/order', by)).body.status, 'CANCELED');
    assert.equal((await signed('DELETE', '/api/v3/order', by)).body.code, -2011);
    assert.equal((await signed('GET', '/api/v3/order', { symbol: 'BTCUSDT', orderId: '999999' })).body.code, -2013);
  });
});
