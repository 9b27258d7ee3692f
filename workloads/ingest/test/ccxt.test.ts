// Ingest by ccxt, unchanged but for its addresses, against the simulator: WebSocket, polling, and faults, over real sockets.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { WebSocketServer } from 'ws';
import type { Depth } from '../../simulator/player.ts';
import { topLevels } from '../book.ts';
import { CCXT_TIMING, openCcxtFeed } from '../venue/ccxt/feed.ts';
import type { CcxtTiming } from '../venue/ccxt/messages.ts';
import { openFeed, type OpenFeed } from '../open-feed.ts';
import { gapsOf, ingestOn, start, startVenue, stop, until, type Running, MARKET } from './running.ts';

const BINANCE = { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' };
const COINBASE = { 'BTC-USD': 'BTC-USD', 'ETH-USD': 'ETH-USD' };
const TIMING: CcxtTiming = {
  ...CCXT_TIMING,
  firstRetryMs: 50,
  slowestRetryMs: 200,
  dialEveryMs: 50,
  silence: { silentMs: 1_500, everyMs: 2_000, graceMs: 1_500 },
};

const sourceOf = (exchange: string, quote: string) => (url: string) => ({
  name: 'any',
  type: 'ccxt',
  symbols: { 'BTC-USD': `BTC/${quote}`, 'ETH-USD': `ETH/${quote}` },
  url,
  options: { exchange },
});
const status = ({ ingest }: Running) => ingest.status();
const isValid = (running: Running, symbol: string): boolean => status(running).symbols[symbol]?.valid === true;
const areBothValid = (running: Running): boolean => ['BTC-USD', 'ETH-USD'].every((symbol) => isValid(running, symbol));
const malformed = async ({ registry }: Running): Promise<number> =>
  Number(/^tradewind_malformed_frames_total\{[^}]*\} (\S+)$/m.exec(await registry.metrics())?.[1]);

/** Whether our best levels are the venue's, in ticks and lots: exactly, through ccxt's floating point. */
function isVenues({ ingest, simulator }: Running, protocol: string, symbol: string, venueSymbol: string): boolean {
  const market = ingest.shard.markets.get(symbol);
  const depth = simulator.book(protocol, venueSymbol);
  if (market === undefined || depth === undefined) return false;
  const { priceScale, quantityScale } = market.listing.instrument;
  const asked = (levels: Depth['bids']): number[] =>
    levels
      .slice(0, 10)
      .flatMap(([p, q]) => [Math.round(Number(p) * priceScale), Math.round(Number(q) * quantityScale)]);
  const ours = (side: 'bids' | 'asks') => topLevels(market.book[side], 10);
  return JSON.stringify([ours('bids'), ours('asks')]) === JSON.stringify([asked(depth.bids), asked(depth.asks)]);
}

for (const [protocol, exchange, symbols, quote] of [
  ['binance', 'binance', BINANCE, 'USDT'],
  ['coinbase-advanced', 'coinbase', COINBASE, 'USD'],
  // Its WebSocket books want a login: ccxt polls it.
  ['coinbase-exchange', 'coinbaseexchange', COINBASE, 'USD'],
] as const) {
  describe(`ingest by ccxt on ${exchange}`, () => {
    let running: Running;
    beforeEach(async () => {
      running = await start(MARKET, { protocol, symbols, source: sourceOf(exchange, quote) });
      await until('valid books', () => areBothValid(running));
    });
    afterEach(() => stop(running));

    it('says of each trade that the venue’s own adapter says: price, size, time, and who took', async () => {
      const heard = { own: new Map<string, boolean>(), ccxt: new Map<string, boolean>() };
      const listening =
        (to: Map<string, boolean>): OpenFeed =>
        (source, options, dir) =>
          openFeed(
            source,
            {
              ...options,
              emit: (event) => {
                if (event.kind === 'frame' && event.frame.kind === 'trade') {
                  const { symbol, ticks, lots, venueAt, sellerTook } = event.frame;
                  to.set(`${symbol} ${ticks} ${lots} ${venueAt}`, sellerTook);
                }
                options.emit(event);
              },
            },
            dir,
          );
      const own = ingestOn(running.simulator, MARKET, { protocol, symbols, openFeed: listening(heard.own) });
      const more = { protocol, symbols, source: sourceOf(exchange, quote), openFeed: listening(heard.ccxt) };
      const other = ingestOn(running.simulator, MARKET, more);
      try {
        const both = (): string[] => [...heard.own.keys()].filter((key) => heard.ccxt.has(key));
        await until('trades of both sides', () => new Set(both().map((key) => heard.own.get(key))).size === 2 && both().length > 8); // prettier-ignore
        for (const key of both()) assert.equal(heard.ccxt.get(key), heard.own.get(key), key);
      } finally {
        own.ingest.stop();
        other.ingest.stop();
      }
    });

    it('has the venue’s books in integers, counts trades, and finds nothing wrong', async () => {
      await until('trades', () => (running.features.findLast(({ symbol }) => symbol === 'BTC-USD')?.trades ?? 0) > 5);
      const btc = running.features.findLast(({ symbol }) => symbol === 'BTC-USD');
      assert.ok(btc !== undefined && btc.valid && btc.spreadBps > 0.1 && btc.spreadBps < 0.5, JSON.stringify(btc));
      for (const [symbol, venueSymbol] of Object.entries(symbols))
        await until(`${symbol} as the venue has it`, () => isVenues(running, protocol, symbol, venueSymbol));
      assert.deepEqual([gapsOf(running), await malformed(running)], [0, 0]);
      assert.deepEqual(status(running).sources[0]?.reconnects, 0);
    });
  });
}

