import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  decimalText,
  haltOf,
  listingOf,
  newestAt,
  newTape,
  readBook,
  readTrades,
  topOf,
  type Shown,
} from './unified.ts';
import { parseScaled } from '../decimal.ts';
import type { Levels, Listing } from '../frame.ts';

// What ccxt 4.5.84 makes of Binance's exchangeInfo.
const MARKET = {
  id: 'BTCUSDT',
  symbol: 'BTC/USDT',
  active: true,
  contract: false,
  precision: { amount: 1e-5, price: 0.01 },
  limits: { leverage: {}, amount: { min: 1e-5, max: 9_000 }, price: { min: 0.01, max: 1e6 }, cost: { min: 5 } },
};
const named = { symbol: 'BTC-USD', venueSymbol: 'BTC/USDT', precisionMode: 4 };
const LISTING = listingOf(MARKET, named) as Listing;

describe('numbers of ccxt', () => {
  it('are the decimal text that they were made from, exactly', () => {
    for (const [number, text] of [
      [61_837.63, '61837.63'],
      [1e-8, '0.00000001'],
      [1.25e-7, '0.000000125'],
      [0, '0'],
      [12, '12'],
    ] as const)
      assert.equal(decimalText(number), text);
    assert.equal(parseScaled(decimalText(1e21), 2), -1);
    assert.equal(parseScaled(decimalText(Number.NaN), 2), -1);
  });
  it('lose nothing up to 15 digits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        fc.integer({ min: 0, max: 12 }),
        (lots, decimals) => {
          const digits = String(lots).padStart(decimals + 1, '0');
          const text = `${digits.slice(0, digits.length - decimals)}.${digits.slice(digits.length - decimals)}0`;
          return parseScaled(decimalText(Number(text)), decimals) === lots;
        },
      ),
    );
  });
});

describe('a market of ccxt', () => {
  it('is halted where the exchange says that it is not active, and trades where it does not say', () => {
    assert.ok(typeof listingOf({ ...MARKET, active: false }, named) === 'object');
    assert.deepEqual([false, true, undefined].map((active) => haltOf({ ...MARKET, active })), ['not active', undefined, undefined]); // prettier-ignore
  });
  it('is a listing in steps, whether precision is a step or digits', () => {
    assert.deepEqual(LISTING, {
      symbol: 'BTC-USD',
      venueSymbol: 'BTC/USDT',
      priceDecimals: 2,
      quantityDecimals: 5,
      minLots: 1,
      maxLots: 900_000_000,
      isLoose: true,
      instrument: { priceScale: 100, quantityScale: 100_000, tickStep: 1, lotStep: 1, minNotionalUsd: 5 },
    });
    const digits = { ...MARKET, precision: { amount: 5, price: 2 } };
    assert.deepEqual(listingOf(digits, { ...named, precisionMode: 2 }), LISTING);
    const coarse = listingOf({ ...MARKET, precision: { amount: 1, price: 0.5 }, limits: {} }, named) as Listing;
    assert.deepEqual([coarse.instrument.tickStep, coarse.priceDecimals, coarse.maxLots], [5, 1, 2 ** 53 - 1]);
  });
  it('is refused with the reason where it has no step, is closed, or counts in contracts', () => {
    for (const [market, mode, reason] of [
      [undefined, 4, /BTC\/USDT is not listed: expected a name of ccxt/],
      [{ ...MARKET, contract: true, contractSize: 0.001 }, 4, /contractSize 0.001, expected 1/],
      [{ ...MARKET, precision: { amount: 5, price: 5 } }, 3, /precision.price.*precisionMode 3, expected a step/],
      [{ ...MARKET, precision: { price: 0.01 } }, 4, /no usable precision.amount/],
    ] as const)
      assert.match(JSON.stringify(listingOf(market, { ...named, precisionMode: mode })), reason);
  });
});

