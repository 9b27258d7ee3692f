// What a trading system's status says, computed in one place from what was seen and planned. Pure.
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { ACKNOWLEDGING, PART_LABEL, SHARD_LABEL } from '@tradewind/workloads/contract/pods.ts';
import { restraintOf } from '@tradewind/workloads/contract/restraint.ts';
import type { Child, Pod } from '../kinds.ts';
import { conditionsOf, no, unknown, yes, type Verdict } from '../runtime/conditions.ts';
import type { Wanted } from '../runtime/object.ts';
import { childKey, type Seen } from './observe.ts';
import type { Blocker, Plan } from './plan.ts';

type ComponentStatus = NonNullable<TradingSystemStatus['components']>[number];
type Phase = NonNullable<TradingSystemStatus['phase']>;
/** All but `runtime`, which is the param server's. */
export type OwnStatus = Omit<TradingSystemStatus, 'runtime'>;

/** The document in force after this pass. */
export const documentAfter = (seen: Seen, plan: Plan): DesiredDocument | undefined => plan.document ?? seen.published;

/** Whether every pod that must run `document` has said so. */
export function isProven({ system, spec }: Seen, document: DesiredDocument | undefined): boolean {
  const { acks } = system.status?.runtime ?? {};
  const expected = spec.shards * ACKNOWLEDGING.length;
  return document !== undefined && acks?.hash === document.hash && acks.acked >= expected && acks.pending.length === 0;
}

export function statusAfter(seen: Seen, plan: Plan, now: number): OwnStatus {
  const { system, spec, pods } = seen;
  const document = documentAfter(seen, plan);
  const restraint = restraintOf(document, [], now);
  const components = plan.children.flatMap((wanted) => componentStatus(seen, wanted));
  const isUp = components.length > 0 && components.every(({ ready, desired }) => ready >= desired);
  const at = new Date(now).toISOString();
  const { generation = 0 } = system.metadata;
  const ready = readiness(seen, plan, { components, isUp });
  const trading = spec.trading === 'Stopped' ? 'Stopped' : restraint.tradingStopped ? 'Held' : 'Enabled';
  return {
    observedGeneration: generation,
    phase: phaseOf(system.status?.phase, { isUp, trading, blockers: plan.blockers }),
    conditions: conditionsOf(
      {
        Ready: ready,
        Reconciling: ready.status === 'True' || isStalled(plan) ? no(ready.reason) : yes(ready.reason, ready.message),
        Stalled: isStalled(plan) ? yes(ready.reason, ready.message) : no(ready.reason),
        TradingEnabled: tradingVerdict(trading, restraint.holds),
        RouterActive: routerVerdict(restraint.holds),
        ...liveConditions(system.status, pods),
      },
      system.status?.conditions,
      { generation, now: at },
    ),
    components,
    ready: `${components.filter((one) => one.ready >= one.desired).length}/${components.length}`,
    trading,
    router: restraint.routerPaused ? 'Paused' : 'Active',
    holds: restraint.holds.map(({ id, effect, by, reason, until }) => ({
      name: id,
      effect,
      by,
      reason,
      ...(until === undefined ? {} : { until }),
    })),
    ...(document === undefined
      ? {}
      : { desired: { epoch: document.epoch, version: document.version, hash: document.hash } }),
  };
}

/** The status of what is stored but does not fit the schema: nothing is done until somebody changes it. */
export function invalidStatus(
  { metadata, status }: Seen['system'],
  issue: { path: string; found: string; expected: string } | undefined,
  now: number,
): OwnStatus {
  const { generation = 0 } = metadata;
  const verdict = no('Invalid', `spec.${issue?.path}: found ${issue?.found}, expected ${issue?.expected}`);
  const { runtime: _, ...own } = status ?? {};
  return {
    ...own,
    observedGeneration: generation,
    conditions: conditionsOf(
      { Ready: verdict, Reconciling: no('Invalid'), Stalled: { ...verdict, status: 'True' } },
      status?.conditions,
      { generation, now: new Date(now).toISOString() },
    ),
  };
}

const isStalled = ({ blockers }: Plan): boolean => blockers.some(({ who }) => who === 'user');

interface Standing {
  readonly components: readonly ComponentStatus[];
  readonly isUp: boolean;
}

