import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { BOOK_FRESH_MS } from '../../contract/messages.ts';
import { isBehind, lagOf, lagOfBook, newVenueClock, reconnected, type VenueClock } from './lag.ts';
import { skewMs } from './skew.ts';

const T = 1_723_161_240_000;
const MINUTE = 60_000;

/** Messages of each 100 ms of `[from, to)`, that took `took` and were dated by a clock that is `ahead`; the last one's lag. */
function play(clock: VenueClock, [from, to]: readonly [number, number], took: (t: number) => number, ahead = 0) {
  const lags: number[] = [];
  for (let t = from; t < to; t += 100) lags.push(lagOfBook(clock, t - took(t) + ahead, t) ?? Number.NaN);
  return { last: lags.at(-1) ?? Number.NaN, most: Math.max(...lags) };
}

const known = (tookMs = 2): VenueClock => {
  const clock = newVenueClock();
  play(clock, [T, T + 15 * MINUTE], () => tookMs);
  return clock;
};
const NOW = T + 15 * MINUTE;

describe('the lag of a message', () => {
  it('is how much later it comes than those that came soonest, whatever the clocks', () => {
    for (const ahead of [0, 1_272, -3 * 3_600_000]) {
      const clock = newVenueClock();
      play(clock, [T, T + MINUTE], () => 5, ahead);
      assert.equal(lagOf(clock, T + MINUTE - 5 - 700 + ahead, T + MINUTE), 700);
      assert.equal(skewMs(clock.skew, T + MINUTE), 5 - ahead);
    }
  });
  it('is unknown where there is no time, or one that is a day away', () => {
    const clock = known();
    assert.equal(lagOf(clock, 0, NOW), undefined);
    assert.equal(lagOf(clock, NOW - 24 * 60 * MINUTE - 1, NOW), undefined);
    assert.equal(lagOf(clock, Number.NaN, NOW), undefined);
  });
  it('is none of the first message, and of whichever comes sooner', () => {
    const clock = newVenueClock();
    assert.deepEqual([900, 400, 410, 420, 3].map((took, i) => lagOf(clock, T + i - took, T + i)), [0, 0, 0, 10, 0]); // prettier-ignore
  });
  it('is not spoilt by one damaged time, at the start or later', () => {
    for (const clock of [known(), newVenueClock()]) {
      lagOf(clock, NOW + 3_600_000, NOW);
      assert.ok((lagOf(clock, NOW - 4, NOW + 1) ?? Infinity) <= 3);
      assert.ok((lagOf(clock, NOW - 5_000, NOW + 2) ?? 0) > 4_900);
      lagOf(clock, NOW + 3_600_000, NOW + 3);
      assert.ok((lagOf(clock, NOW - 5_000, NOW + 4) ?? Infinity) < 5_100, 'nor by one more, later');
    }
  });
  it('follows a clock of the venue that is set forward, with the second message', () => {
    const clock = known();
    assert.ok(play(clock, [NOW, NOW + MINUTE], () => 2, 3_000).most <= 1);
    assert.equal(lagOf(clock, NOW + MINUTE - 500 + 3_000, NOW + MINUTE), 498);
  });
  it('comes back by itself within ten minutes after the venue’s clock is set back, at once where it was by little', () => {
    const clock = known();
    assert.equal(play(clock, [NOW, NOW + 9 * MINUTE], () => 2, -3_000).last, 3_000);
    assert.ok(play(clock, [NOW + 9 * MINUTE, NOW + 11 * MINUTE], () => 2, -3_000).last < 1);
    const little = known();
    assert.equal(play(little, [NOW, NOW + 9 * MINUTE], (t) => 2 + (t % 300), -900).most, 1_100);
    assert.ok(play(little, [NOW + 9 * MINUTE, NOW + 11 * MINUTE], () => 2, -900).last < 1);
    const uneven = known();
    // Whose shortest way is 400 ms longer in every other minute.
    const took = (t: number): number => 2 + (Math.floor(t / MINUTE) % 2) * 400;
    play(uneven, [NOW, NOW + 11 * MINUTE], took, -500);
    assert.equal(lagOf(uneven, NOW + 12 * MINUTE - 2 - 500, NOW + 12 * MINUTE), 0);
  });
  it('is not forgiven by time where it is now more and now less, and is gone with it', () => {
    const clock = known();
    // A queue that is half a minute long, and three to eight seconds late.
    const took = (t: number): number => 5_500 + 2_500 * Math.sin(t / 40_000);
    for (let minute = 0; minute < 60; minute++) {
      const [from, to] = [NOW + minute * MINUTE, NOW + (minute + 1) * MINUTE] as const;
      assert.ok(play(clock, [from, to], took).last > BOOK_FRESH_MS, `minute ${minute}`);
    }
    assert.equal(play(clock, [NOW + 60 * MINUTE, NOW + 61 * MINUTE], () => 2).last, 0);
  });
  it('is not forgiven where it grows slowly, by however little a minute, and is gone with it', () => {
    for (const perMinute of [15, 90, 400]) {
      const clock = known();
      const minutes = Math.ceil((1.5 * BOOK_FRESH_MS) / perMinute);
      const took = (t: number): number => 2 + (t % 40) + ((t - NOW) / MINUTE) * perMinute;
      const { last } = play(clock, [NOW, NOW + minutes * MINUTE], took);
      assert.ok(last > BOOK_FRESH_MS, `${perMinute} ms a minute: ${last}`);
      assert.ok(play(clock, [NOW + minutes * MINUTE, NOW + (minutes + 1) * MINUTE], () => 2).last < 1);
    }
  });
  it('is none of a way that became longer by a little, ten minutes later', () => {
    const clock = known();
    play(clock, [NOW, NOW + 11 * MINUTE], () => 150);
    assert.equal(play(clock, [NOW + 11 * MINUTE, NOW + 12 * MINUTE], () => 150).most, 0);
  });
  it('is measured anew after ten minutes without a message', () => {
    const clock = known();
    const after = NOW + 12 * MINUTE;
    assert.equal(play(clock, [after, after + 1_000], () => 4_000).most, 0);
  });
  it('creeps with no drift of our own clock', () => {
    const clock = known();
    // 100 ppm, as no disciplined clock has.
    assert.ok(play(clock, [NOW, NOW + 40 * MINUTE], (t) => 2 + (t - NOW) * 1e-4).most < 70);
  });
  it('is never more than what the message took longer than the shortest way, where no clock is set', () => {
    const ways = fc.array(fc.record({ waitMs: fc.integer({ min: 1, max: MINUTE }), tookMs: fc.nat(20_000) }), { minLength: 2, maxLength: 60 }); // prettier-ignore
    fc.assert(
      fc.property(ways, (all) => {
        const clock = newVenueClock();
        let t = T;
        for (const { waitMs, tookMs } of all) {
          t += waitMs;
          const lag = lagOf(clock, t - tookMs, t) ?? Number.NaN;
          assert.ok(lag >= 0 && lag <= tookMs, `${lag} of ${tookMs}`);
        }
      }),
    );
  });
});