const bookOf = (bids: number[][], asks: number[][]) => ({ bids, asks });
const read = (book: unknown, shown?: Shown) => {
  const got = readBook(book, LISTING, shown);
  assert.equal(got.kind, 'read', JSON.stringify(got));
  return got;
};

describe('a whole book of ccxt', () => {
  const first = bookOf([[61_800.01, 1.5], [61_800, 2]], [[61_800.02, 0.00001]]); // prettier-ignore
  it('is the whole of it at first, then only what changed, and says also that nothing did', () => {
    const whole = read(first);
    assert.deepEqual(whole.frame, {
      kind: 'book',
      symbol: 'BTC-USD',
      bids: [6_180_001, 150_000, 6_180_000, 200_000],
      asks: [6_180_002, 1],
    });
    const second = read(bookOf([[61_800, 2.5]], [[61_800.02, 0.00001], [61_800.03, 1]]), whole.shown); // prettier-ignore
    assert.deepEqual(second.frame, {
      kind: 'change',
      symbol: 'BTC-USD',
      bids: [6_180_000, 250_000, 6_180_001, 0],
      asks: [6_180_003, 100_000],
      venueAt: 0,
    });
    assert.deepEqual(read(bookOf([[61_800, 2.5]], [[61_800.02, 0.00001], [61_800.03, 1]]), second.shown).frame, {
      kind: 'change',
      symbol: 'BTC-USD',
      bids: [],
      asks: [],
      venueAt: 0,
    }); // prettier-ignore
  });
  it('is what the changes lead to, whatever came before', () => {
    const side = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 5 })), { maxLength: 20 });
    const applied = (before: Levels, changes: Levels): unknown => {
      const book = new Map<number, number>();
      for (const levels of [before, changes])
        for (let at = 0; at < levels.length; at += 2) book.set(levels[at] ?? 0, levels[at + 1] ?? 0);
      return [...book].filter(([, lots]) => lots > 0).sort(([a], [b]) => a - b);
    };
    fc.assert(
      fc.property(side, side, (one, two) => {
        const before = read(bookOf(one, []));
        const after = read(bookOf(two, []));
        const { frame } = read(bookOf(two, []), before.shown);
        assert.deepEqual(applied(before.frame.bids, frame.bids), applied([], after.frame.bids));
      }),
    );
  });
  it('is malformed, with the field, where it cannot be read', () => {
    for (const [book, detail] of [
      [{ bids: [[1, null]], asks: [] }, 'orderBook.bids'],
      [{ bids: [], asks: [[-1, 2]] }, 'orderBook.asks'],
      [{ bids: [] }, 'orderBook.asks'],
      ['no', 'orderBook'],
    ] as const) {
      const got = readBook(book, LISTING, undefined);
      assert.equal(got.kind === 'malformed' && got.detail, detail);
    }
  });
  it('moved where its best levels did', () => {
    assert.equal(topOf(first), topOf({ ...first, bids: [...first.bids, [1, 1]] }));
    assert.notEqual(topOf(first), topOf(bookOf([[61_800.01, 1.4]], first.asks)));
    assert.equal(topOf({}), undefined);
  });
});

const NOW = 1_723_161_255_408;

