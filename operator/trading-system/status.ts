// What a trading system's status says, computed in one place from what was seen and planned. Pure.
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import type { ActiveHold, DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { holdsKey } from '@tradewind/workloads/contract/keys.ts';
import { BOOK_FRESH_MS } from '@tradewind/workloads/contract/messages.ts';
import { PART_LABEL } from '@tradewind/workloads/contract/pods.ts';
import { restraintOf, type Restraint } from '@tradewind/workloads/contract/restraint.ts';
import { componentStatus, isReady, type ComponentStatus } from './components.ts';
import { isSame, withoutEmptyLists } from '../runtime/apply.ts';
import type { TradingSystem } from '../kinds.ts';
import { conditionsOf, no, unknown, yes, type Verdict } from '../runtime/conditions.ts';
import type { Wanted } from '../runtime/object.ts';
import { isFlattening, NOT_FLATTENED, redisHolds } from './holds.ts';
import { isDeleting, type Known } from './observe.ts';
import type { Blocker, Plan } from './plan.ts';
import { isDisabled, type Command } from './annotations.ts';
import { disabledBy } from './disabled.ts';
import { pauseComplaints, resumeHint } from './pause.ts';
import { isProven, publishedAt, refusalIn } from './proof.ts';
import { isUnderWay, stopsTrading, type Restart } from './restart/record.ts';

type Phase = NonNullable<TradingSystemStatus['phase']>;
/** All but `runtime`, which is the param server's. */
export type OwnStatus = Omit<TradingSystemStatus, 'runtime'>;

/** What has come of a plan. */
export interface Done {
  /** The document in force after this pass. */
  readonly document: DesiredDocument | undefined;
  /** What was tried and failed, as it stands in the way. */
  readonly blockers: readonly Blocker[];
  /** Commands by annotation that were seen. */
  readonly commands: readonly Command[];
}

/** Pods acknowledge within milliseconds, as a rule: telling before that they have not would only keep the next change waiting. */
export const SETTLE_MS = 100;

/**
 * From when on a status is worth writing, epoch ms: not while the only thing that it would tell is that one document, just
 * published, is on its way. Two are told at once, so that no run of changes keeps it silent.
 */
export function settledAt(known: Known, status: OwnStatus, now: number): number {
  const { status: told } = known.system;
  const [before, next] = [told?.desired, status.desired];
  if (!isSame(told?.commands, status.commands)) return 0;
  const isOnlyOnItsWay =
    status.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'Propagating') === true &&
    told?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  if (!isOnlyOnItsWay || before === undefined || next === undefined) return 0;
  return next.epoch === before.epoch && next.version - before.version <= 1 ? publishedAt(known, now) + SETTLE_MS : 0;
}

export function statusAfter(known: Known, plan: Plan, done: Done, now: number): OwnStatus {
  const { system } = known;
  const { document } = done;
  const restraint = restraintOf(document, redisHolds(system), now);
  const components = shown(known, plan).flatMap((wanted) => componentStatus(known, wanted));
  const isUp = components.length > 0 && components.every(({ ready, desired }) => ready >= desired);
  const { generation = 0 } = system.metadata;
  const blockers = [...plan.blockers, ...done.blockers];
  const ready = readiness(known, { blockers, components, isUp, document });
  const isStalled = blockers.some(({ who }) => who === 'user');
  const trading = document?.trading !== 'Enabled' ? 'Stopped' : restraint.tradingStopped ? 'Held' : 'Enabled';
  return withoutEmptyLists<OwnStatus>({
    observedGeneration: generation,
    phase: phaseOf(system.status?.phase, plan, { isUp, trading, blockers }),
    conditions: conditionsOf(
      {
        Ready: ready,
        Reconciling: ready.status === 'True' || isStalled ? no(ready.reason) : yes(ready.reason, ready.message),
        Stalled: isStalled ? yes(ready.reason, ready.message) : no(ready.reason),
        TradingEnabled: tradingVerdict(known, { document, restart: plan.restart }, restraint),
        RouterActive: routerVerdict(known, document, { restraint, now }),
        ...liveConditions(known),
        ...(plan.unmonitored === undefined ? {} : { Monitored: monitoredVerdict(plan.unmonitored) }),
        ...askedOf(system),
      },
      system.status?.conditions,
      { generation, now: new Date(now).toISOString() },
    ),
    components,
    ready: `${components.filter((one) => one.ready >= one.desired).length}/${components.length}`,
    trading,
    router: restraint.routerPaused ? 'Paused' : 'Active',
    holds: heldBy(restraint),
    ...recordsOf(plan, done),
  });
}

