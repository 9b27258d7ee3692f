// How late a market's book is: noted with each message of it that has a time, asked by whoever trusts it. Pure; the state is
// market.ts's.
import type { VenueTime } from './venue/frame.ts';
import { epochMs } from './venue/json.ts';
import { lagOf, lagOfBook, type VenueClock } from './venue/lag.ts';

/** Of a market. Changed by `noteLag` only, and by who loses its connection. */
export interface Lateness {
  readonly link: {
    readonly heardAt: number;
    /** Absent where its times say nothing: of a recording that is played. */
    readonly clock?: VenueClock;
  };
  /** By how much the book's last message with a time came late, ms ≥ 0, and when it came; 0 = none did. */
  lagMs: number;
  lagAt: number;
}

/** A book that then says nothing is as late as its last message for so long: after that it is compared with the venue's own. */
const LAG_HOLDS_MS = 10_000;

/** A lag is looked at so often: reading a text as a time takes a tenth of what all else of an update takes. */
const NOTE_EVERY_MS = 200;

/** A message of the book came at `t`. */
export function noteLag(market: Lateness, venueAt: VenueTime, t: number): void {
  const { clock } = market.link;
  if (clock === undefined || t - market.lagAt < NOTE_EVERY_MS) return;
  const lag = lagOfBook(clock, typeof venueAt === 'number' ? venueAt : epochMs(venueAt), t);
  if (lag === undefined) return;
  market.lagMs = lag;
  market.lagAt = t;
}

/** A trade came: it says nothing of the book, but how short the way is. */
export function noteTrade({ link: { clock } }: Lateness, venueAt: number, t: number): void {
  if (clock !== undefined && t - clock.notedAt >= NOTE_EVERY_MS) lagOf(clock, venueAt, t);
}

/** How far the book is behind the venue's at `t`, ms ≥ 0, as far as its messages have told. */
export const lagAt = ({ lagMs, lagAt }: Lateness, t: number): number => (t - lagAt > LAG_HOLDS_MS ? 0 : lagMs);

/** How old what we know of the book is at `t`: since the connection was last heard, and how late that was. */
export const ageAt = (market: Lateness, t: number): number => t - market.link.heardAt + lagAt(market, t);
