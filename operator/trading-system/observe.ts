// One look at a trading system and all that belongs to it: memory only, no request.
import { parseRiskParamsSpec, type RiskParamsSpec } from '@tradewind/crds/schema/risk-params.ts';
import { parseRouterRulesSpec, type RouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import type { Issue } from '@tradewind/crds/schema/parse.ts';
import { parseTradingSystemSpec, type TradingSystemSpec } from '@tradewind/crds/schema/trading-system.ts';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { parseDesired } from '@tradewind/workloads/contract/parse-desired.ts';
import { desiredMapOf, isTradingPart, PART_LABEL, type Topology } from '@tradewind/workloads/contract/pods.ts';
import { CHILDREN, type Child, type ChildKind, type Hold, type Pod, type TradingSystem } from '../kinds.ts';
import { keyOf } from '../runtime/object.ts';
import { once } from '../runtime/once.ts';
import type { Stores } from '../stores.ts';

/** RiskParams or RouterRules that a system refers to. */
export type Referred<T> =
  | { readonly found: 'yes'; readonly revision: string; readonly spec: T }
  | { readonly found: 'no' }
  | { readonly found: 'invalid'; readonly issues: readonly Issue[] };

/** What there is of a system, whatever its spec says. */
export interface Known {
  readonly system: TradingSystem;
  readonly holds: readonly Hold[];
  /** Children by `Kind/name`. */
  readonly children: ReadonlyMap<string, Child>;
  /** Those that have not ended: what was evicted or has failed runs nothing, and nobody removes it. */
  readonly pods: readonly Pod[];
  /** The ConfigMap of the desired document, whoever made it and whatever its labels. */
  readonly map: Child | undefined;
  /** What is published now; undefined where it cannot be read or is another owner's. */
  readonly published: DesiredDocument | undefined;
  /** Shards that run; undefined before any does. */
  readonly shards: number | undefined;
  /** That which runs; before anything does, that which the spec asks for. */
  readonly topology: Topology;
}

export interface Seen extends Known {
  readonly spec: TradingSystemSpec;
  readonly risk: Referred<RiskParamsSpec>;
  readonly rules: Referred<RouterRulesSpec>;
}

export type Look =
  | { readonly kind: 'gone'; readonly holds: readonly Hold[] }
  /** What is stored does not fit our schema: older, or written with validation off. */
  | { readonly kind: 'invalid'; readonly known: Known; readonly issues: readonly Issue[] }
  | { readonly kind: 'seen'; readonly seen: Seen };

/** What is known also where the spec cannot be read. */
export const knownIn = (look: Exclude<Look, { kind: 'gone' }>): Known =>
  look.kind === 'seen' ? look.seen : look.known;

/** Keeps a deleted system until it has stopped. */
export const FINALIZER = 'tradewind.io/stop';
export const isDeleting = ({ metadata }: TradingSystem): boolean => metadata.deletionTimestamp !== undefined;
export const hasFinalizer = ({ metadata }: TradingSystem): boolean => metadata.finalizers?.includes(FINALIZER) ?? false;
/** Deleted, and only others keep it. */
const isLetGo = (system: TradingSystem): boolean => isDeleting(system) && !hasFinalizer(system);

export const childKey = (kind: string, name: string): string => `${kind}/${name}`;

export function observe(key: string, stores: Stores): Look {
  const system = stores.systems.get(key);
  const holds = stores.holds.group(key);
  if (system === undefined || isLetGo(system)) return { kind: 'gone', holds };
  const known = knownOf(system, stores);
  const parsed = parsedSystem(system.spec ?? {});
  if (!parsed.ok) return { kind: 'invalid', known, issues: parsed.issues };
  const spec = parsed.value;
  const risk = stores.riskParams.get(keyOf({ ...system.metadata, name: spec.riskParamsRef.name }));
  const rules = stores.routerRules.get(keyOf({ ...system.metadata, name: spec.routerRulesRef.name }));
  return {
    kind: 'seen',
    seen: {
      ...known,
      spec,
      risk: risk === undefined ? NOT_FOUND : riskIn(risk.spec ?? {}),
      rules: rules === undefined ? NOT_FOUND : rulesIn(rules.spec ?? {}),
    },
  };
}

function knownOf(system: TradingSystem, stores: Stores): Known {
  const { metadata } = system;
  const key = keyOf(metadata);
  const children = childrenOf(key, stores);
  const map = stores.children.ConfigMap.get(keyOf({ ...metadata, name: desiredMapOf(metadata.name) }));
  const document = map === undefined ? undefined : publishedIn(map);
  return {
    system,
    holds: stores.holds.group(key),
    children,
    pods: stores.pods.group(key).filter((pod) => !hasEnded(pod)),
    map,
    published: document?.owner === metadata.uid ? document : undefined,
    shards: shardsOf(system),
    topology: topologyOf(system, children),
  };
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** The same system as our own writes have left it: a status must not call ready what was just changed. */
export const afterOurWrites = (system: TradingSystem, stores: Stores): Known => knownOf(system, stores);

/** As the last whole pass wrote it into the status: objects can be deleted by anybody, and after a crash are only some. */
function shardsOf({ status }: TradingSystem): number | undefined {
  const shards = status?.components?.flatMap(({ shard }) => shard ?? []) ?? [];
  return shards.length === 0 ? undefined : Math.max(...shards) + 1;
}

/** By the status first, as above; before there is one, or where it was lost, by what is there. */
function topologyOf({ status, spec, metadata: { uid } }: TradingSystem, children: Known['children']): Topology {
  const deployments = [...children.values()].filter((item) => item.kind === 'Deployment' && isOwnedBy(item, uid));
  const parts = [
    ...(status?.components ?? []).map(({ part }) => part),
    ...deployments.map(({ metadata }) => metadata.labels?.[PART_LABEL]),
  ];
  const running = parts.find(isTradingPart);
  if (running !== undefined) return running === 'fused' ? 'Fused' : 'Split';
  return (spec as { readonly topology?: unknown } | undefined)?.topology === 'Fused' ? 'Fused' : 'Split';
}

export const isOwnedBy = ({ metadata }: Child, uid: string): boolean =>
  metadata.ownerReferences?.some((reference) => reference.uid === uid && reference.controller === true) ?? false;

function childrenOf(key: string, { children }: Stores): Map<string, Child> {
  const kinds = Object.keys(CHILDREN) as ChildKind[];
  return new Map(
    kinds.flatMap((kind) =>
      children[kind].group(key).map((item) => [childKey(kind, item.metadata.name), item] as const),
    ),
  );
}

const parsedSystem = once(parseTradingSystemSpec);
const riskIn = once((spec: object) => referred(parseRiskParamsSpec(spec)));
const rulesIn = once((spec: object) => referred(parseRouterRulesSpec(spec)));
const NOT_FOUND = { found: 'no' } as const;

function referred<T>(parsed: { ok: true; value: T } | { ok: false; issues: readonly Issue[] }): Referred<T> {
  if (!parsed.ok) return { found: 'invalid', issues: parsed.issues };
  return { found: 'yes', revision: revisionOf(parsed.value), spec: parsed.value };
}

/** Name of a revision: the hash of the spec with its defaults, so that the same content is the same revision. */
export const revisionOf = (spec: unknown): string => contentHash(spec);

/** The document in its ConfigMap; one that somebody has damaged counts as none. */
const publishedIn = once(({ data }: Child): DesiredDocument | undefined => {
  const parsed = parseDesired(data?.['desired.json'] ?? '');
  return parsed.ok ? parsed.document : undefined;
});
