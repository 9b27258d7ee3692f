// A market that its venue halts, in the core: what readers hear, what the paper venue does, and the book afterwards.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Features, OrderRequest, VenueReport } from '../contract/messages.ts';
import { openAccount } from './paper/account.ts';
import { feeRate } from './paper/money.ts';
import { newPaperVenue } from './paper/venue.ts';
import type { Event, Output } from './step.ts';
import { aShard, BTC, depth, liveBook, trade } from './test/frames.ts';
import { btcListing } from './test/listings.ts';

const listing = { ...btcListing, instrument: { ...btcListing.instrument, minNotionalUsd: 0 } };
const config = { bootId: 'boot', accounts: new Map([[BTC, 'Spot']] as const), ownFeeRates: new Map(), outMs: 20, feedMs: 20, jitterMs: 0 }; // prettier-ignore

function aMarket() {
  const made = aShard(listing);
  made.shard.paper = newPaperVenue(config, openAccount(1_000_000), feeRate(3));
  made.run(...liveBook(1_000, [99, 400, 98, 600], [101, 300, 102, 400]));
  return { ...made, market: made.shard.markets.get(BTC)! };
}

const status = (halted: string | undefined, t: number): Event => ({ kind: 'status', symbol: BTC, halted, t });
const update = (id: number, bids: readonly number[], asks: readonly number[], t: number): Event => ({ kind: 'frame', frame: depth(id, id, bids, asks), t }); // prettier-ignore
const tick = (t: number): Event => ({ kind: 'tick', t });
let next = 0;
const order = (t: number, side: 'buy' | 'sell', reduceOnly = false): Event => {
  const id = `o${(next += 1)}`;
  const limitTicks = side === 'buy' ? 110 : 90;
  const request: OrderRequest = { kind: 'new', id, symbol: BTC, side, lots: 5, limitTicks, reduceOnly, timeInForce: 'IOC', epoch: 1, t }; // prettier-ignore
  return { kind: 'order', request, requestId: id, transitMs: 0, t };
};
const featuresIn = (outputs: readonly Output[]): readonly Features[] =>
  outputs.flatMap((output) => (output.kind === 'features' ? [output.features] : []));
const reportsIn = (outputs: readonly Output[]): readonly VenueReport[] =>
  outputs.flatMap((output) => (output.kind === 'answer' ? output.answer.reports : []));
const kindsIn = (outputs: readonly Output[]): readonly string[] => reportsIn(outputs).map(({ kind }) => kind);
const refusalsIn = (outputs: readonly Output[]): readonly string[] =>
  reportsIn(outputs).flatMap((report) => (report.kind === 'rejected' ? [report.reason] : []));

describe('a halted market', () => {
  it('is told at once, by the venue’s own word, and is not valid; told again only where that changes', () => {
    const { run, market } = aMarket();
    const told = run(status('BREAK', 2_000));
    assert.deepEqual(told[0], { kind: 'status', symbol: BTC, halted: 'BREAK' });
    assert.deepEqual(featuresIn(told).map(({ valid, halted }) => [valid, halted]), [[false, 'BREAK']]); // prettier-ignore
    assert.deepEqual(run(status('BREAK', 2_100)), []);
    assert.equal(run(status('HALT', 2_200))[0]?.kind, 'status');
    assert.equal(market.halted, 'HALT');
    assert.deepEqual(run({ kind: 'status', symbol: 'nobody', halted: 'BREAK', t: 2_300 }), []);
  });

  it('has the book that its stream went on to have, at the moment at which it trades again', () => {
    const { run } = aMarket();
    run(status('BREAK', 2_000), update(11, [99, 0, 97, 7], [101, 0], 2_100));
    const [first] = featuresIn(run(status(undefined, 3_000)));
    assert.deepEqual([first?.valid, first?.bidTicks, first?.askTicks], [true, 98, 102]);
    assert.ok(!Object.hasOwn(first ?? {}, 'halted'));
  });

  it('is not valid when it trades again where its book was lost meanwhile, until that is there', () => {
    const { run, market } = aMarket();
    run(status('BREAK', 2_000));
    const lost = run(update(15, [99, 1], [], 2_100));
    assert.ok(lost.some((output) => output.kind === 'snapshotWanted' && output.because === 'Gap'));
    run(status(undefined, 3_000));
    assert.equal(market.valid, false);
    run({ kind: 'snapshot', snapshot: { kind: 'snapshot', symbol: BTC, lastId: 15, bids: [99, 2], asks: [101, 3] }, t: 3_100 }); // prettier-ignore
    assert.equal(market.valid, true);
  });

  it('may have a book that crosses itself, as an auction’s does: only when it trades again that is a loss', () => {
    const { run, market } = aMarket();
    run(status('AUCTION_MATCH', 2_000));
    const crossed = run(update(11, [105, 9], [], 2_100));
    assert.ok(crossed.every(({ kind }) => kind === 'features'));
    const open = run(status(undefined, 3_000));
    assert.ok(open.some((output) => output.kind === 'snapshotWanted' && output.because === 'Crossed'));
    assert.equal(market.valid, false);
  });

  it('is no dead stream: nothing is asked for while nothing comes', () => {
    const { run, link } = aMarket();
    const outputs = [...run(status('BREAK', 2_000))];
    for (let t = 2_010; t < 120_000; t += 100) outputs.push(...run({ kind: 'heard', link, t }, tick(t)));
    assert.ok(outputs.length > 100);
    assert.ok(outputs.every(({ kind }) => kind === 'features' || kind === 'status'));
  });

  it('leaves a hole in the grid, and returns over it are unknown', () => {
    const { run, link } = aMarket();
    const go = (from: number, to: number): readonly Output[] => {
      const outputs: Output[] = [];
      for (let t = from; t < to; t += 500) outputs.push(...run({ kind: 'heard', link, t }, tick(t)));
      return outputs;
    };
    go(1_000, 61_000);
    run(status('BREAK', 61_000));
    go(61_500, 121_000);
    run(update(11, [99, 0, 98, 0, 197, 5, 196, 5], [101, 0, 102, 0, 201, 5], 121_000), status(undefined, 121_000));
    const last = featuresIn(go(121_500, 131_000)).at(-1);
    assert.equal(last?.valid, true);
    assert.equal(last.returnsBps.s5, 0);
    assert.equal(last.returnsBps.s30, undefined);
  });
});

