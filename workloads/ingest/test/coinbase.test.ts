// Ingest against the simulator in both of Coinbase's protocols, over real sockets: the synthetic market, faults, and a recording.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { ADVANCED, EXCHANGE } from '../venue/coinbase/apis.ts';
import { COINBASE_TIMING, openCoinbaseFeed, type CoinbaseTiming } from '../venue/coinbase/feed.ts';
import { isVenues, levelsOf } from './books.ts';
import { areValid, gapsOf, start, stop, until, type Running, MARKET, untilTradesAreBack } from './running.ts';

const RECORDINGS =
  process.env['RECORDINGS'] || join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'recordings');
const FILE = 'coinbase-exchange-20210417.gz';
const PRODUCTS = { 'BTC-USD': 'BTC-USD', 'ETH-USD': 'ETH-USD' };
const TIMING: CoinbaseTiming = {
  ...COINBASE_TIMING,
  stallMs: 4_000,
  firstRetryMs: 50,
  slowestRetryMs: 200,
  silence: { silentMs: 600, everyMs: 1_000, graceMs: 1_000 },
  trades: { silentMs: 2_500, everyMs: 5_000, graceMs: 2_200 },
};
const APIS = [
  ['coinbase-exchange', EXCHANGE, 'level2_batch', ['matches']],
  ['coinbase-advanced', ADVANCED, 'level2', ['market_trades']],
] as const;

for (const [protocol, api, bookChannel, tradeChannels] of APIS) {
  describe(`ingest on ${protocol}`, () => {
    let running: Running;
    let btcWasOut: boolean;
    beforeEach(async () => {
      running = await start(MARKET, {
        protocol,
        symbols: PRODUCTS,
        openFeed: (_, options) => openCoinbaseFeed({ ...options, api }, TIMING),
      });
      await until('valid books', () => Object.keys(symbols()).length === 2 && areValid(running));
      btcWasOut = false;
    });
    afterEach(() => stop(running));
    const symbols = () => running.ingest.status().symbols;
    /** Not by whether it is out, which may be over before anybody looks. Gaps before were none. */
    const untilEthIsBack = async (): Promise<void> => {
      const watching = setInterval(() => (btcWasOut ||= symbols()['BTC-USD']?.valid !== true), 5);
      try {
        await until('ETH found dead', () => gapsOf(running) > 0);
        await until('ETH back', () => symbols()['ETH-USD']?.valid === true);
      } finally {
        clearInterval(watching);
      }
    };
    const malformed = async (): Promise<number> => {
      const metrics = await running.registry.metrics();
      return Number(/^tradewind_malformed_frames_total\{[^}]*\} (\S+)$/m.exec(metrics)?.[1]);
    };
    /** Waits until the venue's own book, asked for whole, is ours. */
    const hasTheVenuesBooks = () =>
      until(
        'the venue’s books',
        () => areValid(running) && Object.keys(PRODUCTS).every((one) => isVenues(running, protocol, one)),
      );

    it('has valid books whose numbers are the market’s, counts its trades, and finds no gap', async () => {
      await until('some trades', () => (running.features.at(-1)?.trades ?? 0) > 5);
      const btc = running.features.findLast(({ symbol }) => symbol === 'BTC-USD');
      assert.ok(btc !== undefined && btc.valid && btc.spreadBps > 0.1 && btc.spreadBps < 0.5, JSON.stringify(btc));
      assert.ok(Math.abs(btc.mid / 61_800 - 1) < 0.05);
      assert.deepEqual([gapsOf(running), await malformed()], [0, 0]);
      await hasTheVenuesBooks();
    });

    const reconnects = (): number | undefined => running.ingest.status().sources[0]?.reconnects;

    it('is out and back by itself when the venue cuts it', async () => {
      running.simulator.strike(protocol, { fault: 'cut' });
      // Not by whether the books are out, which may be over before anybody looks.
      await until('another connection', () => reconnects() === 1);
      await until('valid again', () => areValid(running));
      await hasTheVenuesBooks();
      assert.equal(gapsOf(running), 0);
    });

    it('finds a connection that is silent, and makes another', async () => {
      running.simulator.strike(protocol, { fault: 'stall', seconds: 60 });
      await until('another connection', () => reconnects() === 1);
      await until('valid again', () => areValid(running));
      await hasTheVenuesBooks();
    });

    it('finds a book whose stream went dead, and asks for that one anew while the other goes on', async () => {
      running.simulator.strike(protocol, { fault: 'mute', stream: `${bookChannel}:ETH-USD` });
      await untilEthIsBack();
      assert.ok(!btcWasOut, 'the other book was out as well');
      assert.deepEqual([gapsOf(running), running.ingest.status().sources[0]?.reconnects], [1, 0]);
      await hasTheVenuesBooks();
    });

    it('finds trades whose stream went dead by asking the venue, counts them, and has them again, while the books go on', async () => {
      const { booksWereOut } = await untilTradesAreBack(running, () => {
        for (const channel of tradeChannels)
          running.simulator.strike(protocol, { fault: 'mute', stream: `${channel}:ETH-USD` });
      });
      assert.deepEqual([booksWereOut, running.ingest.status().sources[0]?.reconnects], [false, 0]);
    });

    it('finds it also where no trade tells, by comparing with the venue’s own', async () => {
      for (const channel of [bookChannel, ...tradeChannels])
        running.simulator.strike(protocol, { fault: 'mute', stream: `${channel}:ETH-USD` });
      await untilEthIsBack();
      assert.ok(!btcWasOut, 'the other book was out as well');
      await hasTheVenuesBooks();
    });

    it('comes back from updates of a book that were lost', async () => {
      running.simulator.strike(protocol, { fault: 'gap', of: 'depth', count: 30 });
      await until('a gap', () => gapsOf(running) > 0);
      await hasTheVenuesBooks();
      assert.equal(running.ingest.status().sources[0]?.reconnects, 0);
    });

    it('counts garbage, asks for the books that it may have been of, and lives', async () => {
      running.simulator.strike(protocol, { fault: 'garbage', of: 'depth', symbol: 'BTC-USD', count: 1 });
      await until('a gap', () => gapsOf(running) >= 2);
      await hasTheVenuesBooks();
      assert.deepEqual([await malformed(), running.ingest.status().sources[0]?.reconnects], [1, 0]);
    });
  });
}

