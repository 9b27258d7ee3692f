// Faults that leave the connection alive: a stream that goes dead, a symbol that the venue does not know.
import assert from 'node:assert/strict';
import { BINANCE_TIMING, openBinanceFeed, type BinanceTiming } from '../venue/binance/feed.ts';
import { areValid, gapsOf, start, stop, until, type Running, MARKET, untilTradesAreBack } from './running.ts';

const TIMING: BinanceTiming = {
  ...BINANCE_TIMING,
  overlapMs: 300,
  silence: { silentMs: 600, everyMs: 2_000, graceMs: 1_000 },
  trades: { silentMs: 2_500, everyMs: 5_000, graceMs: 2_200 },
};

describe('a stream that goes dead on a connection that lives', () => {
  let running: Running;
  let btcWasOut: boolean;
  beforeEach(async () => {
    running = await start(MARKET, { openFeed: (_, options) => openBinanceFeed(options, TIMING) });
    await until('valid books', () => Object.keys(symbols()).length === 2 && areValid(running));
    btcWasOut = false;
  });
  afterEach(() => stop(running));
  const symbols = () => running.ingest.status().symbols;

  for (const [what, streams] of [
    ['the depth stream of one symbol', ['depth@100ms']],
    ['all streams of one symbol', ['depth@100ms', 'bookTicker', 'trade']],
  ] as const) {
    it(`takes out that book and brings it back by itself: ${what}`, async () => {
      for (const stream of streams) running.simulator.strike('binance', { fault: 'mute', stream: `ethusdt@${stream}` });
      const watching = setInterval(() => (btcWasOut ||= symbols()['BTC-USD']?.valid !== true), 5);
      // Not by whether it is out, which may be over before anybody looks.
      await until('ETH found dead', () => gapsOf(running) > 0);
      await until('ETH back', () => symbols()['ETH-USD']?.valid === true);
      clearInterval(watching);
      assert.ok(!btcWasOut, 'the other book was out as well');
      // Trades that did not come in that time are one more.
      const most = streams.some((stream) => stream === 'trade') ? 2 : 1;
      assert.ok(gapsOf(running) >= 1 && gapsOf(running) <= most, `${gapsOf(running)} gaps`);
      const [source] = running.ingest.status().sources;
      assert.equal(source?.connected, true);
    });
  }
});

describe('trades whose stream goes dead while the book lives', () => {
  it('are found by asking the venue, counted, and there again, while the books go on', async () => {
    const running = await start(MARKET, { openFeed: (_, options) => openBinanceFeed(options, TIMING) });
    try {
      await until('valid books', () => running.ingest.shard.markets.size === 2 && areValid(running));
      const { booksWereOut } = await untilTradesAreBack(running, () =>
        running.simulator.strike('binance', { fault: 'mute', stream: 'ethusdt@trade' }),
      );
      assert.equal(booksWereOut, false);
    } finally {
      await stop(running);
    }
  });
});

describe('a symbol that the venue does not know', () => {
  it('costs the others nothing, is named, and shows an age that grows', async () => {
    const running = await start(MARKET, { alsoWanted: { 'DOGE-USD': 'NOPEUSDT' } });
    try {
      await until('two books', () => Object.keys(running.ingest.status().symbols).length === 2 && areValid(running));
      assert.match(running.ingest.status().sources[0]?.reason ?? '', /NOPEUSDT is not known/);
      const metrics = await running.registry.metrics();
      const age = /^tradewind_feed_age_seconds\{source="binance",symbol="DOGE-USD",kind="book"\} (\S+)$/m.exec(
        metrics,
      )?.[1];
      assert.ok(Number(age) > 0, metrics);
    } finally {
      await stop(running);
    }
  });
});
