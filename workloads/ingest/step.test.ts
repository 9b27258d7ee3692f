import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import type { Features } from '../contract/messages.ts';
import { step, type Event, type Output } from './step.ts';
import { aShard, BTC, depth, liveBook, snapshot, ticker, trade } from './test/frames.ts';
import { ethListing } from './test/listings.ts';

const featuresOf = (outputs: readonly Output[]): readonly Features[] =>
  outputs.flatMap((output) => (output.kind === 'features' ? [output.features] : []));
const becauseOf = (outputs: readonly Output[]): readonly string[] =>
  outputs.flatMap((output) => (output.kind === 'snapshotWanted' ? [output.because] : []));
const frame = (of: Extract<Event, { kind: 'frame' }>['frame'], t: number): Event => ({ kind: 'frame', frame: of, t });

describe('a symbol that starts', () => {
  it('asks for a snapshot at its first depth event, once, and is valid when that has joined', () => {
    const { shard, run } = aShard();
    const asked = run(frame(depth(5, 6, [], []), 1_000), frame(depth(7, 8, [99, 2], []), 1_100));
    assert.deepEqual(becauseOf(asked), ['Start']);
    assert.equal(shard.markets.get(BTC)?.valid, false);
    const joined = run({ kind: 'snapshot', snapshot: snapshot(6, [98, 1], [101, 3]), t: 1_200 });
    assert.deepEqual(
      featuresOf(joined).map(({ valid, bidTicks }) => [valid, bidTicks]),
      [[true, 99]],
    );
  });

  it('asks again for a snapshot that is too old', () => {
    const { run } = aShard();
    run(frame(depth(50, 60, [], []), 1_000));
    assert.deepEqual(becauseOf(run({ kind: 'snapshot', snapshot: snapshot(40, [], []), t: 1_100 })), ['TooOld']);
  });
});

describe('a live book', () => {
  const start = liveBook(1_000, [99, 2, 98, 5], [101, 3]);

  it('is out from a gap until a new snapshot has joined', () => {
    const { shard, run } = aShard();
    run(...start);
    const market = shard.markets.get(BTC)!;
    assert.deepEqual(becauseOf(run(frame(depth(12, 13, [99, 1], []), 1_100))), ['Gap']);
    assert.equal(market.valid, false);
    run(frame(depth(14, 14, [97, 1], []), 1_200));
    run({ kind: 'snapshot', snapshot: snapshot(13, [99, 7], [101, 3]), t: 1_300 });
    assert.equal(market.valid, true);
    assert.equal(market.best.bidLots, 7);
  });

  it('that crossed itself takes no snapshot of before that', () => {
    const { shard, run } = aShard();
    run(...start, frame(depth(11, 12, [101, 1], []), 1_100));
    assert.deepEqual(becauseOf(run({ kind: 'snapshot', snapshot: snapshot(9, [90, 1], [95, 1]), t: 1_200 })), ['TooOld']); // prettier-ignore
    assert.equal(shard.markets.get(BTC)!.valid, false);
    run({ kind: 'snapshot', snapshot: snapshot(12, [101, 1], [103, 1]), t: 1_300 });
    assert.equal(shard.markets.get(BTC)!.valid, true);
  });
  it('is out when it crosses itself', () => {
    const { shard, run } = aShard();
    run(...start);
    assert.deepEqual(becauseOf(run(frame(depth(11, 11, [101, 1], []), 1_100))), ['Crossed']);
    assert.equal(shard.markets.get(BTC)?.valid, false);
  });

  it('is out while one side is empty, without a resync', () => {
    const { shard, run } = aShard();
    run(...start);
    assert.deepEqual(becauseOf(run(frame(depth(11, 11, [], [101, 0]), 1_100))), []);
    assert.equal(shard.markets.get(BTC)?.valid, false);
    run(frame(depth(12, 12, [], [102, 1]), 1_200));
    assert.equal(shard.markets.get(BTC)?.valid, true);
  });

  it('is out when its connection is lost, and asks again at the first event after', () => {
    const { shard, link, run } = aShard();
    run(...start, { kind: 'linkDown', link, t: 1_500 });
    assert.equal(shard.markets.get(BTC)?.valid, false);
    const asked = run({ kind: 'linkUp', link, t: 2_000 }, frame(depth(90, 91, [], []), 2_100));
    assert.deepEqual(becauseOf(asked), ['Start']);
  });

  it('takes the bookTicker where it is ahead and leaves it where the book has passed it', () => {
    const { shard, run } = aShard();
    run(...start, frame(ticker(12, [100, 4], [101, 3]), 1_100));
    const { best } = shard.markets.get(BTC)!;
    assert.deepEqual([best.bidTicks, best.bidLots], [100, 4]);
    run(frame(ticker(11, [97, 1], [98, 1]), 1_120)); // late
    assert.equal(best.bidTicks, 100);
    run(frame(depth(11, 13, [], []), 1_200));
    assert.equal(best.bidTicks, 99);
  });

  it('counts a repeated trade once and names trades that were missed', () => {
    const { shard, run } = aShard();
    run(...start);
    const outputs = run(frame(trade(7, 2), 1_100), frame(trade(7, 2), 1_101), frame(trade(10, 5, true), 1_102));
    const market = shard.markets.get(BTC)!;
    assert.deepEqual([market.trades, market.tradedLots], [2, 7]);
    assert.deepEqual(
      outputs.filter((output) => output.kind === 'tradesMissed'),
      [{ kind: 'tradesMissed', symbol: BTC, count: 2, lastId: 9 }],
    );
  });
});

