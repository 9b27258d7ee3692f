import assert from 'node:assert/strict';
import { inSession } from './test/builders.ts';
import { Desk, statusOf } from './test/desk.ts';

describe('the figures of a symbol', () => {
  const opensAt = (session: Parameters<typeof inSession>[0]): number | undefined =>
    statusOf(new Desk().open({}, inSession(session, 'stocks'))).symbols['BTC-USD']?.opensAt;
  // A desk's clock stands at 14 November 2023, 22:13 UTC.
  it('say when a closed market opens', () =>
    assert.equal(opensAt({ marketHoursOnly: true, calendar: 'XNYS' }), Date.parse('2023-11-15T14:30:00Z')));
  it('say nothing of it where the market is open, or nobody has said which it is', () => {
    assert.equal(opensAt({ marketHoursOnly: true, calendar: 'FX' }), undefined);
    assert.equal(opensAt({ marketHoursOnly: true }), undefined);
    assert.equal(opensAt({ marketHoursOnly: false }), undefined);
  });
});