describe('ingest by ccxt when things go wrong', () => {
  let running: Running;
  beforeEach(async () => {
    running = await start(MARKET, {
      symbols: BINANCE,
      source: sourceOf('binance', 'USDT'),
      openFeed: (_, options) => openCcxtFeed({ ...options, exchange: 'binance' }, TIMING),
    });
    await until('valid books', () => areBothValid(running));
  });
  afterEach(() => stop(running));
  const isWell = () =>
    until('valid again', () => areBothValid(running) && isVenues(running, 'binance', 'BTC-USD', 'BTCUSDT'));

  it('is out and back by itself when the venue cuts it', async () => {
    running.simulator.strike('binance', { fault: 'cut' });
    await until('both lost', () => status(running).sources[0]?.reconnects === 2);
    await isWell();
    assert.equal(gapsOf(running), 0);
  });

  it('finds a book whose stream went dead', async () => {
    running.simulator.strike('binance', { fault: 'mute', stream: 'ethusdt@depth@100ms' });
    // Not by whether it is out, which may be over before anybody looks.
    await until('ETH found dead', () => gapsOf(running) > 0);
    await isWell();
    assert.equal(gapsOf(running), 1);
  });

  it('counts garbage and lives', async () => {
    running.simulator.strike('binance', { fault: 'garbage', of: 'depth', symbol: 'BTCUSDT', count: 2 });
    while ((await malformed(running)) < 2) await delay(20);
    await isWell();
  });

  it('comes back from updates that were lost', async () => {
    running.simulator.strike('binance', { fault: 'gap', of: 'depth', count: 30 });
    await delay(2_000);
    await isWell();
  });
});

describe('ingest by ccxt on an exchange that is away at the start', () => {
  it('has its books when that is back, by itself', async () => {
    const simulator = await startVenue(MARKET);
    simulator.strike('binance', { fault: 'refuse', seconds: 2 });
    const running = ingestOn(simulator, MARKET, {
      source: sourceOf('binance', 'USDT'),
      openFeed: (_, options) => openCcxtFeed({ ...options, exchange: 'binance' }, TIMING),
    });
    try {
      await until('a reason', () => /listings not read/.test(status(running).sources[0]?.reason ?? ''));
      await until('valid books', () => areBothValid(running));
    } finally {
      await stop(running);
    }
  });
});

describe('ingest by ccxt on an exchange that is not there', () => {
  it('says so, and goes on', async () => {
    const running = await start(MARKET, { symbols: BINANCE, source: sourceOf('nowhere', 'USDT') });
    try {
      await until('a reason', () => /ccxt has no exchange nowhere/.test(status(running).sources[0]?.reason ?? ''));
      assert.ok(!isValid(running, 'BTC-USD'));
    } finally {
      await stop(running);
    }
  });
});

describe('ingest by ccxt on a venue that closes each connection as soon as it is made', () => {
  // ccxt then sends on a closing socket and looks at no answer: by Node's rules that ends whoever runs it.
  it('lives, says so, and starts ccxt again and again', async () => {
    let dials = 0;
    const filters = [
      { filterType: 'PRICE_FILTER', tickSize: '0.01' },
      { filterType: 'LOT_SIZE', stepSize: '0.001', minQty: '0.001' },
    ];
    const pair = { symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT', filters };
    const http = createServer((_, response) => response.end(JSON.stringify({ symbols: [pair] })));
    new WebSocketServer({ server: http }).on('connection', (socket) => {
      dials += 1;
      socket.on('error', () => undefined); // what comes on a closing socket
      socket.close(1_008);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
    const events: string[] = [];
    const feed = openCcxtFeed(
      {
        source: 'any',
        exchange: 'binance',
        endpoints: { ws: `ws://${host}`, rest: `http://${host}` },
        symbols: new Map([['BTC/USDT', 'BTC-USD']]),
        shards: 1,
        now: () => performance.now(),
        random: Math.random,
        log: pino({ level: 'silent' }),
        emit: ({ kind }) => events.push(kind),
        onMalformed: () => undefined,
      },
      TIMING,
    );
    try {
      const reasons = new Set<string>();
      const look = (): boolean => {
        reasons.add(feed.status().reason ?? '');
        return dials > 5 && [...reasons].some((reason) => reason.startsWith('ccxt ended: WebSocket is not open'));
      };
      await until('a thread that ended, and others after it', look);
      assert.deepEqual(events, ['listed']);
    } finally {
      feed.stop();
      http.closeAllConnections();
      http.close();
    }
  });
});