describe('two symbols of one connection', () => {
  const ETH = 'ETH-USD';
  const books = (): ReturnType<typeof aShard> => {
    const world = aShard();
    step(world.shard, { kind: 'listed', listing: ethListing, link: world.link, t: 0 });
    const live = liveBook(1_000, [99, 2], [101, 3]);
    world.run(...live, ...live.map((event) => ofEth(event)));
    return world;
  };
  /** The same event, of the other symbol. */
  const ofEth = (event: Event): Event => {
    if (event.kind === 'frame') return { ...event, frame: { ...event.frame, symbol: ETH } };
    return event.kind === 'snapshot' ? { ...event, snapshot: { ...event.snapshot, symbol: ETH } } : event;
  };
  const ticks = (from: number, to: number): readonly Event[] =>
    Array.from({ length: (to - from) / 100 + 1 }, (_, i) => ({ kind: 'tick', t: from + 100 * i }));
  const validity = ({ shard }: ReturnType<typeof aShard>): boolean[] =>
    [BTC, ETH].map((symbol) => shard.markets.get(symbol)!.valid);
  const symbolsOf = (outputs: readonly Output[], kind: Output['kind']): string[] =>
    outputs.flatMap((output) => (output.kind === kind && 'symbol' in output ? [output.symbol] : []));

  it('resync apart: a gap of one leaves the other’s book as it is', () => {
    const world = books();
    const outputs = world.run(ofEth(frame(depth(15, 16, [], []), 1_100)), frame(depth(11, 12, [99, 7], []), 1_110));
    assert.deepEqual(symbolsOf(outputs, 'snapshotWanted'), [ETH]);
    assert.deepEqual(validity(world), [true, false]);
    assert.equal(world.shard.markets.get(BTC)!.best.bidLots, 7);
    world.run(ofEth({ kind: 'snapshot', snapshot: snapshot(16, [50, 1], [60, 1]), t: 1_200 }));
    assert.deepEqual(validity(world), [true, true]);
    assert.deepEqual([BTC, ETH].map((symbol) => world.shard.markets.get(symbol)!.best.bidTicks), [99, 50]); // prettier-ignore
  });

  it('stall apart: one whose depth stream falls behind its bookTicker for 2 s is out, until that is heard again', () => {
    const world = books();
    const lively = (from: number): readonly Event[] =>
      Array.from({ length: 10 }, (_, i) => {
        const t = 1_100 + (from + i) * 100;
        const id = 11 + from + i;
        return [
          frame(ticker(id + 1, [99, 1 + i], [101, 3]), t),
          frame(depth(id, id, [98, 1 + i], []), t),
          ofEth(frame(ticker(id, [99, 1 + i], [101, 3]), t)),
          { kind: 'tick', t } as const,
        ];
      }).flat();
    assert.deepEqual(symbolsOf(world.run(...lively(0), ...lively(10)), 'streamLost'), []);
    assert.deepEqual(symbolsOf(world.run(...lively(20)), 'streamLost'), [ETH]);
    assert.deepEqual(validity(world), [true, false]);
    const back = world.run(ofEth(frame(depth(90, 91, [], []), 5_000)));
    assert.deepEqual(symbolsOf(back, 'snapshotWanted'), [ETH]);
  });

  it('stall apart: one that the venue knows to be ahead is out, once', () => {
    const world = books();
    const stalled: Event = { kind: 'stalled', symbol: ETH, t: 15_000 };
    assert.deepEqual(symbolsOf(world.run(stalled, stalled), 'streamLost'), [ETH]);
    assert.deepEqual(validity(world), [true, false]);
  });

  it('raise no alarm while nothing happens: a bookTicker that the book has reached says that all came', () => {
    const world = books();
    world.run(frame(ticker(12, [99, 4], [101, 3]), 1_050), frame(depth(11, 12, [99, 4], []), 1_100));
    assert.deepEqual(symbolsOf(world.run(...ticks(1_100, 60_000)), 'streamLost'), []);
    assert.deepEqual(validity(world), [true, true]);
  });

  it('raise no alarm while the process itself stood still: what it has not read yet is not missing', () => {
    const world = books();
    const ahead = frame(ticker(12, [99, 4], [101, 3]), 1_050);
    assert.deepEqual(symbolsOf(world.run(...ticks(1_000, 1_100), ahead, ...ticks(9_000, 10_900)), 'streamLost'), []);
    assert.deepEqual(symbolsOf(world.run(...ticks(11_000, 11_200)), 'streamLost'), [BTC]);
  });

  it('take no snapshot while stalled: nothing would follow on it', () => {
    const world = books();
    world.run(ofEth(frame(depth(15, 16, [], []), 1_100)), { kind: 'stalled', symbol: ETH, t: 1_200 });
    world.run(ofEth({ kind: 'snapshot', snapshot: snapshot(16, [50, 1], [60, 1]), t: 1_300 }));
    assert.deepEqual(validity(world), [true, false]);
  });
});

