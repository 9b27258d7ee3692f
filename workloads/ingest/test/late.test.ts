// A feed that falls behind, though it says something all the time: over real sockets, in every protocol.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { BOOK_FRESH_MS, type Features } from '../../contract/messages.ts';
import type { OpenFeed } from '../open-feed.ts';
import { BINANCE_TIMING, openBinanceFeed } from '../venue/binance/feed.ts';
import { ADVANCED, EXCHANGE } from '../venue/coinbase/apis.ts';
import { COINBASE_TIMING, openCoinbaseFeed } from '../venue/coinbase/feed.ts';
import type { LateTiming } from '../venue/feed-shell.ts';
import { PROTOCOLS, symbolsOf, type Protocol } from './recovery.ts';
import { areValid, MARKET, start, stop, until, type Running } from './running.ts';

const NEVER: LateTiming = { afterMs: 6_000_000, everyMs: 6_000_000 };

const opened = (protocol: Protocol, late: LateTiming): OpenFeed =>
  ((_, options) => protocol === 'binance'
    ? openBinanceFeed(options, { ...BINANCE_TIMING, late })
    : openCoinbaseFeed({ ...options, api: protocol === 'coinbase-exchange' ? EXCHANGE : ADVANCED }, { ...COINBASE_TIMING, late })); // prettier-ignore

async function running(protocol: Protocol, late: LateTiming): Promise<Running> {
  const ingest = await start({ ...MARKET }, { protocol, symbols: symbolsOf(protocol), openFeed: opened(protocol, late) });
  await until('valid books', () => Object.keys(ingest.ingest.status().symbols).length === 2 && areValid(ingest));
  // What is late from the first message on is not known to be.
  await until('updates in time', () => isEach(ingest, ({ frames, lagMs = 999 }) => frames > 10 && lagMs < 200));
  return ingest;
} // prettier-ignore

const ageOf = ({ t, heardAt, lagMs = Number.NaN }: Features): number => t - heardAt + lagMs;
const isEach = ({ features }: Running, is: (last: Features) => boolean): boolean =>
  ['BTC-USD', 'ETH-USD'].every((name) => {
    const last = features.findLast(({ symbol }) => symbol === name);
    return last !== undefined && is(last);
  });
const areLate = (all: Running): boolean => isEach(all, (features) => ageOf(features) > BOOK_FRESH_MS);
const areInTime = (all: Running): boolean => isEach(all, (features) => ageOf(features) < BOOK_FRESH_MS);
const metricOf = async ({ registry }: Running): Promise<number> =>
  Number(/^tradewind_feed_lag_seconds\{source="[^"]+",symbol="BTC-USD"\} (\S+)$/m.exec(await registry.metrics())?.[1]);

for (const protocol of PROTOCOLS) {
  describe(`a feed of ${protocol} that falls behind`, () => {
    let all: Running;
    afterEach(() => stop(all));

    it('by 3 s is late while it lasts, and in time by itself after it', async () => {
      all = await running(protocol, NEVER);
      all.simulator.strike(protocol, { fault: 'slow', delayMs: 3_500, seconds: 6 });
      await until('books late', () => areLate(all));
      await until('a lag', () => isEach(all, ({ lagMs = 0 }) => lagMs > BOOK_FRESH_MS));
      const { sources, symbols } = all.ingest.status();
      assert.ok((sources[0]?.lagMs ?? 0) > BOOK_FRESH_MS && (symbols['BTC-USD']?.lagMs ?? 0) > BOOK_FRESH_MS, JSON.stringify(sources));
      assert.ok((await metricOf(all)) > BOOK_FRESH_MS / 1_000);
      assert.ok(areValid(all), 'they are in sequence all the time');
      await until('books in time', () => areInTime(all) && isEach(all, ({ lagMs = 0 }) => lagMs < 1_000));
      assert.equal(all.ingest.status().sources[0]?.reconnects, 0);
    }); // prettier-ignore

    it('by half a second is traded on, and shown', async () => {
      all = await running(protocol, NEVER);
      all.simulator.strike(protocol, { fault: 'slow', delayMs: 500, seconds: 4 });
      const from = all.features.length;
      await until('a lag', () => isEach(all, ({ lagMs = 0 }) => lagMs > 350));
      await until('none', () => isEach(all, ({ lagMs = Infinity }) => lagMs < 300));
      const oldest = Math.max(...all.features.slice(from).map(ageOf));
      assert.ok(oldest < BOOK_FRESH_MS, `${oldest} ms`);
    });

    it('for good is connected to anew, where what is late is the connection, and known to be in time again', async () => {
      all = await running(protocol, { afterMs: 1_000, everyMs: 6_000_000 });
      all.simulator.strike(protocol, { fault: 'slow', delayMs: 4_000, seconds: 600 });
      await until('books late', () => areLate(all));
      await until('connected anew', () => all.ingest.status().sources[0]?.reconnects === 1);
      // Answers are as late as messages were.
      await until('books in time', () => areValid(all) && areInTime(all));
      if (protocol !== 'binance') return;
      // The new one is as late: it is left alone for a while, and nothing is opened meanwhile.
      all.simulator.strike(protocol, { fault: 'slow', delayMs: 4_000, seconds: 600 });
      await until('books late again', () => isEach(all, ({ lagMs = 0 }) => lagMs > BOOK_FRESH_MS));
      const from = all.features.length;
      await delay(3_000);
      assert.equal(all.ingest.status().sources[0]?.reconnects, 1);
      assert.ok(areLate(all) && all.features.length > from);
    });
  });
}
