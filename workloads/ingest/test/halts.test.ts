// A market that halts, end to end: ingest's own feeds on the simulator, in each protocol, over real sockets. Halts are noticed with
// times shortened; what production needs is printed by `npm run bench -- recovery`.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { OpenFeed } from '../open-feed.ts';
import { BINANCE_TIMING, openBinanceFeed } from '../venue/binance/feed.ts';
import { CCXT_TIMING, openCcxtFeed } from '../venue/ccxt/feed.ts';
import { ADVANCED, EXCHANGE } from '../venue/coinbase/apis.ts';
import { COINBASE_TIMING, openCoinbaseFeed } from '../venue/coinbase/feed.ts';
import { isVenues } from './books.ts';
import { OTHER, PROTOCOLS, STRUCK, symbolsOf, type Protocol } from './recovery.ts';
import { gapsOf, ingestOn, MARKET, start, startVenue, stop, until, type Running } from './running.ts';

/** Seconds: longer than any test. */
const UNTIL_LIFTED = 600;
const STATUS = { everyMs: 1_000, hurryMs: 500, unknownMs: 1_000 };
/** A silence is asked about within a halt of the test: it must raise no alarm. */
const SILENCE = { silentMs: 700, everyMs: 1_000, graceMs: 500 };
const OPEN: Readonly<Record<Protocol, OpenFeed>> = {
  binance: (_, options) => openBinanceFeed(options, { ...BINANCE_TIMING, silence: SILENCE, trades: SILENCE, status: STATUS }), // prettier-ignore
  'coinbase-exchange': (_, options) => openCoinbaseFeed({ ...options, api: EXCHANGE }, { ...COINBASE_TIMING, silence: SILENCE, trades: SILENCE, status: STATUS }), // prettier-ignore
  'coinbase-advanced': (_, options) => openCoinbaseFeed({ ...options, api: ADVANCED }, { ...COINBASE_TIMING, silence: SILENCE, trades: SILENCE, status: STATUS }), // prettier-ignore
};
const WORD: Readonly<Record<Protocol, string>> = {
  binance: 'BREAK',
  'coinbase-exchange': 'trading_disabled',
  'coinbase-advanced': 'trading_disabled',
};

const symbolOf = ({ ingest }: Running, symbol: string) => ingest.status().symbols[symbol];
const isHalted = (running: Running, symbol = STRUCK): boolean => symbolOf(running, symbol)?.halted !== undefined;
const isValid = (running: Running, symbol = STRUCK): boolean => symbolOf(running, symbol)?.valid === true;
const halted = async ({ registry }: Running, symbol: string): Promise<number> =>
  Number(new RegExp(`^tradewind_symbol_halted\\{[^}]*symbol="${symbol}"\\} (\\S+)$`, 'm').exec(await registry.metrics())?.[1]); // prettier-ignore

for (const protocol of PROTOCOLS) {
  const symbols = symbolsOf(protocol);
  const options = { protocol, symbols, openFeed: OPEN[protocol] };
  const halt = ({ simulator }: Running, seconds: number, ...names: readonly string[]): void => {
    for (const name of names) simulator.strike(protocol, { fault: 'halt', symbol: symbols[name] ?? '', seconds });
  };

  describe(`a market of ${protocol} that halts`, () => {
    it('is noticed with the venue’s word; its book is right when it trades again; the other knows nothing of it', async () => {
      const running = await start(MARKET, options);
      try {
        await until('valid books', () => isValid(running) && isValid(running, OTHER));
        const otherOut: string[] = [];
        const watching = setInterval(() => isValid(running, OTHER) || otherOut.push('out'), 10);
        halt(running, UNTIL_LIFTED, STRUCK);
        await until('the halt is known', () => isHalted(running));
        const { reason, connected } = running.ingest.status().sources[0]!;
        assert.deepEqual([reason, connected], [`${STRUCK} is ${WORD[protocol]}`, true]);
        const last = () => running.features.findLast(({ symbol }) => symbol === STRUCK);
        await until('features say so', () => last()?.halted === WORD[protocol]);
        assert.deepEqual([await halted(running, STRUCK), await halted(running, OTHER)], [1, 0]);
        await delay(3_000);
        halt(running, 0, STRUCK);
        await until('it trades again', () => !isHalted(running));
        await until('its book is the venue’s', () => isValid(running) && isVenues(running, protocol, STRUCK));
        clearInterval(watching);
        await delay(1_500);
        assert.deepEqual(otherOut, []);
        const { reconnects, gaps, reason: after } = running.ingest.status().sources[0]!;
        assert.deepEqual([reconnects, gaps, after, await halted(running, STRUCK)], [0, 0, undefined, 0]);
        assert.equal(running.simulator.stats()[protocol]?.dials, 1);
      } finally {
        await stop(running);
      }
    });

    it('comes in when it trades where it was halted at the start, without a restart and without another’s connection', async () => {
      const simulator = await startVenue(MARKET, options);
      simulator.strike(protocol, { fault: 'halt', symbol: symbols[STRUCK]!, seconds: UNTIL_LIFTED });
      const running = ingestOn(simulator, MARKET, options);
      try {
        await until('the other is valid', () => isValid(running, OTHER));
        assert.ok(isHalted(running) && !isValid(running));
        halt(running, 0, STRUCK);
        await until('it trades', () => isValid(running) && isVenues(running, protocol, STRUCK));
        assert.deepEqual([running.ingest.status().sources[0]!.reconnects, simulator.stats()[protocol]?.dials], [0, 1]);
      } finally {
        await stop(running);
      }
    });

    it('stays halted while REST is away, and comes back by itself', async () => {
      const running = await start(MARKET, options);
      try {
        await until('valid books', () => isValid(running) && isValid(running, OTHER));
        halt(running, UNTIL_LIFTED, STRUCK);
        await until('the halt is known', () => isHalted(running));
        running.simulator.strike(protocol, { fault: 'limit', seconds: 8 });
        halt(running, 0, STRUCK);
        await delay(3_500);
        assert.ok(isHalted(running), 'what was known stays');
        assert.ok(isValid(running, OTHER), 'and the other goes on');
        await until('it trades again', () => isValid(running) && isVenues(running, protocol, STRUCK));
        assert.equal(running.ingest.status().sources[0]!.reconnects, 0);
      } finally {
        await stop(running);
      }
    });

    it('has the right book afterwards though its connection was cut in the halt', async () => {
      const running = await start(MARKET, options);
      try {
        await until('valid books', () => isValid(running) && isValid(running, OTHER));
        halt(running, UNTIL_LIFTED, STRUCK);
        await until('the halt is known', () => isHalted(running));
        running.simulator.strike(protocol, { fault: 'cut' });
        await until('the other is back', () => isValid(running, OTHER) && running.simulator.stats()[protocol]?.dials === 2); // prettier-ignore
        assert.ok(isHalted(running) && !isValid(running), 'who comes back knows of the halt');
        halt(running, 0, STRUCK);
        await until('it trades again', () => isValid(running) && isVenues(running, protocol, STRUCK));
      } finally {
        await stop(running);
      }
    });

    it('is no silence of the connection where all of its symbols are halted', async () => {
      const running = await start(MARKET, options);
      try {
        await until('valid books', () => isValid(running) && isValid(running, OTHER));
        halt(running, UNTIL_LIFTED, STRUCK, OTHER);
        await until('both known', () => isHalted(running) && isHalted(running, OTHER));
        await delay(6_000);
        halt(running, 0, STRUCK, OTHER);
        await until('both trade', () => isValid(running) && isValid(running, OTHER));
        assert.deepEqual([running.ingest.status().sources[0]!.reconnects, gapsOf(running)], [0, 0]);
      } finally {
        await stop(running);
      }
    });
  });
}