describe('emission', () => {
  it('is at most 20 a second, newest wins, what was skipped is counted', () => {
    const { shard, run } = aShard();
    run(...liveBook(0, [99, 1], [101, 1]), { kind: 'tick', t: 500 });
    const events = Array.from({ length: 1_000 }, (_, i) => frame(ticker(20 + i, [99, 2 + i], [101, 1]), 1_000 + i));
    const sent = featuresOf(run(...events));
    assert.equal(sent.length, 20);
    for (const [i, features] of sent.entries()) if (i > 0) assert.ok(features.t - sent[i - 1]!.t >= 50);
    const [last] = featuresOf(run({ kind: 'tick', t: 2_000 }));
    assert.equal(last?.bidLots, 1_001);
    assert.equal(shard.emissions.get(BTC)!.skipped + sent.length + 1, 1_000);
  });

  it('comes at least every second from a silent market, with the age it has', () => {
    const { run } = aShard();
    run(...liveBook(0, [99, 1], [101, 1]));
    const ticks = Array.from({ length: 500 }, (_, i): Event => ({ kind: 'tick', t: 10 * i }));
    const sent = featuresOf(run(...ticks));
    assert.ok(sent.length >= 4 && sent.length <= 7, `${sent.length}`);
    assert.equal(sent.at(-1)?.heardAt, 0);
  });

  it('moves heardAt with a heartbeat', () => {
    const { link, run } = aShard();
    run(...liveBook(0, [99, 1], [101, 1]), { kind: 'heard', link, t: 900 });
    assert.equal(featuresOf(run({ kind: 'tick', t: 1_500 }))[0]?.heardAt, 900);
  });

  it('has numbers in their ranges whatever the frames', () => {
    const level = fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.nat(50));
    const anyFrame = fc.oneof(
      fc.record({ size: fc.integer({ min: 0, max: 4 }), bids: fc.array(level), asks: fc.array(level) }),
      fc.record({ bid: level, ask: level }),
      fc.record({ lots: fc.nat(9), sellerTook: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 30 }), (inputs) => {
        const { run } = aShard();
        run(...liveBook(0, [400, 1], [600, 1]));
        let [id, t] = [10, 1_000];
        for (const input of inputs) {
          t += 60;
          if ('size' in input)
            run(frame(depth(id + 1, (id += input.size + 1), input.bids.flat(), input.asks.flat()), t));
          else if ('bid' in input) run(frame(ticker((id += 1), input.bid, input.ask), t));
          else run(frame(trade(t, input.lots, input.sellerTook), t));
          for (const features of featuresOf(run({ kind: 'tick', t: t + 50 }))) assertInRange(features);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function assertInRange(features: Features): void {
  assert.ok(Math.abs(features.pressure) <= 1 && Math.abs(features.tradeImbalance) <= 1);
  for (const value of [features.mid, features.microPrice, features.spreadBps]) assert.ok(Number.isFinite(value));
  for (const value of Object.values(features.returnsBps)) assert.ok(Number.isFinite(value));
  if (features.valid) {
    assert.ok(features.bidTicks < features.askTicks && features.bidTicks > 0 && features.spreadBps > 0);
    const scale = features.instrument.priceScale;
    assert.ok(features.microPrice >= features.bidTicks / scale - 1e-9 || features.bidLots + features.askLots === 0);
    assert.ok(features.microPrice <= features.askTicks / scale + 1e-9);
  }
}
