// The loops around ccxt, with an exchange that misbehaves and a clock of ours: pauses are what moves it on.
import assert from 'node:assert/strict';
import type { CcxtExchange } from './exchange.ts';
import type { FromThread } from './messages.ts';
import { isNamed, Watch } from './watch.ts';

class BaseError extends Error {}
class AuthenticationError extends BaseError {}
class OperationFailed extends BaseError {}
class NetworkError extends OperationFailed {}
class RateLimitExceeded extends NetworkError {}

const MARKETS = Object.fromEntries(
  ['A/USD', 'B/USD'].map((name) => [name, { active: true, precision: { price: 0.01, amount: 0.001 }, limits: {} }]),
);
const BOOK = { bids: [[1, 1]], asks: [[1.01, 1]] };
const never = (): Promise<never> => new Promise(() => undefined);

interface Asked {
  readonly at: number;
  readonly what: string;
}

/** Runs a Watch for `ms` of its own clock; `answer` says what each call of ccxt gives, or throws. */
async function run(ms: number, answer: (asked: Asked) => unknown, more: object = {}) {
  let now = 0;
  const asked: Asked[] = [];
  const said: FromThread[] = [];
  const waiting: { readonly at: number; readonly go: (value: unknown) => void }[] = [];
  const ask =
    (what: string) =>
    async (symbol = '') => {
      const one = { at: now, what: `${what} ${symbol}`.trim() };
      asked.push(one);
      const answered = answer(one);
      return what === 'markets' ? {} : answered;
    };
  const exchange = {
    has: { watchOrderBook: true, watchTrades: true },
    markets: MARKETS,
    precisionMode: 4,
    clients: {},
    loadMarkets: () => ask('markets')(),
    fetchMarkets: async () => {
      const one = { at: now, what: 'fetchMarkets' };
      asked.push(one);
      return answer(one);
    },
    setMarkets: (markets: unknown) => void Object.assign(exchange, { markets }),
    watchOrderBook: ask('watchOrderBook'),
    watchTrades: ask('watchTrades'),
    fetchOrderBook: ask('fetchOrderBook'),
    fetchTrades: ask('fetchTrades'),
    ...more,
  } as unknown as CcxtExchange;
  const watch = new Watch({
    exchange,
    symbols: new Map([['A/USD', 'A'], ['B/USD', 'B'], ['C/USD', 'C']]), // prettier-ignore
    shards: 1,
    timing: { pollMs: 1_000, firstRetryMs: 500, slowestRetryMs: 30_000, dialEveryMs: 1_000, silence: { silentMs: 10_000, everyMs: 30_000, graceMs: 3_000 }, trades: { silentMs: 60_000, everyMs: 60_000, graceMs: 5_000 }, status: { everyMs: 60_000, hurryMs: 20_000 } }, // prettier-ignore
    post: (message) => said.push(message),
    now: () => now,
    random: () => 0.9,
    pause: (pauseMs) => new Promise((go) => waiting.push({ at: now + pauseMs, go })),
  });
  void watch.run();
  for (;;) {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    waiting.sort((a, b) => a.at - b.at);
    const next = waiting.shift();
    if (next === undefined || next.at > ms) return { asked, said, watch };
    now = Math.max(now, next.at);
    next.go(undefined);
  }
}

const count = (asked: readonly Asked[], what: string) => asked.filter((one) => one.what.startsWith(what)).length;
const kinds = (said: readonly FromThread[], symbol: string) =>
  said.flatMap((one) => ('symbol' in one && one.symbol === symbol ? [one.kind] : []));

