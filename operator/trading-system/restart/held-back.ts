// Pods of the parts that trade change only in order: a new template waits until the restart has their part in hand. Pure.
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { PART_LABEL } from '@tradewind/workloads/contract/pods.ts';
import type { Child } from '../../kinds.ts';
import { covers, hashOf, withHash } from '../../runtime/apply.ts';
import type { Wanted } from '../../runtime/object.ts';
import { childKey, isOwnedBy, type Known } from '../observe.ts';
import { isRestarted, type Restarted } from './graph.ts';
import { isInHand, isStopped, type Restart } from './record.ts';

/** Template annotation of pods that a restart has started: by it nothing is restarted twice. */
export const RESTART_ID = 'tradewind.io/restart-id';
/** Hash of the pod template as we want it: tells a change of ours, which waits for its turn, from one that somebody made. */
const TEMPLATE = 'tradewind.io/template';

interface Workload extends Wanted {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly metadata: Wanted['metadata']; readonly spec: unknown };
  };
}

const partOf = ({ kind, metadata }: Wanted): Restarted | undefined => {
  const part = metadata.labels?.[PART_LABEL];
  return (kind === 'Deployment' || kind === 'StatefulSet') && isRestarted(part) ? part : undefined;
};

/** `wanted` with the hash of its pod template, where it is a workload that restarts touch. */
export function withTemplateHash(wanted: Wanted): Wanted {
  if (partOf(wanted) === undefined) return wanted;
  const annotations = { ...wanted.metadata.annotations, [TEMPLATE]: templateOf(wanted as Workload) };
  return { ...wanted, metadata: { ...wanted.metadata, annotations } };
}

const templateOf = ({ spec }: Workload): string => contentHash(spec.template);

/** What waits to be given to the pods. */
export interface Pending {
  /** Parts with pods of another template than the spec's. */
  readonly parts: readonly Restarted[];
  /** The same for the same templates; empty where none waits. */
  readonly id: string;
}

export function pendingIn({ children, system }: Known, wanted: readonly Wanted[]): Pending {
  const parts = new Set<Restarted>();
  const templates: string[] = [];
  for (const one of wanted) {
    const part = partOf(one);
    if (part === undefined) continue;
    templates.push(one.metadata.annotations?.[TEMPLATE] ?? '');
    const live = children.get(childKey(one.kind, one.metadata.name));
    if (live !== undefined && isOwnedBy(live, system.metadata.uid) && !hasTemplate(live, one as Workload))
      parts.add(part);
  }
  const id = parts.size === 0 ? '' : `rollout-${contentHash(templates).slice(0, 10)}`;
  return { parts: [...parts].sort(), id };
}

/**
 * One that an older version made carries no hash: its content is compared. Where only the hash was changed, somebody did it: the
 * whole is as we applied it last.
 */
function hasTemplate(live: Child, wanted: Workload): boolean {
  const known = live.metadata.annotations?.[TEMPLATE];
  if (known === undefined) return covers(live.spec?.template, wanted.spec.template);
  if (known === wanted.metadata.annotations?.[TEMPLATE]) return true;
  return hashOf(live) === hashOf(variantOf(wanted, { id: restartIdOf(live), isStopped: false }));
}

const restartIdOf = (live: Child | undefined): string | undefined =>
  live?.spec?.template?.metadata?.annotations?.[RESTART_ID];

/**
 * What to apply of `wanted` while `restart` is recorded: scaled to 0 where its part is stopped, marked with the restart that
 * starts it, and undefined where its pods must not change yet.
 */
export function underRestart(known: Known, wanted: Wanted, restart: Restart | undefined): Wanted | undefined {
  const part = partOf(wanted);
  if (part === undefined) return wanted;
  const found = known.children.get(childKey(wanted.kind, wanted.metadata.name));
  const live = found !== undefined && isOwnedBy(found, known.system.metadata.uid) ? found : undefined;
  const isOurs = isInHand(restart, part);
  if (live !== undefined && !isOurs && !hasTemplate(live, wanted as Workload)) return undefined;
  const id = isOurs ? restart?.id : restartIdOf(live);
  return variantOf(wanted as Workload, { id, isStopped: isStopped(restart, part) });
}

interface Variant {
  readonly id: string | undefined;
  readonly isStopped: boolean;
}

/** A hash is dear, and most passes are about something else. */
const variants = new WeakMap<Wanted, { readonly key: string; readonly made: Wanted }>();

function variantOf(wanted: Workload, { id, isStopped: isScaledDown }: Variant): Wanted {
  if (id === undefined && !isScaledDown) return wanted;
  const key = `${id} ${isScaledDown}`;
  const known = variants.get(wanted);
  if (known?.key === key) return known.made;
  const { template, replicas } = wanted.spec;
  const annotations = { ...template.metadata.annotations, ...(id === undefined ? {} : { [RESTART_ID]: id }) };
  const made = withHash({
    ...wanted,
    spec: {
      ...wanted.spec,
      replicas: isScaledDown ? 0 : replicas,
      template: { ...template, metadata: { ...template.metadata, annotations } },
    },
  });
  variants.set(wanted, { key, made });
  return made;
}