describe('ingest on coinbase-exchange', () => {
  it('counts trades that never came, also where none follows', async () => {
    const running = await start(MARKET, { protocol: 'coinbase-exchange', symbols: PRODUCTS });
    try {
      await until('trades', () => (running.ingest.shard.markets.get('BTC-USD')?.trades ?? 0) > 0);
      running.simulator.strike('coinbase-exchange', { fault: 'gap', of: 'trade', count: 4 });
      await until('missed trades', () => gapsOf(running) > 0);
      assert.ok(areValid(running), 'trades are no reason to lose a book');
    } finally {
      await stop(running);
    }
  });

  it('names what the venue does not know, and serves the rest', async () => {
    const more = { protocol: 'coinbase-exchange', symbols: PRODUCTS, alsoWanted: { 'DOGE-USD': 'NOPE-USD' } };
    const running = await start(MARKET, more);
    try {
      await until('two books', () => Object.keys(running.ingest.status().symbols).length === 2 && areValid(running));
      assert.match(running.ingest.status().sources[0]?.reason ?? '', /NOPE-USD is not known/);
    } finally {
      await stop(running);
    }
  });
});

const LIVELY = ['SKL-USD', 'NMR-EUR', 'DASH-BTC', 'BAND-BTC'] as const;

describe('ingest on the recording of Coinbase Exchange', () => {
  for (const [protocol] of APIS) {
    it(`ends with the books and trades of an independent reading, as ${protocol}`, async function () {
      if (!existsSync(join(RECORDINGS, FILE))) return this.skip();
      const dir = mkdtempSync(join(tmpdir(), 'recordings-'));
      mkdirSync(join(dir, protocol));
      symlinkSync(join(RECORDINGS, FILE), join(dir, protocol, FILE));
      const symbols = Object.fromEntries(LIVELY.map((product) => [product, product]));
      const files = Object.fromEntries(LIVELY.map((product) => [product, FILE]));
      const running = await start(
        { recording: { claimName: 'recordings', files, speed: 0, loop: false } },
        { protocol, symbols, recordingsDir: dir },
      );
      try {
        const expected = Object.fromEntries(LIVELY.map((product) => [product, replay(product)]));
        const isRead = (product: string): boolean => {
          const market = running.ingest.shard.markets.get(product);
          const wanted = expected[product];
          if (market?.sync.phase !== 'Following') return false;
          return market.trades === wanted?.trades && market.sync.changes >= wanted.updates;
        };
        await until('every trade and update', () => LIVELY.every(isRead));
        await delay(500);
        for (const product of LIVELY) {
          const market = running.ingest.shard.markets.get(product)!;
          const { priceScale, quantityScale } = market.listing.instrument;
          const { trades, updates, volume, bids, asks } = expected[product]!;
          const inUnits = (levels: readonly Pair[]): Pair[] =>
            levels.map(([price, size]) => [Math.round(price * priceScale), Math.round(size * quantityScale)]);
          assert.deepEqual(levelsOf(market.book), { bids: inUnits(bids), asks: inUnits(asks) }, product);
          assert.deepEqual(
            [market.trades, market.sync.phase === 'Following' && market.sync.changes, market.valid],
            [trades, updates, true],
          );
          assert.equal(market.tradedLots, Math.round(volume * quantityScale));
        }
        assert.equal(gapsOf(running), 0);
      } finally {
        await stop(running);
        rmSync(dir, { recursive: true });
      }
      return undefined;
    });
  }
});

type Pair = [price: number, size: number];

/** The book by the rules of the venue's documentation and nothing of ours: snapshot, then absolute sizes. */
function replay(product: string) {
  const sides = { buy: new Map<number, number>(), sell: new Map<number, number>() };
  let [trades, updates, volume] = [0, 0, 0];
  for (const line of gunzipSync(readFileSync(join(RECORDINGS, FILE)))
    .toString()
    .split('\n')) {
    const at = line.indexOf(': {');
    if (at < 0 || line.startsWith('wss')) continue;
    const frame = JSON.parse(line.slice(at + 2)) as {
      type: string;
      product_id: string;
      size: string;
      bids: [string, string][];
      asks: [string, string][];
      changes: ['buy' | 'sell', string, string][];
    };
    if (frame.product_id !== product) continue;
    if (frame.type === 'match') [trades, volume] = [trades + 1, volume + Number(frame.size)];
    if (frame.type === 'snapshot') {
      for (const [price, size] of frame.bids) sides.buy.set(Number(price), Number(size));
      for (const [price, size] of frame.asks) sides.sell.set(Number(price), Number(size));
    }
    if (frame.type !== 'l2update') continue;
    updates += 1;
    for (const [side, price, size] of frame.changes) sides[side].set(Number(price), Number(size));
  }
  const levels = (side: Map<number, number>, sign: number): Pair[] =>
    [...side].filter(([, size]) => size > 0).sort(([a], [b]) => sign * (a - b));
  return { trades, updates, volume, bids: levels(sides.buy, -1), asks: levels(sides.sell, 1) };
}