describe('the loops around ccxt', () => {
  it('read listings again after a pause, and name what is not listed', async () => {
    let failures = 0;
    const { said } = await run(5_000, ({ what }) => {
      if (what === 'markets' && failures++ === 0) throw new NetworkError('away');
      return never();
    });
    const [first, second] = said.flatMap((one) => (one.kind === 'listings' ? [one.filters] : []));
    assert.match(first?.kind === 'retry' ? first.reason : '', /away/);
    assert.ok(second?.kind === 'filters' && second.listings.size === 2);
    assert.match(second.refused.get('C/USD') ?? '', /not listed/);
  });

  it('give a whole book when it comes, changes after, and the whole again when it was lost or is asked for', async () => {
    let calls = 0;
    const answer = ({ what }: Asked) => {
      if (!what.startsWith('watchOrderBook A')) return never();
      calls += 1;
      if (calls === 3) throw new NetworkError('cut');
      return calls < 6 ? BOOK : never();
    };
    const { said } = await run(20_000, answer);
    assert.deepEqual(kinds(said, 'A'), ['up', 'down', 'up']);
    const frames = said.flatMap((one) => (one.kind === 'frame' ? [one.frame.kind] : []));
    assert.deepEqual(frames, ['book', 'change', 'book', 'change']);
    assert.deepEqual(kinds(said, 'B'), [], 'the other knows nothing of it');
  });

  it('find trades that never came by asking for the newest, and raise no alarm where there is none', async () => {
    const has = { has: { watchOrderBook: true, watchTrades: true, fetchTrades: true } };
    const trade = (timestamp: number) => [{ id: '1', timestamp, side: 'buy', price: 1, amount: 1 }];
    for (const [isDead, expected] of [
      [true, true],
      [false, false],
    ] as const) {
      let [books, batches] = [0, 0];
      const answer = ({ what, at }: Asked) => {
        if (what === 'watchOrderBook A/USD') return books++ === 0 ? BOOK : never();
        if (what === 'watchTrades A/USD') return batches++ < 2 ? trade(batches) : never();
        if (what === 'fetchTrades A/USD') return trade(isDead ? at : 2);
        return what === 'fetchOrderBook A/USD' ? BOOK : never();
      };
      const { said, asked } = await run(150_000, answer, has);
      assert.equal(kinds(said, 'A').includes('tradesStalled'), expected, String(isDead));
      assert.ok(count(asked, 'fetchTrades A') <= 3, 'asked once a minute');
    }
  });

  it('poll where the WebSocket wants a login, and count nothing against it', async () => {
    const { asked, said } = await run(10_500, ({ what }) => {
      if (what.startsWith('watch')) throw new AuthenticationError('apiKey');
      return what.startsWith('fetchOrderBook') ? BOOK : [];
    });
    assert.equal(count(asked, 'watch'), 4, 'asked once for each symbol and kind');
    assert.ok(Math.abs(count(asked, 'fetchOrderBook A') - 10) <= 2, String(count(asked, 'fetchOrderBook A')));
    assert.ok(said.every(({ kind }) => kind !== 'malformed' && kind !== 'down'));
  });

  it('poll where there is no WebSocket side', async () => {
    const { asked } = await run(3_000, ({ what }) => (what.startsWith('fetchOrderBook') ? BOOK : []), { has: {} });
    assert.equal(count(asked, 'watch'), 0);
    assert.ok(count(asked, 'fetchTrades B') >= 2);
  });

  it('do not storm an exchange that refuses connections for 10 minutes', async () => {
    const { asked } = await run(600_000, ({ what }) => {
      if (what !== 'markets') throw new NetworkError('refused');
    });
    const dials = asked.filter(({ what }) => what.startsWith('watch'));
    assert.ok(dials.length > 20, `${dials.length} are too few to come back soon`);
    assert.ok(
      dials.every(({ at }, i) => i === 0 || at - (dials[i - 1]?.at ?? 0) >= 1_000),
      'never two within a second',
    );
  });

  it('ask nothing for half a minute when told to go slow', async () => {
    const { asked } = await run(
      60_000,
      ({ at, what }) => {
        if (what === 'markets') return {};
        if (at >= 5_000 && at < 5_900) throw new RateLimitExceeded('slow down');
        return what.startsWith('fetchOrderBook') ? BOOK : [];
      },
      { has: {} },
    );
    const told = asked.find(({ at }) => at >= 5_000)?.at ?? 0;
    assert.equal(asked.filter(({ at }) => at > told + 999 && at < told + 29_000).length, 0);
    assert.ok(asked.some(({ at }) => at > told + 30_000));
  });

  it('count what ccxt cannot handle, with its words, and go on', async () => {
    const { said } = await run(60_000, ({ what }) => {
      if (what.startsWith('watchOrderBook A')) throw new TypeError('undefined is not a book');
      return what.startsWith('watchOrderBook') ? { bids: 7, asks: [] } : never();
    });
    const found = said.flatMap((one) => (one.kind === 'malformed' ? [one] : []));
    assert.ok(
      kinds(said, 'A').length > 0 && kinds(said, 'A').every((kind) => kind === 'down'),
      'told though it never came',
    );
    assert.ok(found.some(({ malformed }) => malformed.detail === 'TypeError: undefined is not a book'));
    assert.ok(found.some(({ malformed }) => malformed.detail === 'orderBook.bids'));
  });

  it('take a book that cannot be read for lost, however well its connection lives', async () => {
    let calls = 0;
    const answer = ({ what }: Asked) => {
      if (!what.startsWith('watchOrderBook A')) return never();
      calls += 1;
      return calls === 2 ? { bids: 7, asks: [] } : calls < 4 ? BOOK : never();
    };
    const clients = { u: { url: 'u', futures: { 'book:A/USD': 0 }, lastPong: 1 } };
    const { said } = await run(20_000, answer, { clients });
    assert.deepEqual(kinds(said, 'A'), ['up', 'down', 'up', 'heard']);
    assert.deepEqual(said.flatMap((one) => (one.kind === 'frame' ? [one.frame.kind] : [])), ['book', 'book']); // prettier-ignore
  });

  it('make connections anew so that the end of the old ones harms none of the new', async () => {
    const done: string[] = [];
    const client = {
      url: 'u',
      futures: {},
      error: undefined as Error | undefined,
      reset: () => done.push(`reset ${client.error?.constructor.name}`),
      connection: { terminate: () => done.push('terminate') },
    };
    const clients: Record<string, unknown> = { u: client };
    const { watch } = await run(20_000, () => never(), { clients });
    watch.renew();
    watch.renew();
    assert.deepEqual([done, clients], [['reset Renewed', 'terminate'], {}]);
  });

  it('read markets again, and tell what changed: a halt, its end, a symbol that is there by now', async () => {
    const active = (ofA: boolean, names = ['A/USD', 'B/USD']) =>
      Object.fromEntries(names.map((name) => [name, { ...MARKETS['A/USD'], active: name !== 'A/USD' || ofA }]));
    const marketsAt = (at: number) => {
      if (at < 70_000) return active(true);
      if (at < 130_000) return active(false);
      if (at < 205_000) throw new NetworkError('away');
      return active(true, ['A/USD', 'B/USD', 'C/USD']);
    };
    const answer = ({ what, at }: Asked) => (what === 'fetchMarkets' ? marketsAt(at) : never());
    const { said, asked } = await run(320_000, answer);
    const told = said.flatMap((one) => (one.kind === 'listings' ? [one.filters] : []));
    assert.deepEqual(
      told.map((one) => (one.kind === 'retry' ? one.reason : [...one.halted, ...one.listings.keys()].join())),
      ['A/USD,B/USD', 'A/USD,not active,A/USD,B/USD', 'Error: away', 'Error: away', 'A/USD,B/USD,C/USD'],
    );
    assert.equal(count(asked, 'watchOrderBook C'), 1);
    assert.equal(count(asked, 'watchOrderBook A'), 1, 'the others are not touched');
    assert.ok(count(asked, 'fetchMarkets') <= 7);
  });

  it('read markets again at once where a book falls silent, and not again within 20 s', async () => {
    let books = 0;
    const answer = ({ what }: Asked) => {
      if (what === 'fetchMarkets') return MARKETS;
      return what === 'watchOrderBook A/USD' && books++ === 0 ? BOOK : never();
    };
    const { asked } = await run(59_000, answer);
    assert.deepEqual(
      asked.filter(({ what }) => what === 'fetchMarkets').map(({ at }) => Math.round(at / 1_000)),
      [20],
    );
  });

  it('know ccxt’s errors by their classes', () => {
    assert.ok(isNamed(new RateLimitExceeded('x'), 'OperationFailed'));
    assert.ok(!isNamed(new AuthenticationError('x'), 'OperationFailed'));
    assert.ok(!isNamed('x', 'OperationFailed') && !isNamed(undefined, 'Error'));
  });
});
