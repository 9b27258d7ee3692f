// Books that follow their own stream, and trades whose ids the venue names: the second kind of continuity of the core.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { topLevels } from './book.ts';
import { newPaperVenue } from './paper/venue.ts';
import type { Event, Output } from './step.ts';
import { aShard, BTC, trade } from './test/frames.ts';
import type { MarketFrame } from './venue/frame.ts';

type Flat = readonly number[];
const at = (frame: MarketFrame, t: number): Event => ({ kind: 'frame', frame, t });
const book = (bids: Flat, asks: Flat, t: number): Event => at({ kind: 'book', symbol: BTC, bids, asks }, t);
const change = (bids: Flat, asks: Flat, t: number): Event =>
  at({ kind: 'change', symbol: BTC, bids, asks, venueAt: 0 }, t);
const mark = (tradeId: number, t: number): Event => at({ kind: 'tradeMark', symbol: BTC, tradeId }, t);
const lost = (t: number): Event => ({ kind: 'lost', symbol: BTC, t });

const becauseOf = (outputs: readonly Output[]): readonly string[] =>
  outputs.flatMap((output) => (output.kind === 'snapshotWanted' ? [output.because] : []));
const missedOf = (outputs: readonly Output[]): readonly number[] =>
  outputs.flatMap((output) => (output.kind === 'tradesMissed' ? [output.count] : []));

function aMarket() {
  const { shard, run, link } = aShard();
  return { market: shard.markets.get(BTC)!, run, link };
}

describe('a book that follows its stream', () => {
  it('is valid from its snapshot on; what comes before says nothing', () => {
    const { market, run } = aMarket();
    assert.deepEqual(becauseOf(run(change([99, 1], [], 900))), []);
    assert.equal(market.valid, false);
    run(book([98, 5, 97, 1], [101, 3], 1_000));
    assert.deepEqual([market.valid, market.best.bidTicks, market.best.askTicks], [true, 98, 101]);
    run(change([99, 2], [101, 0, 102, 7], 1_100));
    const { bids, asks } = market.book;
    assert.deepEqual([topLevels(bids, 9), topLevels(asks, 9)], [[99, 2, 98, 5, 97, 1], [102, 7]]); // prettier-ignore
  });
  it('is the new snapshot alone where another comes', () => {
    const { market, run } = aMarket();
    run(book([98, 5], [101, 3], 1_000), change([99, 2], [], 1_100), book([90, 1], [110, 1], 1_200));
    assert.deepEqual(topLevels(market.book.bids, 9), [90, 1]);
    assert.equal(market.valid, true);
  });
  it('is out from a loss until its snapshot, and asks once', () => {
    const { market, run } = aMarket();
    run(book([98, 5], [101, 3], 1_000));
    assert.deepEqual(becauseOf(run(lost(1_100), lost(1_150), change([99, 1], [], 1_200))), ['Gap']);
    assert.equal(market.valid, false);
    run(book([98, 4], [101, 3], 1_300));
    assert.deepEqual([market.valid, market.best.bidLots], [true, 4]);
  });
  it('is out where it crosses itself, and what follows does not bring it back', () => {
    const { market, run } = aMarket();
    run(book([98, 5], [101, 3], 1_000));
    assert.deepEqual(becauseOf(run(change([101, 1], [], 1_100))), ['Crossed']);
    assert.deepEqual(becauseOf(run(change([101, 0], [], 1_200), lost(1_250))), [], 'it was asked for');
    assert.equal(market.valid, false);
    run(book([98, 5], [101, 3], 1_300));
    assert.equal(market.valid, true);
  });
  it('is out while its connection is, and starts with the next snapshot', () => {
    const { market, run, link } = aMarket();
    run(book([98, 5], [101, 3], 1_000), { kind: 'linkDown', link, t: 1_100 }, { kind: 'linkUp', link, t: 1_200 });
    run(change([99, 1], [], 1_250));
    assert.equal(market.valid, false);
    run(book([98, 5], [101, 3], 1_300));
    assert.equal(market.valid, true);
  });
  it('is what its last snapshot and the changes since make, however they come', () => {
    const levels = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(3)), { maxLength: 6 });
    const event = fc.record({ whole: fc.boolean(), bids: levels, asks: levels });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const { market, run } = aMarket();
        let bids = new Map<number, number>();
        let isThere = false;
        events.forEach(({ whole, bids: changed }, i) => {
          const asks = whole ? [1_000, 1] : [];
          run((whole ? book : change)(changed.flat(), asks, 1_000 + i));
          if (whole) [bids, isThere] = [new Map(), true];
          for (const [ticks, lots] of changed) bids.set(ticks, lots);
        });
        if (!isThere) return assert.equal(market.valid, false);
        const expected = [...bids].filter(([, lots]) => lots > 0).sort(([a], [b]) => b - a);
        // Of a level that stands twice in one snapshot, no venue says which counts: only the prices are compared.
        const prices = topLevels(market.book.bids, 99).filter((_, i) => i % 2 === 0);
        if (!events.some(({ whole, bids: one }) => whole && hasTwice(one))) {
          assert.deepEqual(prices, expected.map(([ticks]) => ticks)); // prettier-ignore
        }
        return undefined;
      }),
    );
  });
});

const hasTwice = (levels: readonly (readonly [number, number])[]): boolean =>
  new Set(levels.map(([ticks]) => ticks)).size < levels.length;

