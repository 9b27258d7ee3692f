// What holds restrain, joined: the tightest of spec and every Hold, whatever their order: safety only joins.
import { canonicalJson } from './canonical.ts';
import type { ActiveHold, DesiredContent } from './desired.ts';
import { isObject, parseJson } from './json.ts';

export interface Restraint {
  /** No new positions; reducing and cancelling go on. */
  readonly tradingStopped: boolean;
  readonly routerPaused: boolean;
  /** Upper bound on the Kelly fraction; Infinity where none is in force. */
  readonly kellyCap: number;
  /** Holds in force now, sorted by id. */
  readonly holds: readonly ActiveHold[];
}

/**
 * Joins the desired document with holds that came another way (Redis). `now` is epoch ms: a hold whose `until` has
 * passed restrains no more; one whose `until` cannot be read does. Commutative, associative, idempotent: two holds of one
 * id both count. Without a document: stopped.
 */
export function restraintOf(desired: DesiredContent | undefined, extra: readonly ActiveHold[], now: number): Restraint {
  const byContent = new Map([...(desired?.holds ?? []), ...extra].map((hold) => [canonicalJson(hold), hold]));
  const holds = [...byContent]
    .filter(([, hold]) => isInForce(hold, now))
    .sort(([a, { id: first }], [b, { id: second }]) => (first === second ? (a < b ? -1 : 1) : first < second ? -1 : 1))
    .map(([, hold]) => hold);
  return {
    tradingStopped: desired?.trading !== 'Enabled' || holds.some((hold) => STOPS_TRADING.has(hold.effect)),
    routerPaused: holds.some((hold) => hold.effect === 'PauseRouter'),
    kellyCap: Math.min(
      Infinity,
      ...holds.map((hold) => (hold.effect === 'CapKelly' ? (hold.kellyFraction ?? 0) : Infinity)),
    ),
    holds,
  };
}

type Sources = readonly [desired: DesiredContent | undefined, extra: readonly ActiveHold[]];

/**
 * restraintOf, which is asked before every signal and changes seldom: the same object as long as the same document and holds are
 * given and no `until` lies between two times, whichever way the clock went.
 */
export function newRestraint(): (...given: [...Sources, now: number]) => Restraint {
  let last: { readonly of: Sources; readonly from: number; readonly until: number; readonly is: Restraint } | undefined;
  return (desired, extra, now) => {
    if (last?.of[0] === desired && last?.of[1] === extra && now >= last.from && now < last.until) return last.is;
    const span = spanOf([...(desired?.holds ?? []), ...extra], now);
    last = { of: [desired, extra], ...span, is: restraintOf(desired, extra, now) };
    return last.is;
  };
}

/** The time around `now` in which no hold ends. */
function spanOf(holds: readonly ActiveHold[], now: number): { readonly from: number; readonly until: number } {
  const ends = holds.flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until)])).filter((at) => at > 0);
  return {
    from: Math.max(-Infinity, ...ends.filter((at) => at <= now)),
    until: Math.min(Infinity, ...ends.filter((at) => at > now)),
  };
}

const STOPS_TRADING: ReadonlySet<ActiveHold['effect']> = new Set(['StopTrading', 'Flatten', 'Kill']);

const isInForce = ({ until }: ActiveHold, now: number): boolean => until === undefined || !(Date.parse(until) <= now);

const EFFECTS: ReadonlySet<unknown> = new Set<ActiveHold['effect']>([...STOPS_TRADING, 'PauseRouter', 'CapKelly']);

/**
 * The holds of the Redis hash `holds:{system}`: id → JSON. What is there and cannot be read as a hold stops trading, as what
 * it would restrain is unknown; deleting its field lifts it.
 */
export function storedHolds(fields: Readonly<Record<string, string>>): ActiveHold[] {
  return Object.entries(fields).map(([id, text]) => {
    const hold = parseJson(text);
    return isHold(hold) && hold.id === id
      ? hold
      : { id, effect: 'StopTrading', reason: 'unreadable hold in Redis', by: 'unknown' };
  });
}

function isHold(value: unknown): value is ActiveHold {
  if (!isObject(value)) return false;
  const { id, effect, kellyFraction, reason, by, until } = value as Partial<Record<keyof ActiveHold, unknown>>;
  if ([id, reason, by].some((field) => typeof field !== 'string') || !EFFECTS.has(effect)) return false;
  if (until !== undefined && !(typeof until === 'string' && Date.parse(until) > 0)) return false;
  return effect !== 'CapKelly' || (typeof kellyFraction === 'number' && kellyFraction >= 0 && kellyFraction <= 1);
}
