// What the venues' own times say of a shard's sources: whose clock is apart from ours, whose books are behind. Pure; for status,
// metrics and log.
import { lagAt } from './lateness.ts';
import type { Shard } from './step.ts';
import { skewMs } from './venue/skew.ts';

/** At one moment: `now` by the clock of events, `at` by the wall clock, both epoch ms. */
export interface Moment {
  readonly now: number;
  readonly at: number;
}

/** By how many ms the wall clock is ahead of each source's, as skewMs has it; without those of which nobody knows. */
export function skewsOf({ markets }: Shard, { now, at }: Moment): ReadonlyMap<string, number> {
  const skews = new Map<string, number>();
  for (const { source, clock } of new Set([...markets.values()].map(({ link }) => link))) {
    const apart = clock === undefined ? undefined : skewMs(clock.skew, now);
    // Times were noted by the clock of events, which corrections of the wall clock do not move.
    if (apart !== undefined) skews.set(source, Math.min(skews.get(source) ?? Infinity, apart + at - now));
  }
  return skews;
}

/** By how many ms each source's book that is the latest is behind; without those whose times say nothing. */
export function lagsOf({ markets }: Shard, now: number): ReadonlyMap<string, number> {
  const lags = new Map<string, number>();
  for (const market of markets.values()) {
    const { source, clock } = market.link;
    if (clock !== undefined) lags.set(source, Math.max(lags.get(source) ?? 0, lagAt(market, now)));
  }
  return lags;
}
