import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { newSkew, noteTimes, skewMs } from './skew.ts';

const NOW = 1_723_161_255_000;
const MINUTE_MS = 60_000;

describe('the skew of a clock', () => {
  it('is unknown before the first message, and ten minutes after the last', () => {
    const skew = newSkew();
    assert.equal(skewMs(skew, NOW), undefined);
    noteTimes(skew, NOW - 5, NOW);
    assert.equal(skewMs(skew, NOW), 5);
    assert.equal(skewMs(skew, NOW + 9 * MINUTE_MS), 5);
    assert.equal(skewMs(skew, NOW + 11 * MINUTE_MS), undefined);
  });
  it('is behind the venue’s where messages seem to come before they were sent', () => {
    const skew = newSkew();
    noteTimes(skew, NOW + 1_272, NOW);
    assert.equal(skewMs(skew, NOW), -1_272);
  });
  it('follows a clock that was put right, once the old minutes are gone', () => {
    const skew = newSkew();
    noteTimes(skew, NOW + 3_000, NOW);
    for (let minute = 1; minute <= 10; minute++)
      noteTimes(skew, NOW + minute * MINUTE_MS - 2, NOW + minute * MINUTE_MS);
    assert.equal(skewMs(skew, NOW + 10 * MINUTE_MS), 2);
  });
  it('is the least of the last minutes, whatever way each message took', () => {
    const messages = fc.array(
      fc.record({ waitMs: fc.nat(3 * MINUTE_MS), tookMs: fc.integer({ min: -5_000, max: 5_000 }) }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(messages, (all) => {
        const skew = newSkew();
        let now = NOW;
        const noted = all.map(({ waitMs, tookMs }) => {
          now += waitMs;
          noteTimes(skew, now - tookMs, now);
          return { at: now, tookMs };
        });
        const minute = Math.floor(now / MINUTE_MS);
        const recent = noted.filter(({ at }) => Math.floor(at / MINUTE_MS) > minute - 10);
        assert.equal(skewMs(skew, now), Math.min(...recent.map(({ tookMs }) => tookMs)));
      }),
    );
  });
});
