import assert from 'node:assert/strict';
import { etagIn, nextPollMs, pauseMs, refusalOf } from './poll.ts';

describe('the next poll of a provider', () => {
  const fine = { failures: 0, afterMs: 0, tookMs: 0 };
  it('comes each interval, however long an answer takes within it', () => {
    assert.equal(nextPollMs(fine, 5_000, 0.5), 5_000);
    assert.equal(nextPollMs({ ...fine, tookMs: 4_000 }, 5_000, 0.5), 5_000);
    assert.equal(nextPollMs({ ...fine, tookMs: 9_000 }, 5_000, 0.5), 9_000);
  });
  it('never comes sooner for a failure, and waits anywhere up to twice as long after each, 30 s at most', () => {
    const after = (failures: number, random = 1) => nextPollMs({ ...fine, failures }, 1_000, random);
    assert.deepEqual([1, 2, 3, 4, 5, 20].map((failures) => after(failures)), [1_000, 1_000, 2_000, 4_000, 8_000, 30_000]); // prettier-ignore
    assert.equal(after(20, 0.5), 15_000);
    assert.equal(after(20, 0), 1_000);
  });
  it('waits for as long as the provider says', () => {
    assert.equal(nextPollMs({ failures: 1, afterMs: 30_000, tookMs: 200 }, 1_000, 0), 30_200);
  });
});

describe('what a provider answers that gives nothing', () => {
  const NOW = Date.UTC(2026, 10, 26, 5, 10);
  for (const [status, header, ms] of [
    [429, '7', 7_000],
    [503, '7', 7_000],
    [429, 'Thu, 26 Nov 2026 05:10:20 GMT', 20_000],
    [429, 'Thu, 26 Nov 2026 05:09:00 GMT', 0],
    [429, null, 10_000],
    [429, 'soon', 10_000],
    [429, '999999999', 3_600_000],
    [500, '7', 0],
  ] as const)
    it(`is a pause of ${ms} ms at ${status} with Retry-After ${header}`, () =>
      assert.equal(pauseMs(status, header, NOW), ms));
  it('says what to do', () => {
    assert.match(refusalOf(401), /credentials refused \(status 401\): see to key token/);
    assert.match(refusalOf(403), /credentials refused/);
    assert.match(refusalOf(429), /told to ask less often.*pollSeconds/);
    assert.match(refusalOf(302), /redirected.*see to url/);
    assert.match(refusalOf(404), /not found.*see to url/);
    assert.equal(refusalOf(500), 'status 500');
  });
  it('sends back no ETag that may not stand in a header', () => {
    assert.deepEqual(['W/"a1"', 'a\nb', '', 'x'.repeat(257), null].map(etagIn), [{ etag: 'W/"a1"' }, {}, {}, {}, {}]);
  });
});