/** What later passes go on from. */
function recordsOf({ deletion, restart }: Plan, { document, commands }: Done): Partial<OwnStatus> {
  return {
    ...(commands.length === 0 ? {} : { commands: [...commands] }),
    ...(deletion === undefined || deletion.step === 'Over' ? {} : { deletion }),
    ...(restart === undefined ? {} : { restart }),
    ...(document === undefined
      ? {}
      : { desired: { epoch: document.epoch, version: document.version, hash: document.hash } }),
  };
}

/** Where nothing is planned, what runs is shown. */
const shown = ({ children }: Known, plan: Plan): readonly Wanted[] =>
  plan.wanted.length > 0 ? plan.wanted : [...children.values()];

/** Most holds that the schema takes. */
const MAX_HOLDS = 64;

/** One entry per name: a Hold and a hold in Redis may share one. */
function heldBy({ holds }: Restraint): NonNullable<OwnStatus['holds']> {
  const byName = new Map(holds.map((hold) => [hold.id, hold]));
  return [...byName.values()].slice(0, MAX_HOLDS).map(({ id, effect, by, reason, until }) => ({
    name: id,
    effect,
    by,
    reason,
    ...(until === undefined ? {} : { until }),
  }));
}

/** Conditions that are there only while somebody asks for what they tell of. */
function askedOf(system: TradingSystem): Record<string, Verdict> {
  return {
    ...(isDisabled(system) ? { Disabled: yes('ByAnnotation', disabledBy(system)) } : {}),
    ...(asksToFlatten(system) ? { FlattenOnDelete: no('NotYet', NOT_FLATTENED_ON_DELETE) } : {}),
  };
}

const asksToFlatten = ({ spec }: TradingSystem): boolean =>
  (spec as { readonly execution?: { readonly onDelete?: unknown } } | undefined)?.execution?.onDelete === 'Flatten';
const NOT_FLATTENED_ON_DELETE =
  'spec.execution.onDelete: found Flatten, which behaves as Stop in this version: positions stay as they are';

interface Standing {
  readonly blockers: readonly Blocker[];
  readonly components: readonly ComponentStatus[];
  readonly isUp: boolean;
  readonly document: DesiredDocument | undefined;
}

/** The first thing that is not as it should be, in the order in which a person would want to know it. */
function readiness(known: Known, { blockers, components, isUp, document }: Standing): Verdict {
  const [blocker] = [...blockers].sort((a, b) => Number(b.who === 'user') - Number(a.who === 'user'));
  // What keeps a deletion from going on is worth knowing at once.
  if (blocker?.reason === 'Deleting') return no('Deleting', blockers.map(({ message }) => message).join('; '));
  if (blocker !== undefined) return no(blocker.reason, blocker.message);
  const waiting = components.filter(({ ready, desired }) => ready < desired);
  if (!isUp) {
    const what = waiting.map(({ name, message }) => (message === undefined ? name : `${name}: ${message}`));
    return no('ComponentsNotReady', what.join('; '));
  }
  if (!isProven(known, document)) {
    const refusal = refusalIn(known.system);
    if (refusal !== undefined) return no('Refused', refusal);
    const { pending = [] } = known.system.status?.runtime?.acks ?? {};
    return no('Propagating', `waits for pods to acknowledge: ${pending.join(', ') || 'all of them'}`);
  }
  return yes('Ready', 'all parts are up and every pod runs the desired document');
}

/** Phases of a system that has been up once. */
const WAS_UP: ReadonlySet<Phase> = new Set<Phase>(['Running', 'Stopped', 'Degraded', 'Restarting']);

function phaseOf(
  before: Phase | undefined,
  { deletion, restart }: Plan,
  { isUp, trading, blockers }: { isUp: boolean; trading: string; blockers: readonly Blocker[] },
): Phase {
  if (deletion !== undefined) return 'Deleting';
  if (isUnderWay(restart)) return 'Restarting';
  const wasUp = before !== undefined && WAS_UP.has(before);
  if (isUp) return trading === 'Enabled' ? 'Running' : 'Stopped';
  if (wasUp) return 'Degraded';
  return blockers.length > 0 ? 'Pending' : 'Starting';
}