describe('a connection', () => {
  it('is behind when every message of its books was late for a while, and they still come', () => {
    const clock = known();
    play(clock, [NOW, NOW + 29_000], () => 3_000);
    assert.equal(isBehind(clock, 30_000, NOW + 29_000), false);
    play(clock, [NOW + 29_000, NOW + 31_000], () => 3_000);
    assert.equal(isBehind(clock, 30_000, NOW + 31_000), true);
    assert.equal(isBehind(clock, 30_000, NOW + 70_000), false, 'silent since');
    play(clock, [NOW + 31_000, NOW + 31_100], () => 2);
    assert.equal(isBehind(clock, 30_000, NOW + 31_100), false, 'one in time');
    play(clock, [NOW + 31_100, NOW + 62_100], () => 2 + BOOK_FRESH_MS);
    assert.equal(isBehind(clock, 30_000, NOW + 62_100), false, 'as late as a fresh book may be');
    play(clock, [NOW + 62_100, NOW + 93_100], () => 2 + BOOK_FRESH_MS + 1);
    assert.equal(isBehind(clock, 30_000, NOW + 93_100), true);
  });
  it('is not behind because of a late message after a silence, nor of what came before it was made', () => {
    const clock = known();
    play(clock, [NOW + 5 * MINUTE, NOW + 5 * MINUTE + 100], () => 3_000);
    assert.equal(isBehind(clock, 30_000, NOW + 5 * MINUTE + 29_000), false);
    play(clock, [NOW + 6 * MINUTE, NOW + 7 * MINUTE], () => 3_000);
    assert.equal(isBehind(clock, 30_000, NOW + 7 * MINUTE), true);
    reconnected(clock);
    assert.equal(isBehind(clock, 30_000, NOW + 7 * MINUTE), false);
  });
});