describe('trades of ccxt', () => {
  const trade = (timestamp: number, id?: string, more: object = {}) => ({ id, timestamp, price: 61_800.01, amount: 0.5, side: 'sell', ...more }); // prettier-ignore
  it('are turned round where the exchange says the maker’s side and ccxt passes it on', () => {
    for (const [exchange, sellerTook] of [
      ['coinbase', true],
      ['coinbaseexchange', false],
      ['binance', false],
    ] as const) {
      const tape = newTape(exchange);
      readTrades([], LISTING, tape, NOW);
      assert.equal(
        readTrades([trade(9, 'e', { side: 'buy' })], LISTING, tape, NOW).frames[0]?.sellerTook,
        sellerTook,
        exchange,
      );
    }
  });
  it('are counted from the second batch on, each once, oldest first, with ids of ours', () => {
    const tape = newTape();
    assert.deepEqual(readTrades([trade(1, 'a'), trade(5, 'b')], LISTING, tape, NOW).frames, []);
    const { frames } = readTrades([trade(9, 'e', { side: 'buy' }), trade(5, 'b'), trade(5, 'c')], LISTING, tape, NOW);
    const common = { kind: 'trade', symbol: 'BTC-USD', ticks: 6_180_001, lots: 50_000 };
    assert.deepEqual(frames, [
      { ...common, tradeId: 1, sellerTook: true, venueAt: 5 },
      { ...common, tradeId: 2, sellerTook: false, venueAt: 9 },
    ]);
    assert.deepEqual(readTrades([trade(5, 'd'), trade(9, 'e')], LISTING, tape, NOW).frames, [], 'late, and again');
    assert.equal(readTrades([trade(9, 'f')], LISTING, tape, NOW).frames[0]?.tradeId, 3);
  });
  it('are malformed where they are of a time to come, and hide none of those that follow', () => {
    for (const first of [[], [trade(NOW * 1_000, 'z')]]) {
      const tape = newTape();
      readTrades(first, LISTING, tape, NOW);
      const got = readTrades([trade(NOW * 1_000, 'a'), trade(NOW + 500, 'b')], LISTING, tape, NOW);
      assert.deepEqual([got.frames.length, got.bad.map(({ detail }) => detail)], [1, ['trade.timestamp']]);
      assert.equal(readTrades([trade(NOW + 900, 'c')], LISTING, tape, NOW).frames.length, 1);
    }
    assert.equal(newestAt([trade(NOW * 1_000), trade(NOW)], NOW), NOW);
    assert.equal(newestAt([trade(NOW * 1_000)], NOW), undefined);
  });
  it('count from a first batch that was empty', () => {
    const tape = newTape();
    readTrades([], LISTING, tape, NOW);
    assert.equal(readTrades([trade(1)], LISTING, tape, NOW).frames.length, 1);
  });
  it('are malformed one by one, with the field', () => {
    const tape = { ...newTape(), lastAt: 0 };
    const bad = [trade(1.5), trade(1, 'x', { price: 0 }), trade(1, 'x', { amount: 'much' }), trade(1, 'x', { side: undefined }), null]; // prettier-ignore
    const got = readTrades([...bad, trade(2, 'y')], LISTING, tape, NOW);
    assert.equal(got.frames.length, 1);
    assert.deepEqual(
      got.bad.map(({ detail }) => detail),
      ['trade.timestamp', 'trade.price', 'trade.amount', 'trade.side', 'trade'],
    );
    assert.equal(readTrades({}, LISTING, tape, NOW).bad.length, 1);
  });
});

describe('whatever ccxt gives', () => {
  const number = fc.oneof(fc.double(), fc.integer(), fc.anything());
  const pairs = fc.array(fc.oneof(fc.tuple(number, number), fc.anything()), { maxLength: 5 });
  it('is read or malformed: nothing throws, and what comes out are integers', () => {
    const book = fc.oneof(fc.record({ bids: pairs, asks: pairs }), fc.anything());
    const trade = fc.record({
      timestamp: number,
      price: number,
      amount: number,
      side: fc.constantFrom('buy', 'sell', 0),
    });
    fc.assert(
      fc.property(book, fc.oneof(fc.array(fc.oneof(trade, fc.anything())), fc.anything()), (one, batch) => {
        const got = readBook(one, LISTING, undefined);
        const levels = got.kind === 'read' ? [...got.frame.bids, ...got.frame.asks] : [];
        const { frames } = readTrades(batch, LISTING, { ...newTape(), lastAt: 0 }, NOW);
        const all = [...levels, ...frames.flatMap(({ ticks, lots }) => [ticks, lots])];
        assert.ok(all.every((value) => Number.isSafeInteger(value) && value >= 0));
        topOf(one);
      }),
      { numRuns: 2_000 },
    );
  });
});