interface InForce {
  readonly document: DesiredDocument | undefined;
  readonly restart: Restart | undefined;
}

function tradingVerdict(known: Known, { document, restart }: InForce, restraint: Restraint): Verdict {
  if (document === undefined) return no('NoDocument', 'no desired document yet: nothing is traded');
  if (isDeleting(known.system) && document.trading === 'Stopped') return no('Deleting', 'the system is being deleted');
  if (stopsTrading(restart)) return no('Restarting', `restart ${restart?.id}: trading resumes at its end, as it was`);
  const { trading } = (known.system.spec ?? {}) as { readonly trading?: unknown };
  if (document.trading === 'Stopped' && trading === 'Enabled' && isDisabled(known.system))
    return no('Disabled', 'spec.trading is Enabled, but reconcile is disabled');
  if (document.trading === 'Stopped') return no('StoppedBySpec', 'spec.trading is Stopped');
  if (!restraint.tradingStopped) return yes('Enabled');
  const stopping = restraint.holds.filter(({ effect }) => effect !== 'PauseRouter' && effect !== 'CapKelly');
  const honest = stopping.some(({ effect }) => isFlattening(effect)) ? `${NOT_FLATTENED}; ` : '';
  return no('Held', honest + liftedBy(known, document, stopping));
}

function routerVerdict(
  known: Known,
  document: DesiredDocument | undefined,
  { restraint, now }: { readonly restraint: Restraint; readonly now: number },
): Verdict {
  const pausing = restraint.holds.filter(({ effect }) => effect === 'PauseRouter');
  const complaints = pauseComplaints(known, now);
  if (pausing.length === 0) return yes('Active', complaints.join('; '));
  const hint = resumeHint(known, now);
  const lifted = liftedBy(known, document, pausing) + (hint === undefined ? '' : `, or by ${hint}`);
  return no('Paused', [lifted, ...complaints].join('; '));
}

/** What somebody must do so that these restrain no more: a Hold is an object, a hold in Redis a field of a hash. */
function liftedBy({ system }: Known, document: DesiredDocument | undefined, holds: readonly ActiveHold[]): string {
  const restraining = new Set(holds.map(({ id }) => id));
  const among = (found: readonly ActiveHold[] = []): string[] =>
    found.map(({ id }) => id).filter((id) => restraining.has(id));
  const objects = among(document?.holds);
  const fields = among(redisHolds(system));
  const ways = [
    ...(objects.length === 0 ? [] : [`deleting Hold ${objects.join(', ')}`]),
    ...(fields.length === 0 ? [] : [`HDEL ${holdsKey(system.metadata.name)} ${fields.join(' ')} in Redis`]),
  ];
  return `lifted by ${ways.join(' and ')}`;
}

/** No part of Ready: trading does not need it. */
const monitoredVerdict = (missing: readonly string[]): Verdict =>
  missing.length === 0
    ? yes('Monitored')
    : no('KindsMissing', `${missing.join(', ')} of monitoring.coreos.com/v1: not served here; made when they appear`);

const lateVerdict = (symbols: readonly string[]): Verdict =>
  no(
    'FeedLate',
    `behind their venue by more than ${BOOK_FRESH_MS / 1_000} s, nothing is opened on them: ${symbols.join(', ')}`,
  );

/** What only the param server can tell; unknown while it is not there to tell. */
function liveConditions({ system: { status }, pods }: Known): Record<string, Verdict> {
  const isTold = pods.some((pod) => pod.metadata.labels?.[PART_LABEL] === 'param-server' && isReady(pod));
  const { breaker, redisConnected, dataFlowing, late = [] } = status?.runtime ?? {};
  const verdict = (known: boolean | undefined, [good, bad]: readonly [string, string]): Verdict => {
    if (!isTold || known === undefined) return unknown('NoReport', 'the param server has not reported');
    return known ? yes(good) : no(bad);
  };
  return {
    BreakerClosed: verdict(breaker === undefined ? undefined : breaker.state === 'CLOSED', ['Closed', 'Open']),
    RedisAvailable: verdict(redisConnected, ['Connected', 'Away']),
    DataFlowing:
      isTold && dataFlowing === true && late.length > 0
        ? lateVerdict(late)
        : verdict(dataFlowing, ['Flowing', 'NotFlowing']),
  };
}
