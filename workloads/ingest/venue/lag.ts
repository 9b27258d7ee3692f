// How late a venue's messages come, by their own times: a stream may come regularly and still be of long ago. Lag is received −
// sent less the least of it, as clocks are never the same; received by the clock that no correction moves, so that only
// the venue's clock can step. Pure; driven by market.ts.
import { BOOK_FRESH_MS } from '../../contract/messages.ts';
import { newSkew, noteTimes, rangeOf, type Skew } from './skew.ts';

/** No way and no drift of a clock changes by so much at once: then it was set, or the feed fell behind. */
const STEP_MS = 1_000;
/** Ways through a queue differ by more from minute to minute; those past a clock that was set do not. */
const STEADY_MS = 250;
/** What four minutes may add to the shortest way where clocks drift apart by 200 ppm: more is a queue that grows. */
const DRIFT_MS = 48;
const MINUTE_MS = 60_000;

/** Of one connection. Changed in place by the functions of this file only. */
export interface VenueClock {
  readonly skew: Skew;
  /** The received − sent that counts as no lag; Infinity while it is not known. */
  floor: number;
  /** received − sent of the message before, where it was that of a time to come; else Infinity. */
  early: number;
  /** When the last message was noted, and its minute. */
  notedAt: number;
  minute: number;
  /** Since when each message of a book came later than BOOK_FRESH_MS; 0 = the last came in time. */
  lateSince: number;
  /** When a message of a book last came. */
  bookAt: number;
}

export const newVenueClock = (): VenueClock => ({
  skew: newSkew(),
  floor: Infinity,
  early: Infinity,
  notedAt: -Infinity,
  minute: -1,
  lateSince: 0,
  bookAt: 0,
});

/**
 * A message that the venue dated `sentAt` came at `t`, both epoch ms: its lag in ms ≥ 0, undefined where the two are more than a day
 * apart (it has no time, or is played from a recording). One that is of a time to come, by more than STEP_MS, counts only if
 * the next says the same: else a single damaged time would make everything late after it.
 */
export function lagOf(clock: VenueClock, sentAt: number, t: number): number | undefined {
  const apart = t - sentAt;
  if (!(Math.abs(apart) <= NO_CLOCK_MS)) return undefined;
  clock.notedAt = t;
  const minute = Math.floor(t / MINUTE_MS);
  if (minute !== clock.minute) {
    clock.minute = minute;
    clock.floor = floorAt(clock, t);
  }
  const before = clock.early;
  const isEarly = apart < clock.floor - STEP_MS;
  clock.early = isEarly ? apart : Infinity;
  if (isEarly && before === Infinity) return 0;
  const told = isEarly ? Math.max(apart, before) : apart;
  noteTimes(clock.skew, t - told, t);
  clock.floor = Math.min(clock.floor, told);
  return Math.max(0, apart - clock.floor);
}

/** The same of a message of a book. */
export function lagOfBook(clock: VenueClock, sentAt: number, t: number): number | undefined {
  const lag = lagOf(clock, sentAt, t);
  if (lag === undefined) return undefined;
  if (lag <= BOOK_FRESH_MS) clock.lateSince = 0;
  else if (clock.lateSince === 0) clock.lateSince = t;
  clock.bookAt = t;
  return lag;
}

/** A connection is made anew: what was late before is no word on it. */
export function reconnected(clock: VenueClock): void {
  clock.lateSince = 0;
}

/** Every message of its books has been late for `afterMs`, and they still come. */
export const isBehind = ({ lateSince, bookAt }: VenueClock, afterMs: number, t: number): boolean =>
  lateSince > 0 && t - lateSince > afterMs && t - bookAt < afterMs;

/**
 * The least of the last minutes. Where all of them are later than before by a step, the venue's clock was set back if it is
 * the same step in each; a feed that fell behind, or falls behind little by little, is not forgiven. After as long without a
 * message it starts anew.
 */
function floorAt({ skew, floor }: VenueClock, t: number): number {
  const { least, most, risen } = rangeOf(skew, t);
  const isStep = least - floor > STEP_MS && most - least > STEADY_MS;
  return isStep || risen > DRIFT_MS ? Math.min(floor, least) : least;
}

/** Further apart it is no clock. */
const NO_CLOCK_MS = 24 * 3_600_000;