describe('a book that trades change', () => {
  const isOut = (events: readonly Event[]): boolean => {
    const { run } = aMarket();
    const outputs = run(book([98, 5], [101, 3], 1_000), ...events);
    return outputs.some(({ kind }) => kind === 'streamLost');
  };
  const tick = (t: number): Event => ({ kind: 'tick', t });
  const ticks = (from: number, to: number): Event[] =>
    Array.from({ length: (to - from) / 100 }, (_, i) => tick(from + 100 * i));

  it('is out where they come and no update does', () => {
    assert.equal(isOut([...ticks(1_100, 5_000), at(trade(7, 1), 5_000), ...ticks(5_000, 7_000)]), false);
    assert.equal(isOut([...ticks(1_100, 5_000), at(trade(7, 1), 5_000), ...ticks(5_000, 7_200)]), true);
  });
  it('is out where its venue names trades that do not come either, and no update does', () => {
    const quiet = [mark(6, 1_050), ...ticks(1_100, 5_000)];
    assert.equal(isOut([...quiet, mark(6, 5_000), ...ticks(5_000, 9_000)]), false, 'nothing was traded');
    assert.equal(isOut([...quiet, mark(7, 5_000), ...ticks(5_000, 7_000)]), false);
    assert.equal(isOut([...quiet, mark(7, 5_000), ...ticks(5_000, 7_200)]), true);
    // A heartbeat names what was traded up to a second before it.
    const before = change([98, 4], [], 3_100);
    assert.equal(isOut([mark(6, 1_050), before, mark(7, 5_000), ...ticks(5_000, 9_000)]), false);
  });
  it('is not where its update came just before the trade, or comes after', () => {
    const before = change([98, 4], [], 4_900);
    assert.equal(isOut([...ticks(1_100, 4_900), before, at(trade(7, 1), 5_000), ...ticks(5_000, 9_000)]), false);
    const after = change([98, 4], [], 6_500);
    const until = [...ticks(1_100, 5_000), at(trade(7, 1), 5_000), ...ticks(5_000, 6_500), after];
    assert.equal(isOut([...until, ...ticks(6_500, 20_000)]), false);
  });
  it('is not in a quiet market, however long', () => {
    assert.equal(isOut(ticks(1_100, 100_000)), false);
  });
});

describe('trades whose last the venue names', () => {
  it('count as missed where one of them does not come in time, also where none follows', () => {
    const { market, run } = aMarket();
    const outputs = run(mark(10, 0), at(trade(11, 1), 100), mark(13, 1_000), mark(13, 2_000), mark(13, 3_500));
    assert.deepEqual(missedOf(outputs), [2]);
    assert.deepEqual(missedOf(run(mark(13, 6_000), at(trade(13, 1), 6_100), at(trade(14, 1), 6_200))), []);
    assert.equal(market.trades, 2);
  });
  it('have their time to come', () => {
    const { run } = aMarket();
    const outputs = run(
      mark(10, 0),
      mark(12, 1_000),
      mark(12, 2_000),
      at(trade(11, 1), 2_100),
      at(trade(12, 1), 2_900),
      mark(12, 9_000),
    );
    assert.deepEqual(missedOf(outputs), []);
  });
  it('before the first word of a connection are none of ours', () => {
    const { run, link } = aMarket();
    assert.deepEqual(missedOf(run(mark(10, 0), mark(10, 5_000), at(trade(11, 1), 5_100))), []);
    run({ kind: 'linkDown', link, t: 6_000 }, { kind: 'linkUp', link, t: 7_000 });
    assert.deepEqual(missedOf(run(mark(50, 7_100), mark(50, 12_000), at(trade(51, 1), 12_100))), []);
  });
  it('of an earlier connection are not missed on the next, also where the venue starts anew', () => {
    const { run, link } = aMarket();
    run(mark(10, 0), at(trade(11, 1), 100), mark(13, 1_000));
    run({ kind: 'linkDown', link, t: 6_000 }, { kind: 'linkUp', link, t: 7_000 });
    assert.deepEqual(missedOf(run(mark(5, 7_100), mark(5, 12_000))), []);
  });
  it('skip ids where some were lost, and repeats count once', () => {
    const { market, run } = aMarket();
    const outputs = run(
      mark(10, 0),
      at(trade(11, 2), 1),
      at(trade(14, 2), 2),
      at(trade(14, 2), 3),
      at(trade(12, 2), 4),
    );
    assert.deepEqual(missedOf(outputs), [2]);
    assert.deepEqual([market.trades, market.tradedLots], [2, 4]);
  });
  it('that were never any are nothing to miss: some venues name 0', () => {
    const { run } = aMarket();
    assert.deepEqual(missedOf(run(mark(0, 0), mark(0, 9_000), at(trade(7, 1), 9_100), mark(0, 20_000))), []);
  });
});

describe('the paper venue beside a book that follows its stream', () => {
  it('is told of each change that the book took, so that what was taken from a level does not stay taken', () => {
    const { shard, run } = aShard();
    const paper = newPaperVenue({ symbols: [BTC] } as never, { seq: 0 } as never, 0);
    shard.paper = paper;
    paper.taken.set(BTC, new Map([[-101, { lots: 3, displayed: 3 }]]));
    run(change([], [101, 9], 900));
    assert.equal(paper.taken.get(BTC)?.size, 1, 'the book is not there yet');
    run(book([98, 5], [101, 3], 1_000));
    assert.equal(paper.taken.get(BTC)?.size, 1, 'it shows the same size');
    run(change([], [101, 9], 1_100));
    assert.equal(paper.taken.get(BTC)?.size, 0);
  });
});
