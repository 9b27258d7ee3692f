// Books that come late, in the core: what readers are told of them, and when no more.
import assert from 'node:assert/strict';
import type { Features } from '../contract/messages.ts';
import { skewsOf, lagsOf } from './source-clocks.ts';
import { newShard, step, type Event } from './step.ts';
import { BTC, depth, liveBook, trade } from './test/frames.ts';
import { btcListing } from './test/listings.ts';
import { newVenueClock } from './venue/lag.ts';

const T = 1_723_161_240_000;
const WAY_MS = 2;

/** A live book, after a second of messages that came in time. */
function aBook(hasClock = true) {
  const shard = newShard('boot');
  const link = { source: 'binance', up: true, heardAt: 0, ...(hasClock ? { clock: newVenueClock() } : {}) };
  let [id, t] = [10, T];
  const sent: Features[] = [];
  const run = (...events: readonly Event[]): void => {
    for (const output of events.flatMap((event) => step(shard, event)))
      if (output.kind === 'features') sent.push(output.features);
  };
  /** One depth event, so many ms after the one before, that took so long. */
  const update = (afterMs: number, tookMs: number): void => {
    t += afterMs;
    id += 1;
    const bid = [99, id] as const;
    run({ kind: 'frame', frame: { ...depth(id, id, bid, []), venueAt: t - tookMs }, t });
  };
  run({ kind: 'listed', listing: btcListing, link, t }, ...liveBook(t, [99, 1], [101, 1]));
  for (let i = 0; i < 10; i++) update(100, WAY_MS);
  const tick = (afterMs: number): Features => {
    t += afterMs;
    run({ kind: 'tick', t });
    const last = sent.at(-1);
    assert.ok(last?.t === t, 'features each second at least');
    return last;
  };
  return { shard, link, run, update, tick, market: shard.markets.get(BTC)!, now: () => t };
}

describe('features of a book that comes late', () => {
  it('say by how much', () => {
    const { update, tick } = aBook();
    assert.equal(tick(1_000).lagMs, 0);
    update(100, 3_000);
    assert.equal(tick(1_000).lagMs, 3_000 - WAY_MS);
    update(100, WAY_MS + 20);
    assert.equal(tick(1_000).lagMs, 20);
  });
  it('say nothing of it where the times of a source say nothing', () => {
    const { update, tick } = aBook(false);
    update(100, 3_000);
    assert.ok(!('lagMs' in tick(1_000)));
  });
  it('are late by the last update for 10 s, then it is the silence that counts', () => {
    const { update, tick } = aBook();
    update(100, 3_000);
    assert.equal(tick(10_000).lagMs, 3_000 - WAY_MS);
    assert.equal(tick(1_000).lagMs, 0);
  });
  it('are not late by a trade, nor by an update that the book has from another connection', () => {
    const { run, tick, now } = aBook();
    run({ kind: 'frame', frame: { ...trade(1, 5), venueAt: now() - 3_000 }, t: now() });
    run({ kind: 'frame', frame: { ...depth(12, 12, [99, 1], []), venueAt: now() - 5_000 }, t: now() });
    assert.equal(tick(1_000).lagMs, 0);
  });
  it('are not late by what came before the connection was made anew; the shortest way is still known', () => {
    const { run, link, update, tick, now } = aBook();
    update(100, 3_000);
    run({ kind: 'linkDown', link, t: now() }, { kind: 'linkUp', link, t: now() });
    assert.equal(tick(1_000).lagMs, 0);
    update(100, 700);
    assert.equal(tick(1_000).lagMs, 700 - WAY_MS);
  });
});

describe('a book that comes late', () => {
  it('is a hole of the grid from 15 s on', () => {
    for (const [tookMs, isHole] of [[9_000, false], [15_100, true]] as const) {
      const { update, tick, market } = aBook();
      for (let i = 0; i < 100; i++) update(100, tookMs);
      const before = market.grid.lastIndex;
      for (let i = 0; i < 6; i++) update(1_000, tookMs);
      tick(1_000);
      assert.equal(market.grid.lastIndex === before, isHole, `${tookMs} ms`);
    } // prettier-ignore
  });
  it('is told of its source, with its clock, wherever the wall clock is', () => {
    const { shard, update, now } = aBook();
    update(100, 3_000);
    assert.deepEqual([...lagsOf(shard, now())], [['binance', 3_000 - WAY_MS]]);
    assert.deepEqual([...skewsOf(shard, { now: now(), at: now() + 500 })], [['binance', WAY_MS + 500]]);
    const { shard: silent } = aBook(false);
    assert.equal(lagsOf(silent, now()).size + skewsOf(silent, { now: now(), at: now() }).size, 0);
  });
});