describe('the paper venue in a halt', () => {
  it('refuses every order, as venues do, also one that reduces', () => {
    const { run, link } = aMarket();
    run(order(1_100, 'buy'), tick(1_200), status('BREAK', 2_000));
    for (const one of [order(2_100, 'buy'), order(2_200, 'sell', true)])
      assert.deepEqual(refusalsIn(run(one)), ['MarketHalted: BTC-USD is BREAK at its venue']);
    run({ kind: 'heard', link, t: 3_000 }, status(undefined, 3_000));
    assert.deepEqual(kindsIn(run(order(3_100, 'sell', true), tick(3_200))), ['accepted', 'fill', 'done']);
  });

  it('refuses what was on its way when the halt came', () => {
    const { run } = aMarket();
    const outputs = run(order(2_000, 'buy'), status('BREAK', 2_010), tick(2_050));
    assert.deepEqual(refusalsIn(outputs), ['MarketHalted: BTC-USD is BREAK at its venue']);
  });

  it('fills nothing and shows no valid book for as long as a halt lasts, whatever happens', () => {
    const happening = fc.constantFrom('halt', 'resume', 'resume', 'buy', 'buy', 'sell', 'trade', 'update', 'update', 'gap', 'snapshot', 'tick', 'tick'); // prettier-ignore
    let filled = 0;
    fc.assert(
      fc.property(fc.array(happening, { minLength: 60, maxLength: 80 }), (happenings) => {
        const { run, market } = aMarket();
        let [t, id] = [1_000, 10];
        for (const what of happenings) {
          t += 15;
          id += 1;
          const events: Readonly<Record<typeof what, Event>> = {
            halt: status('BREAK', t),
            resume: status(undefined, t),
            buy: order(t, 'buy'),
            sell: order(t, 'sell', true),
            trade: { kind: 'frame', frame: trade(id, 1), t },
            update: { kind: 'frame', frame: depth(10, id, [99, id], [101, id]), t },
            gap: update(id + 5, [99, id], [101, id], t),
            snapshot: { kind: 'snapshot', snapshot: { kind: 'snapshot', symbol: BTC, lastId: id, bids: [99, 9], asks: [101, 9] }, t }, // prettier-ignore
            tick: tick(t),
          };
          // Orders that fall due meet the market as it was before the event.
          const wasHalted = market.halted !== undefined;
          const outputs = run(events[what] ?? tick(t));
          if (kindsIn(outputs).includes('fill')) filled += 1;
          if (wasHalted) assert.ok(!kindsIn(outputs).includes('fill'));
          if (market.halted !== undefined) assert.ok(!market.valid);
          for (const { valid, halted } of featuresIn(outputs)) assert.ok(halted === undefined || !valid);
        }
      }),
    );
    assert.ok(filled > 20, String(filled));
  });

  it('takes up new bounds of orders at once', () => {
    const { run } = aMarket();
    run({ kind: 'bounds', symbol: BTC, listing: { ...listing, minLots: 6 }, t: 2_000 });
    assert.deepEqual(refusalsIn(run(order(2_100, 'buy'))), ['LotSize: 5 lots, step 1, least 6']);
  });
});
