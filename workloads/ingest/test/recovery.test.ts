// Every fault of the simulator in every protocol: the book is the venue's again, what was malformed is counted, the other book
// goes on, nothing is opened on what is known to be wrong, and nobody is needed. Prints how long each took.
import assert from 'node:assert/strict';
import type { OpenFeed } from '../open-feed.ts';
import { BINANCE_TIMING, openBinanceFeed } from '../venue/binance/feed.ts';
import { ADVANCED, EXCHANGE } from '../venue/coinbase/apis.ts';
import { COINBASE_TIMING, openCoinbaseFeed } from '../venue/coinbase/feed.ts';
import { casesOf, PROTOCOLS, recoverFrom, symbolsOf, tableOf, type Protocol, type Recovery } from './recovery.ts';
import { areValid, MARKET, start, stop, until, type Running } from './running.ts';

/** Silences are noticed sooner than in production, so that tests are short. */
const FAST = { stallMs: 3_000, firstRetryMs: 50, slowestRetryMs: 500 };
const SILENCE = { silentMs: 1_000, everyMs: 2_000, graceMs: 500 };
const OPEN: Readonly<Record<Protocol, OpenFeed>> = {
  binance: (_, options) => openBinanceFeed(options, { ...BINANCE_TIMING, ...FAST, overlapMs: 500, silence: SILENCE }),
  'coinbase-exchange': (_, options) =>
    openCoinbaseFeed({ ...options, api: EXCHANGE }, { ...COINBASE_TIMING, ...FAST, silence: SILENCE }),
  'coinbase-advanced': (_, options) =>
    openCoinbaseFeed({ ...options, api: ADVANCED }, { ...COINBASE_TIMING, ...FAST, silence: SILENCE }),
};

/** Faults after which all books of a connection must be asked for anew: of Advanced Trade every loss, as it numbers them together. */
const SHARED: Readonly<Record<Protocol, readonly string[]>> = {
  binance: [],
  'coinbase-exchange': ['garbage'],
  'coinbase-advanced': ['gap', 'reorder', 'garbage'],
};
const OF_THE_CONNECTION = ['stall', 'slow', 'cut', 'reset', 'limit', 'refuse'];
/** A trade without its update proves a loss after 2 s, and comes within another: here a multiple, as machines are slow. */
const TRUSTED_MS = 12_000;

for (const protocol of PROTOCOLS) {
  describe(`a fault of ${protocol}`, () => {
    let running: Running;
    const recoveries: Recovery[] = [];
    beforeEach(async () => {
      running = await start(
        { ...MARKET },
        {
          protocol,
          symbols: symbolsOf(protocol),
          openFeed: OPEN[protocol],
          timing: { pingEveryMs: 500, connectionLifeMs: 1e9 },
        },
      );
      await until('valid books', () => Object.keys(running.ingest.status().symbols).length === 2 && areValid(running));
    });
    afterEach(() => stop(running));
    after(() => void process.stdout.write(`${tableOf(recoveries)}\n`));

    for (const one of casesOf(protocol)) {
      it(`is over by itself: ${one.name}`, async () => {
        const found = await recoverFrom(running, protocol, one);
        recoveries.push(found);
        assert.equal(found.malformed, one.name === 'garbage' ? found.struck : 0, 'malformed frames');
        assert.ok(found.trustedWrongMs < TRUSTED_MS, `looked well for ${found.trustedWrongMs} ms`);
        if (!OF_THE_CONNECTION.includes(one.name) && !SHARED[protocol].includes(one.name))
          assert.equal(found.otherOutMs, 0, 'the other book was out');
        if (one.name === 'quiet') assert.deepEqual([found.gaps, found.reconnects, found.recoveredMs], [0, 0, 0]);
      });
    }
  });
}