describe('markets that halt by themselves, again and again', () => {
  for (const protocol of PROTOCOLS)
    it(`are valid while ${protocol} trades them and never while it is known not to, without a gap or a reconnect`, async () => {
      const market = { market: { ...MARKET.market, seed: 27, halts: { everySeconds: 4, lastsSeconds: 4 } } };
      const running = await start(market, { protocol, symbols: symbolsOf(protocol), openFeed: OPEN[protocol] });
      const seen = new Map([STRUCK, OTHER].map((symbol) => [symbol, { halts: 0, was: false }]));
      try {
        const haltsOf = (): number => [...seen.values()].reduce((sum, of) => sum + of.halts, 0);
        const [enough, end] = [Date.now() + 12_000, Date.now() + 60_000];
        for (; Date.now() < enough || (haltsOf() < 2 && Date.now() < end); await delay(20)) {
          for (const [symbol, of] of seen) {
            const isOut = isHalted(running, symbol);
            assert.ok(!isOut || !isValid(running, symbol));
            of.halts += isOut && !of.was ? 1 : 0;
            of.was = isOut;
          }
        }
        const { reconnects, gaps } = running.ingest.status().sources[0]!;
        assert.deepEqual([reconnects, gaps], [0, 0]);
        assert.ok(haltsOf() >= 2, JSON.stringify([...seen]));
        for (const symbol of [STRUCK, OTHER])
          await until(
            `${symbol} is the venue’s`,
            () => isValid(running, symbol) && isVenues(running, protocol, symbol),
          );
      } finally {
        await stop(running);
      }
    });
});

describe('a symbol that its venue does not know', () => {
  for (const protocol of PROTOCOLS)
    it(`costs ${protocol} no more than a question now and then, and has its reason`, async () => {
      const symbols = symbolsOf(protocol);
      const running = await start(MARKET, { protocol, symbols, openFeed: OPEN[protocol], alsoWanted: { 'NO-USD': 'NO-PE' } }); // prettier-ignore
      try {
        await until('valid books', () => isValid(running) && isValid(running, OTHER));
        const before = running.simulator.stats()[protocol]!.requests;
        await delay(5_000);
        assert.match(running.ingest.status().sources[0]!.reason ?? '', /NO-PE is not known to the venue/);
        assert.ok(running.simulator.stats()[protocol]!.requests - before <= 30);
        assert.ok(isValid(running) && isValid(running, OTHER));
      } finally {
        await stop(running);
      }
    });
});

describe('a market that halts, by ccxt', () => {
  it('is noticed by the exchange’s list of markets, and trades again', async () => {
    const running = await start(MARKET, {
      source: (url) => ({ name: 'any', type: 'ccxt', symbols: { [STRUCK]: 'BTC/USDT', [OTHER]: 'ETH/USDT' }, url, options: { exchange: 'binance' } }), // prettier-ignore
      openFeed: (_, options) => openCcxtFeed({ ...options, exchange: 'binance' }, { ...CCXT_TIMING, status: { everyMs: 2_000, hurryMs: 1_000 } }), // prettier-ignore
    });
    try {
      await until('valid books', () => isValid(running) && isValid(running, OTHER));
      running.simulator.strike('binance', { fault: 'halt', symbol: 'BTCUSDT', seconds: UNTIL_LIFTED });
      await until('the halt is known', () => isHalted(running));
      assert.equal(running.ingest.status().sources[0]!.reason, `${STRUCK} is not active`);
      running.simulator.strike('binance', { fault: 'halt', symbol: 'BTCUSDT', seconds: 0 });
      await until('it trades again', () => isValid(running));
      assert.ok(isValid(running, OTHER));
    } finally {
      await stop(running);
    }
  });
});
