import assert from 'node:assert/strict';
import type { Restart } from './record.ts';
import { tellings } from './tellings.ts';

const T0 = '2026-11-26T05:00:00.000Z';
const restartOf = (id: string, more: Partial<Restart> = {}): Restart => ({
  id,
  cause: 'Requested',
  startedAt: T0,
  state: 'Running',
  steps: [
    { name: 'StopTrading', state: 'Running', startedAt: T0 },
    { name: 'Drain', state: 'Pending' },
  ],
  ...more,
});
const notes = (before: Restart | undefined, after: Restart | undefined): string[] =>
  tellings(before, after).map(({ type, reason, note }) => `${type} ${reason}: ${note}`);

describe('what a restart tells', () => {
  it('is its beginning, then each step as it begins and ends, then its end', () => {
    const first = restartOf('a');
    assert.deepEqual(notes(undefined, first), [
      'Normal RestartBegan: restart a (Requested) began',
      'Normal StopTrading: restart a: StopTrading began',
    ]);
    const endedAt = '2026-11-26T05:00:01.500Z';
    const next = restartOf('a', {
      state: 'Failed',
      steps: [
        { name: 'StopTrading', state: 'Done', startedAt: T0, endedAt },
        { name: 'Drain', state: 'Failed', startedAt: endedAt, endedAt, message: 'demo-harmoniser-0 has 2 orders' },
      ],
    });
    assert.deepEqual(notes(first, next), [
      'Normal StopTrading: restart a: StopTrading: Done after 1.5 s',
      'Warning Drain: restart a: Drain: Failed after 0.0 s: demo-harmoniser-0 has 2 orders',
      'Warning RestartFailed: restart a: Failed',
    ]);
    assert.deepEqual(notes(next, next), []);
    assert.deepEqual(notes(next, undefined), []);
  });
  it('is never the same text for two restarts: an Event that comes again is a repetition', () => {
    const [one, other] = ['a', 'b'].map((id) => notes(undefined, restartOf(id)));
    assert.ok(one?.every((note) => other?.includes(note) === false));
  });
});