/** The first thing that is not as it should be, in the order in which a person would want to know it. */
function readiness(seen: Seen, plan: Plan, { components, isUp }: Standing): Verdict {
  const [blocker] = [...plan.blockers].sort((a, b) => Number(b.who === 'user') - Number(a.who === 'user'));
  if (blocker !== undefined) return no(blocker.reason, blocker.message);
  const waiting = components.filter(({ ready, desired }) => ready < desired);
  if (!isUp) {
    const what = waiting.map(({ name, message }) => (message === undefined ? name : `${name}: ${message}`));
    return no('ComponentsNotReady', what.join('; ').slice(0, 1_000));
  }
  if (!isProven(seen, documentAfter(seen, plan))) {
    const { acks } = seen.system.status?.runtime ?? {};
    const errors = acks?.errors?.map(({ pod, message }) => `${pod}: ${message}`).join('; ');
    if (errors) return no('Refused', errors.slice(0, 1_000));
    return no('Propagating', `waits for pods to acknowledge: ${acks?.pending.join(', ') || 'all of them'}`);
  }
  return yes('Ready', 'all parts are up and every pod runs the desired document');
}

function phaseOf(
  before: Phase | undefined,
  { isUp, trading, blockers }: { isUp: boolean; trading: string; blockers: readonly Blocker[] },
): Phase {
  const wasUp = before === 'Running' || before === 'Stopped' || before === 'Degraded';
  if (isUp) return trading === 'Enabled' ? 'Running' : 'Stopped';
  if (wasUp) return 'Degraded';
  return blockers.length > 0 ? 'Pending' : 'Starting';
}

type Holds = ReturnType<typeof restraintOf>['holds'];

function tradingVerdict(trading: string, holds: Holds): Verdict {
  if (trading === 'Enabled') return yes('Enabled');
  if (trading === 'Stopped') return no('StoppedBySpec', 'spec.trading is Stopped');
  const names = holds.filter(({ effect }) => effect !== 'PauseRouter' && effect !== 'CapKelly').map(({ id }) => id);
  return no('Held', names.length === 0 ? 'no desired document yet' : `lifted by deleting Hold ${names.join(', ')}`);
}

function routerVerdict(holds: Holds): Verdict {
  const names = holds.filter(({ effect }) => effect === 'PauseRouter').map(({ id }) => id);
  return names.length === 0 ? yes('Active') : no('Paused', `lifted by deleting Hold ${names.join(', ')}`);
}

/** What only the param server can tell; unknown while it is not there to tell. */
function liveConditions(status: TradingSystemStatus | undefined, pods: readonly Pod[]): Record<string, Verdict> {
  const isTold = pods.some((pod) => pod.metadata.labels?.[PART_LABEL] === 'param-server' && isReady(pod));
  const { breaker, redisConnected, dataFlowing } = status?.runtime ?? {};
  const verdict = (known: boolean | undefined, [good, bad]: readonly [string, string]): Verdict => {
    if (!isTold || known === undefined) return unknown('NoReport', 'the param server has not reported');
    return known ? yes(good) : no(bad);
  };
  return {
    BreakerClosed: verdict(breaker === undefined ? undefined : breaker.state === 'CLOSED', ['Closed', 'Open']),
    RedisAvailable: verdict(redisConnected, ['Connected', 'Away']),
    DataFlowing: verdict(dataFlowing, ['Flowing', 'NotFlowing']),
  };
}

const isReady = ({ status, metadata }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false);

function componentStatus(seen: Seen, wanted: Wanted): ComponentStatus[] {
  if (wanted.kind !== 'Deployment' && wanted.kind !== 'StatefulSet') return [];
  const { name, labels } = wanted.metadata;
  const live = seen.children.get(childKey(wanted.kind, name));
  const shard = labels?.[SHARD_LABEL];
  const desired = live?.spec?.replicas ?? 1;
  const ready = live === undefined ? 0 : Math.min(readyOf(live, desired), desired);
  const message = ready < desired ? waitingFor(seen, labels ?? {}) : undefined;
  return [
    {
      name,
      part: labels?.[PART_LABEL] ?? '',
      ...(shard === undefined ? {} : { shard: Number(shard) }),
      ready,
      desired,
      ...(message === undefined ? {} : { message }),
    },
  ];
}

/** Pods of the newest template that are ready; none while the rollout is not seen, or old pods are still there. */
function readyOf({ metadata, status }: Child, desired: number): number {
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  if (!isSeen || (status?.updatedReplicas ?? 0) < desired || (status?.replicas ?? 0) > desired) return 0;
  return status?.readyReplicas ?? 0;
}

/** The first thing that a pod of the component says about itself. */
function waitingFor({ pods }: Seen, labels: Readonly<Record<string, string>>): string | undefined {
  const own = pods.filter(({ metadata }) =>
    [PART_LABEL, SHARD_LABEL].every((label) => metadata.labels?.[label] === labels[label]),
  );
  for (const { status } of own) {
    const waiting = status?.containerStatuses?.find(({ state }) => state?.waiting?.reason !== undefined)?.state
      ?.waiting;
    if (waiting?.reason !== undefined)
      return [waiting.reason, waiting.message].filter(Boolean).join(': ').slice(0, 300);
    const unscheduled = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
    if (unscheduled !== undefined) return (unscheduled.message ?? 'not scheduled').slice(0, 300);
  }
  return undefined;
}
