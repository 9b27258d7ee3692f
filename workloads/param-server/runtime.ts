// `.status.runtime` of the trading system: what its pods prove and how they are, and when that is worth a write. Pure.
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import { canonicalJson } from '../contract/canonical.ts';
import type { Ack, ActiveHold, DesiredDocument } from '../contract/desired.ts';
import { liveParts } from '../contract/live-parts.ts';
import { restraintOf } from '../contract/restraint.ts';
import type { HarmoniserStatus, PartStatus, RouterStatus } from '../contract/status.ts';
import { isDataFlowing, isDrained, isReconciled, type ExpectedPod, type Shards } from './evidence.ts';

export type Runtime = NonNullable<TradingSystemStatus['runtime']>;

export interface Seen {
  readonly document: DesiredDocument | undefined;
  readonly pods: readonly ExpectedPod[];
  /** Names of the symbols of each shard, by its number. */
  readonly symbols: readonly (readonly string[])[];
  /** By pod uid. */
  readonly acks: ReadonlyMap<string, Ack>;
  /** As the pods wrote them; stale ones are taken for silence. */
  readonly parts: readonly PartStatus[];
  /** Holds in Redis: those that no Hold of the API server stands for, such as a pause by signal. */
  readonly holds: readonly ActiveHold[];
  /** Symbols whose books are told to be behind their venue. */
  readonly late: readonly string[];
  /** Why the param server could not carry the document, told beside the pods' refusals. */
  readonly refusal?: { readonly pod: string; readonly message: string } | undefined;
  readonly redisConnected: boolean;
  /** Epoch ms. */
  readonly now: number;
}

const MESSAGE_LIMIT = 512;
const PENDING_LIMIT = 64;
const ERRORS_LIMIT = 16;
const HOLDS_LIMIT = 64;
const LATE_LIMIT = 64;
const TEXT_LIMIT = 256;

export function runtimeOf(seen: Seen): Runtime {
  const { document, pods, symbols, parts, holds, late, redisConnected, now } = seen;
  const live = liveParts(parts, now);
  const risk = riskOf(live.acting);
  const breaker = breakerOf(live.acting);
  const model = modelOf(live.router);
  const shards = { pods, symbols, live };
  const reconciled = isReconciled(shards);
  const drained = document === undefined ? undefined : drainedOf(seen, document, shards);
  return {
    observedAt: new Date(now).toISOString(),
    ...(document === undefined ? {} : { acks: acksOf(document, seen) }),
    ...(breaker === undefined ? {} : { breaker }),
    ...(risk === undefined ? {} : { risk }),
    ...(model === undefined ? {} : { model }),
    dataFlowing: isDataFlowing(shards),
    ...(late.length === 0 ? {} : { late: late.slice(0, LATE_LIMIT) }),
    ...(reconciled === undefined ? {} : { reconciled }),
    ...(drained === undefined ? {} : { drained }),
    ...(holds.length === 0 ? {} : { holds: holds.slice(0, HOLDS_LIMIT).map(heldOf) }),
    redisConnected,
  };
}

const drainedOf = ({ holds, now }: Seen, document: DesiredDocument, shards: Shards): boolean | undefined =>
  restraintOf(document, holds, now).tradingStopped ? isDrained(shards, document) : false;

type Held = NonNullable<Runtime['holds']>[number];

const heldOf = ({ id, effect, by, reason, until }: ActiveHold): Held => ({
  id: id.slice(0, TEXT_LIMIT),
  effect,
  by: by.slice(0, TEXT_LIMIT),
  reason: reason.slice(0, TEXT_LIMIT),
  ...(until === undefined ? {} : { until }),
});

function acksOf(document: DesiredDocument, { pods, acks, refusal }: Seen): NonNullable<Runtime['acks']> {
  const { hash, version, epoch } = document;
  const isOf = (ack: Ack | undefined): ack is Ack =>
    ack?.hash === hash && ack.version === version && ack.epoch === epoch;
  const given = pods.map((pod) => ({ pod, ack: acks.get(pod.uid) }));
  const pending = given.filter(({ ack }) => !isOf(ack) || ack.error !== undefined).map(({ pod }) => pod.name);
  const errors = given.flatMap(({ pod, ack }) =>
    isOf(ack) && ack.error !== undefined ? [{ pod: pod.name, message: ack.error.slice(0, MESSAGE_LIMIT) }] : [],
  );
  if (refusal !== undefined) errors.unshift(refusal);
  return {
    acked: pods.length - pending.length,
    expected: pods.length,
    version,
    hash,
    pending: pending.sort().slice(0, PENDING_LIMIT),
    ...(errors.length === 0 ? {} : { errors: errors.slice(0, ERRORS_LIMIT) }),
  };
}

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** Shards trade on slices of one budget: their VaR adds up at most; the drawdown shown is the worst. */
function riskOf(harmonisers: readonly HarmoniserStatus[]): Runtime['risk'] {
  if (harmonisers.length === 0) return undefined;
  const varPct = harmonisers.reduce((sum, one) => sum + one.varPct, 0);
  return { varPct: tenth(varPct), drawdownPct: tenth(Math.max(0, ...harmonisers.map((one) => one.drawdownPct))) };
}

function breakerOf(harmonisers: readonly HarmoniserStatus[]): Runtime['breaker'] {
  const states = (['OPEN', 'HALF_OPEN', 'CLOSED'] as const).filter((state) =>
    harmonisers.some(({ breaker }) => breaker.state === state),
  );
  const [worst] = states;
  if (worst === undefined) return undefined;
  return { state: worst, tripSeq: Math.max(...harmonisers.map(({ breaker }) => breaker.tripSeq)) };
}

/** Of the first symbol and horizon, as a glance. */
function modelOf(routers: readonly RouterStatus[]): string | undefined {
  const [symbol] = routers.flatMap(({ symbols }) => Object.values(symbols));
  return Object.values(symbol?.active ?? {})[0];
}

/** Risk that only moves by a little is written this seldom; everything else at once. */
const RISK_EVERY_MS = 30_000;
/** While pods are acknowledging, their count is written this often at most: it is complete before, as a rule. */
const PENDING_AFTER_MS = 250;

/**
 * When `next` is to be written over `before`, as milliseconds from now; undefined = never, as nothing changed. `since` is when
 * the document or the pods last changed.
 */
export function writeIn(
  before: Runtime | undefined,
  next: Runtime,
  { now, changedAt }: { readonly now: number; readonly changedAt: number },
): number | undefined {
  if (before === undefined) return 0;
  const { observedAt: _, risk: oldRisk, ...old } = before;
  const { observedAt: __, risk, ...fresh } = next;
  if (canonicalJson(old) !== canonicalJson(fresh)) {
    const isPending = (next.acks?.pending.length ?? 0) > 0;
    return isPending ? Math.max(0, changedAt + PENDING_AFTER_MS - now) : 0;
  }
  if (canonicalJson(oldRisk ?? null) === canonicalJson(risk ?? null)) return undefined;
  if (crosses(oldRisk?.varPct, risk?.varPct)) return 0;
  return Math.max(0, Date.parse(before.observedAt) + RISK_EVERY_MS - now);
}

/** The steps of the VaR ladder that people watch: alert and limit of the defaults. */
const STEPS_PCT = [1.5, 1.8, 2, 2.5];
const crosses = (before = 0, after = 0): boolean => STEPS_PCT.some((step) => before < step !== after < step);
