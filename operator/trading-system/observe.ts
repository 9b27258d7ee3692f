// One look at a trading system and all that belongs to it: memory only, no request.
import { parseRiskParamsSpec, type RiskParamsSpec } from '@tradewind/crds/schema/risk-params.ts';
import { parseRouterRulesSpec, type RouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import type { Issue } from '@tradewind/crds/schema/parse.ts';
import { parseTradingSystemSpec, type TradingSystemSpec } from '@tradewind/crds/schema/trading-system.ts';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { parseDesired } from '@tradewind/workloads/contract/parse-desired.ts';
import { desiredMapOf } from '@tradewind/workloads/contract/pods.ts';
import { CHILDREN, type Child, type ChildKind, type Hold, type Pod, type TradingSystem } from '../kinds.ts';
import { keyOf } from '../runtime/object.ts';
import { once } from '../runtime/once.ts';
import type { Stores } from '../stores.ts';

/** RiskParams or RouterRules that a system refers to. */
export type Referred<T> =
  | { readonly found: 'yes'; readonly revision: string; readonly spec: T }
  | { readonly found: 'no' }
  | { readonly found: 'invalid'; readonly issues: readonly Issue[] };

export interface Seen {
  readonly system: TradingSystem;
  readonly spec: TradingSystemSpec;
  readonly risk: Referred<RiskParamsSpec>;
  readonly rules: Referred<RouterRulesSpec>;
  readonly holds: readonly Hold[];
  /** Children by `Kind/name`. */
  readonly children: ReadonlyMap<string, Child>;
  readonly pods: readonly Pod[];
  /** What is published now; undefined also where it cannot be read. */
  readonly published: DesiredDocument | undefined;
}

export type Look =
  | { readonly kind: 'gone'; readonly holds: readonly Hold[] }
  /** What is stored does not fit our schema: older, or written with validation off. */
  | { readonly kind: 'invalid'; readonly system: TradingSystem; readonly issues: readonly Issue[] }
  | { readonly kind: 'seen'; readonly seen: Seen };

export const childKey = (kind: string, name: string): string => `${kind}/${name}`;

export function observe(key: string, stores: Stores): Look {
  const system = stores.systems.get(key);
  const holds = stores.holds.group(key);
  if (system === undefined || system.metadata.deletionTimestamp !== undefined) return { kind: 'gone', holds };
  const parsed = parsedSystem(system.spec ?? {});
  if (!parsed.ok) return { kind: 'invalid', system, issues: parsed.issues };
  const spec = parsed.value;
  const inNamespace = (name: string): string => keyOf({ ...system.metadata, name });
  const children = childrenOf(key, stores);
  const risk = stores.riskParams.get(inNamespace(spec.riskParamsRef.name));
  const rules = stores.routerRules.get(inNamespace(spec.routerRulesRef.name));
  const map = children.get(childKey('ConfigMap', desiredMapOf(system.metadata.name)));
  return {
    kind: 'seen',
    seen: {
      system,
      spec,
      risk: risk === undefined ? NOT_FOUND : riskIn(risk.spec ?? {}),
      rules: rules === undefined ? NOT_FOUND : rulesIn(rules.spec ?? {}),
      holds,
      children,
      pods: stores.pods.group(key),
      published: map === undefined ? undefined : publishedIn(map),
    },
  };
}

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
