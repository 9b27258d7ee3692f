// What holds restrain, joined: the tightest of spec and every Hold, whatever their order (DESIGN.md: safety only joins).
import type { ActiveHold, DesiredContent } from './desired.ts';

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
 * passed restrains no more. Commutative, associative, idempotent. Without a document: stopped.
 */
export function restraintOf(desired: DesiredContent | undefined, extra: readonly ActiveHold[], now: number): Restraint {
  const byId = new Map([...(desired?.holds ?? []), ...extra].map((hold) => [hold.id, hold]));
  const holds = [...byId.values()].filter((hold) => isInForce(hold, now)).sort((a, b) => (a.id < b.id ? -1 : 1));
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

const STOPS_TRADING: ReadonlySet<ActiveHold['effect']> = new Set(['StopTrading', 'Flatten', 'Kill']);

const isInForce = (hold: ActiveHold, now: number): boolean => hold.until === undefined || Date.parse(hold.until) > now;
