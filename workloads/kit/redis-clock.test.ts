import assert from 'node:assert/strict';
import { RedisClock } from './redis-clock.ts';

const SKEW = 40_000;
/** Asks at `now` and hears `roundTripMs` later; the answer was made after `share` of the way. */
const ask = (clock: RedisClock, now: number, roundTripMs: number, share = 0.5): void =>
  clock.heard(now + SKEW + share * roundTripMs, now, now + roundTripMs);
const idAt = (now: number): string => `${now + SKEW}-7`;

describe('the clock of Redis', () => {
  it('gives an entry’s age though the clocks are far apart', () => {
    const clock = new RedisClock();
    ask(clock, 1_000, 2);
    assert.equal(clock.ageOf(idAt(2_000), 2_350), 350);
  });
  it('believes the answer that was on its way shortest', () => {
    const clock = new RedisClock();
    ask(clock, 1_000, 1);
    ask(clock, 6_000, 400, 0.99);
    assert.equal(clock.ageOf(idAt(7_000), 7_100), 100);
  });
  it('follows a clock that was set at once, and a drift within a few answers', () => {
    const clock = new RedisClock();
    ask(clock, 1_000, 1);
    clock.heard(6_000 + SKEW + 5_000, 6_000, 6_000);
    assert.equal(clock.ageOf(`${6_000 + SKEW + 5_000}-0`, 6_100), 100);
    const drifting = new RedisClock();
    for (let i = 0; i < 10; i++) drifting.heard(5_000 * i + SKEW + i, 5_000 * i, 5_000 * i + 1);
    assert.ok(drifting.ageOf(`${45_000 + SKEW + 9}-0`, 45_000) <= 4);
  });
  it('never gives an age below 0, and before it has heard takes everything for old', () => {
    const clock = new RedisClock();
    assert.equal(clock.ageOf(idAt(1_000), 5_000), Infinity);
    ask(clock, 1_000, 1);
    assert.equal(clock.ageOf(idAt(9_000), 8_000), 0);
  });
});
