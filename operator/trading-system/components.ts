// The components of a system: its Deployments and StatefulSets, and how their pods are. Pure.
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import { PART_LABEL, SHARD_LABEL, shardIn } from '@tradewind/workloads/contract/pods.ts';
import type { Child, Pod } from '../kinds.ts';
import type { Wanted } from '../runtime/object.ts';
import { childKey, type Known } from './observe.ts';

export type ComponentStatus = NonNullable<TradingSystemStatus['components']>[number];

/** A pod that the kubelet calls ready, and that is not on its way out. */
export const isReady = ({ status, metadata }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false);

/** What the status says of one Deployment or StatefulSet; nothing of any other kind. */
export function componentStatus(known: Known, wanted: Wanted): ComponentStatus[] {
  if (wanted.kind !== 'Deployment' && wanted.kind !== 'StatefulSet') return [];
  const { name, labels } = wanted.metadata;
  const live = known.children.get(childKey(wanted.kind, name));
  const shard = labels?.[SHARD_LABEL];
  // One that a restart has stopped still belongs to the system.
  const desired = Math.max(1, live?.spec?.replicas ?? 1);
  const ready = readyOf(live, desired);
  const message = ready < desired ? waitingFor(known, labels ?? {}) : undefined;
  const image = imageOf(known, live, desired);
  return [
    {
      name,
      part: labels?.[PART_LABEL] ?? '',
      ...(shard === undefined ? {} : { shard: shardIn(shard) }),
      ready,
      desired,
      ...(image === undefined ? {} : { image }),
      ...(message === undefined ? {} : { message }),
    },
  ];
}

/** Whether it has all its pods, each of the newest template and ready. One that is scaled to 0 has none. */
export const isUp = (workload: Child): boolean => {
  const desired = workload.spec?.replicas ?? 1;
  return desired > 0 && readyOf(workload, desired) >= desired;
};

/** As the template names it, once every pod is of that template; until then the one that ran before. */
function imageOf({ system }: Known, live: Child | undefined, desired: number): string | undefined {
  if (live === undefined) return undefined;
  const before = system.status?.components?.find(({ name }) => name === live.metadata.name)?.image;
  return isRolledOut(live, desired) ? live.spec?.template?.spec?.containers?.[0]?.image : before;
}

/** Whether all pods that there should be are there, and of the newest template. */
const isRolledOut = ({ metadata, status }: Child, desired: number): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
  (status?.updatedReplicas ?? 0) >= desired &&
  (status?.replicas ?? 0) <= desired;

/** Pods of the newest template that are ready; none while the rollout is not seen, or old pods are still there. */
const readyOf = (live: Child | undefined, desired: number): number =>
  live !== undefined && isRolledOut(live, desired) ? Math.min(live.status?.readyReplicas ?? 0, desired) : 0;

/** The first thing that a pod of the component says about itself. */
function waitingFor({ pods }: Known, labels: Readonly<Record<string, string>>): string | undefined {
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
