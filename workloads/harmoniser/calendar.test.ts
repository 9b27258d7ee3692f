import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { CalendarName } from '@tradewind/crds/schema/router-rules.ts';
import { calendarOf } from './calendar.ts';

const at = (text: string): number => Date.parse(text);
const DAY = 86_400_000;

/** Spans in which positions may be opened, within [from, to), as `2024-07-03T13:30/16:55`, UTC. */
function spans(name: CalendarName, from: string, to: string, closedDates: readonly string[] = []): string[] {
  const calendar = calendarOf(name, closedDates);
  const found: string[] = [];
  for (let now = at(from); now < at(to);) {
    const { open, until } = calendar(now);
    assert.ok(until > now, 'time goes on');
    if (open) found.push(`${new Date(now).toISOString().slice(0, 16)}/${new Date(until).toISOString().slice(11, 16)}`);
    now = until;
  }
  return found;
}
const openDays = (year: number): Set<string> =>
  new Set(spans('XNYS', `${year}-01-01T00:00Z`, `${year + 1}-01-01T00:00Z`).map((span) => span.slice(0, 10)));

describe('the calendar of the New York Stock Exchange', () => {
  it('is 9:30 to 16:00 less the last five minutes, in summer and in winter, through both changes of clocks', () => {
    assert.deepEqual(spans('XNYS', '2026-03-05T12:00Z', '2026-03-10T12:00Z'), [
      '2026-03-05T14:30/20:55',
      '2026-03-06T14:30/20:55',
      '2026-03-09T13:30/19:55',
    ]);
    assert.deepEqual(spans('XNYS', '2026-10-30T12:00Z', '2026-11-03T12:00Z'), [
      '2026-10-30T13:30/19:55',
      '2026-11-02T14:30/20:55',
    ]);
  });
  // The exchange's own lists; 2025-01-09 was a day of mourning, which no rule tells.
  for (const [year, holidays, early] of [
    [2022, '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26', '11-25'],
    [2023, '01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25', '07-03 11-24'],
    [2024, '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25', '07-03 11-29 12-24'],
    [2025, '01-01 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25', '07-03 11-28 12-24'],
    [2026, '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25', '11-27 12-24'],
    [2027, '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24', '11-26'],
    [2028, '01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25', '07-03 11-24'],
  ] as const)
    it(`knows the holidays and early closes of ${year}`, () => {
      const open = openDays(year);
      const closed: string[] = [];
      for (let day = Date.UTC(year, 0, 1); day < Date.UTC(year + 1, 0, 1); day += DAY) {
        const weekday = new Date(day).getUTCDay();
        const date = new Date(day).toISOString().slice(0, 10);
        if (weekday % 6 !== 0 && !open.has(date)) closed.push(date.slice(5));
        assert.ok(weekday % 6 !== 0 || !open.has(date), `${date} is a weekend`);
      }
      assert.equal(closed.join(' '), holidays);
      const short = spans('XNYS', `${year}-01-01T00:00Z`, `${year + 1}-01-01T00:00Z`).filter((span) => {
        const [from = '', to = ''] = span.split('/');
        return at(`${from.slice(0, 11)}${to}Z`) - at(`${from}Z`) < 5 * 3_600_000;
      });
      assert.equal(short.map((span) => span.slice(5, 10)).join(' '), early);
    });
  it('had no Juneteenth before 2022', () => assert.ok(openDays(2021).has('2021-06-18')));
  it('takes further days on which it is closed', () => {
    const open = (closed: readonly string[]) => spans('XNYS', '2025-01-08T00:00Z', '2025-01-11T00:00Z', closed).length;
    assert.deepEqual([open([]), open(['2025-01-09'])], [3, 2]);
  });
  it('says when it opens again', () => {
    const calendar = calendarOf('XNYS');
    assert.deepEqual(calendar(at('2026-11-25T20:55Z')), { open: false, until: at('2026-11-27T14:30Z') });
    assert.deepEqual(calendar(at('2026-11-27T14:29:59.999Z')), { open: false, until: at('2026-11-27T14:30Z') });
    assert.deepEqual(calendar(at('2026-11-27T14:30Z')), { open: true, until: at('2026-11-27T17:55Z') });
  });
});

describe('the week of currencies', () => {
  it('is one session from Sunday to Friday 17:00 New York, through changes of clocks', () => {
    const week = (from: string, to: string) => {
      const calendar = calendarOf('FX');
      assert.equal(calendar(at(from) - 1).open, false);
      assert.deepEqual(calendar(at(from)), { open: true, until: at(to) });
      assert.equal(calendar(at(to)).open, false);
    };
    week('2026-01-04T22:00Z', '2026-01-09T21:55Z');
    week('2026-03-08T21:00Z', '2026-03-13T20:55Z'); // clocks went forward that Sunday
    week('2026-11-01T22:00Z', '2026-11-06T21:55Z'); // and back
  });
  it('has no pause at midnight', () => {
    for (let minute = -10; minute < 10; minute++) {
      assert.equal(calendarOf('FX')(at('2026-01-07T05:00Z') + minute * 60_000).open, true, `${minute} min`);
    }
  });
});

describe('a market that never closes', () => {
  it('is always open', () => assert.deepEqual(calendarOf('24x7')(0), { open: true, until: Infinity }));
  it('but on the days that it is told, in UTC', () => {
    assert.deepEqual(
      spans('24x7', '2026-01-01T00:00Z', '2026-01-05T00:00Z', ['2026-01-03']).map((s) => s.slice(0, 10)),
      ['2026-01-01', '2026-01-04'],
    );
    const calendar = calendarOf('24x7', ['2026-01-03']);
    assert.deepEqual(calendar(at('2026-01-02T23:55Z')), { open: false, until: at('2026-01-04T00:00Z') });
  });
});

describe('a calendar', () => {
  it('says the same whatever it was asked before', () => {
    const time = fc.integer({ min: at('2024-01-01T00:00Z'), max: at('2028-12-31T00:00Z') });
    const names = fc.constantFrom<CalendarName>('24x7', 'XNYS', 'FX');
    fc.assert(
      fc.property(names, fc.array(time, { minLength: 1, maxLength: 10 }), (name, times) => {
        const asked = calendarOf(name, ['2026-05-06']);
        for (const now of times) {
          const { open, until } = asked(now);
          assert.equal(open, calendarOf(name, ['2026-05-06'])(now).open);
          assert.ok(until > now);
          if (until - 1 > now) assert.equal(calendarOf(name, ['2026-05-06'])(until - 1).open, open);
        }
      }),
      { numRuns: 50 },
    );
  });
});
