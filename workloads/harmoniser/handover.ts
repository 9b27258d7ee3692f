// What the harmoniser that acts next must know of the one before, beside what the venue tells: latches and counts that hold
// for the shard, whoever acts for it. Stored with the shard's lease. Pure.
import { z } from 'zod';
import { parseJson } from '../contract/json.ts';
import type { Equity } from './equity.ts';
import type { Breaker, Cut, State } from './state.ts';

const finite = z.number().finite();

const schema = z.object({
  breaker: z.object({ state: z.enum(['CLOSED', 'OPEN']), tripSeq: z.int().min(0) }),
  cut: z.object({ since: finite, ceilings: z.record(z.string(), finite) }).optional(),
  equity: z.object({
    highWaterUsd: finite,
    day: z.int(),
    dayStartUsd: finite,
    turnoverUsd: finite,
    dayHalted: z.boolean(),
  }),
  /** Times of orders of the last minute, by symbol. */
  sentAt: z.record(z.string(), z.array(finite)),
});

export type Handover = z.output<typeof schema>;

export function handoverOf({ breaker, cut, equity, symbols }: State): Handover {
  const { highWaterUsd, day, dayStartUsd, turnoverUsd, dayHalted } = equity;
  return {
    breaker: { state: breaker.state, tripSeq: breaker.tripSeq },
    ...(cut === undefined ? {} : { cut }),
    equity: { highWaterUsd, day, dayStartUsd, turnoverUsd, dayHalted },
    sentAt: Object.fromEntries([...symbols.values()].map(({ name, sentAt }) => [name, sentAt])),
  };
}

/** What Redis holds; undefined where it is nothing that can be read, and then what the state has itself must do. */
export function parseHandover(text: string): Handover | undefined {
  const result = schema.safeParse(parseJson(text));
  return result.success ? result.data : undefined;
}

/** Joins it into the state, in place: of each restraint the tighter, so that no change of hands loosens one. */
export function takeHandover(state: State, { breaker, cut, equity, sentAt }: Handover): void {
  state.breaker = joinedBreaker(state.breaker, breaker);
  state.cut = joinedCut(state.cut, cut);
  Object.assign(state.equity, joinedEquity(state.equity, equity));
  for (const symbol of state.symbols.values()) {
    symbol.sentAt = [...new Set([...symbol.sentAt, ...(sentAt[symbol.name] ?? [])])].sort((a, b) => a - b);
  }
}

/** The later trip decides; who acted knows better whether the last one was reset. */
const joinedBreaker = (own: Breaker, left: Handover['breaker']): Breaker =>
  own.tripSeq > left.tripSeq ? own : { ...left, overSince: own.overSince };

function joinedCut(own: Cut | undefined, left: Handover['cut']): Cut | undefined {
  if (own === undefined || left === undefined) return own ?? left;
  const names = [...new Set([...Object.keys(own.ceilings), ...Object.keys(left.ceilings)])];
  const least = (name: string): number => Math.min(own.ceilings[name] ?? Infinity, left.ceilings[name] ?? Infinity);
  return {
    since: Math.min(own.since, left.since),
    ceilings: Object.fromEntries(names.map((name) => [name, least(name)])),
  };
}

/** Who waited was not there on every day: the day of who acted counts, unless a newer one has begun since. */
function joinedEquity(own: Equity, left: Handover['equity']): Partial<Equity> {
  const highWaterUsd = Math.max(left.highWaterUsd, own.usd ?? 0);
  if (left.day < own.day) return { highWaterUsd };
  const isSameDay = left.day === own.day;
  return {
    highWaterUsd,
    day: left.day,
    dayStartUsd: left.dayStartUsd,
    turnoverUsd: isSameDay ? Math.max(own.turnoverUsd, left.turnoverUsd) : left.turnoverUsd,
    dayHalted: left.dayHalted || (isSameDay && own.dayHalted),
  };
}
