// Market hours by rule: whether a calendar's market is open at a moment, and until when that stays so. Pure: times are epoch
// ms, days and hours those of the calendar's time zone, from the tz database that Intl carries; nothing has to be downloaded
// once a year. Called by the policies of harmoniser and router, asked by the gate `Session` and before a switch of models.
import type { CalendarName, RouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';

export interface Session {
  readonly open: boolean;
  /** When that may change, epoch ms; Infinity for never. */
  readonly until: number;
}

/** The session at `now`. Asked with times in order it computes each session once. */
export type Calendar = (now: number) => Session;

/** No position is opened in the last minutes before a close: it could not be left again. */
export const LAST_MINUTES = 5;

const MINUTE = 60_000;
const DAY = 86_400_000;
const ZONE = 'America/New_York';
const ALWAYS: Session = { open: true, until: Infinity };
/** What lies further ahead is looked at when it is nearer. */
const LOOK_AHEAD_DAYS = 14;

/** A day of the civil calendar, as the epoch ms of its midnight in UTC. */
type Day = number;
/** Minutes of local time, from 0; a close is exclusive. */
interface Hours {
  readonly opensAt: number;
  readonly closesAt: number;
}

/** `closedDates` are days `YYYY-MM-DD` on which it is closed beyond its own rules. */
export function calendarOf(name: CalendarName, closedDates: readonly string[] = []): Calendar {
  if (name === '24x7' && closedDates.length === 0) return () => ALWAYS;
  const closed = new Set(closedDates.map((date) => Date.parse(`${date}T00:00:00Z`)));
  const rule = HOURS[name];
  const zone = name === '24x7' ? 'UTC' : ZONE;
  const hoursOf = (day: Day): Hours | undefined => (closed.has(day) ? undefined : rule(day));
  let known: Session & { readonly from: number } = { open: false, from: 0, until: 0 };
  return (now) => {
    if (now < known.from || now >= known.until) known = { ...sessionAt(hoursOf, now, zone), from: now };
    return { open: known.open, until: known.until };
  };
}

/** Classes whose hours are the same everywhere; of stocks, nobody can know which exchange is meant. */
const CLASS_CALENDARS: Readonly<Record<string, CalendarName>> = { crypto: '24x7', forex: 'FX' };

/** When a symbol of a class may be opened; undefined where that is in market hours only, and nobody has said which. */
export function calendarFor(session: RouterRulesSpec['session'], assetClass: string): Calendar | undefined {
  if (!session.marketHoursOnly) return calendarOf('24x7');
  const name = session.calendar ?? CLASS_CALENDARS[assetClass];
  return name === undefined ? undefined : calendarOf(name, session.closedDates);
}

const HOURS: Readonly<Record<CalendarName, (day: Day) => Hours | undefined>> = {
  '24x7': () => WHOLE_DAY,
  XNYS: newYorkStocks,
  FX: currencies,
};
const WHOLE_DAY: Hours = { opensAt: 0, closesAt: 24 * 60 };

type Rule = (day: Day) => Hours | undefined;

function sessionAt(hoursOf: Rule, now: number, zone: string): Session {
  const today = Math.floor((now + offsetAt(now, zone)) / DAY) * DAY;
  for (let day = today; day < today + LOOK_AHEAD_DAYS * DAY; day += DAY) {
    const span = spanOf(hoursOf, day, zone);
    if (span === undefined || now >= span.until) continue;
    if (now < span.from) return { open: false, until: span.from };
    const close = closeAfter(hoursOf, day, zone);
    if (close === undefined) return { open: true, until: span.until };
    const last = close - LAST_MINUTES * MINUTE;
    return now < last ? { open: true, until: last } : { open: false, until: sessionAt(hoursOf, close, zone).until };
  }
  return { open: false, until: now + LOOK_AHEAD_DAYS * DAY };
}

/** When the session that `day` is part of ends, as one day may go over into the next; undefined: not within two weeks. */
function closeAfter(hoursOf: Rule, day: Day, zone: string): number | undefined {
  let until = spanOf(hoursOf, day, zone)?.until;
  for (let next = day + DAY; next <= day + LOOK_AHEAD_DAYS * DAY; next += DAY) {
    const span = spanOf(hoursOf, next, zone);
    if (span?.from !== until) return until;
    until = span?.until;
  }
  return undefined;
}

/** A day's hours as epoch ms. */
function spanOf(hoursOf: Rule, day: Day, zone: string): { readonly from: number; readonly until: number } | undefined {
  const hours = hoursOf(day);
  if (hours === undefined) return undefined;
  return { from: instantOf(day, hours.opensAt, zone), until: instantOf(day, hours.closesAt, zone) };
}

/** The moment of a local time. Times that a change of clocks skips or repeats are none of a session's. */
function instantOf(day: Day, minutes: number, zone: string): number {
  const local = day + minutes * MINUTE;
  const guess = local - offsetAt(local, zone);
  return local - offsetAt(guess, zone);
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** Local time less UTC at a moment, ms. */
function offsetAt(at: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const format =
    FORMATS.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  FORMATS.set(zone, format);
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}

const weekdayOf = (day: Day): number => new Date(day).getUTCDay();
const [SUNDAY, MONDAY, THURSDAY, FRIDAY, SATURDAY] = [0, 1, 4, 5, 6];

/** Currencies trade from Sunday 17:00 to Friday 17:00 New York, without a pause. */
function currencies(day: Day): Hours | undefined {
  const weekday = weekdayOf(day);
  if (weekday === SATURDAY) return undefined;
  return {
    opensAt: weekday === SUNDAY ? 17 * 60 : 0,
    closesAt: weekday === FRIDAY ? 17 * 60 : 24 * 60,
  };
}

/**
 * The New York Stock Exchange: 9:30 to 16:00, to 13:00 on early closes; Rule 7.2 and the exchange's published "Holidays &
 * Trading Hours". A closure that no rule tells (a day of mourning, a storm) is for `closedDates`.
 */
function newYorkStocks(day: Day): Hours | undefined {
  const weekday = weekdayOf(day);
  if (weekday === SATURDAY || weekday === SUNDAY || isStockHoliday(day)) return undefined;
  return { opensAt: 9 * 60 + 30, closesAt: (isEarlyClose(day) ? 13 : 16) * 60 };
}

function isStockHoliday(day: Day): boolean {
  const date = new Date(day);
  const year = date.getUTCFullYear();
  return holidaysOf(year).includes(day);
}

function holidaysOf(year: number): readonly Day[] {
  const newYear = dayOf(year, 1, 1);
  return [
    // On a Saturday it is not made up for: the Friday before ends a year.
    weekdayOf(newYear) === SUNDAY ? newYear + DAY : newYear,
    nthWeekday(year, 1, MONDAY, 3), // Martin Luther King's birthday
    nthWeekday(year, 2, MONDAY, 3), // Washington's birthday
    easterSunday(year) - 2 * DAY, // Good Friday
    lastMonday(year, 5), // Memorial Day
    ...(year >= 2022 ? [observed(dayOf(year, 6, 19))] : []), // Juneteenth, since 2022
    observed(dayOf(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1), // Labor Day
    nthWeekday(year, 11, THURSDAY, 4), // Thanksgiving
    observed(dayOf(year, 12, 25)),
  ];
}

/** Of the days that are open: those before Independence Day and before Christmas, and the one after Thanksgiving. */
function isEarlyClose(day: Day): boolean {
  const year = new Date(day).getUTCFullYear();
  const eves = [dayOf(year, 7, 4) - DAY, dayOf(year, 12, 25) - DAY];
  return day === nthWeekday(year, 11, THURSDAY, 4) + DAY || eves.includes(day);
}

const dayOf = (year: number, month: number, day: number): Day => Date.UTC(year, month - 1, day);

/** A holiday on a Saturday is kept on the Friday before, on a Sunday on the Monday after. */
function observed(day: Day): Day {
  const weekday = weekdayOf(day);
  if (weekday === SATURDAY) return day - DAY;
  return weekday === SUNDAY ? day + DAY : day;
}

function nthWeekday(year: number, month: number, weekday: number, n: number): Day {
  const first = dayOf(year, month, 1);
  return first + (((weekday - weekdayOf(first) + 7) % 7) + 7 * (n - 1)) * DAY;
}

function lastMonday(year: number, month: number): Day {
  const last = dayOf(year, month + 1, 0);
  return last - ((weekdayOf(last) - MONDAY + 7) % 7) * DAY;
}

/** The Gregorian computus (Meeus, Jones, Butcher). */
function easterSunday(year: number): Day {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  return dayOf(year, month, ((h + l - 7 * m + 114) % 31) + 1);
}
