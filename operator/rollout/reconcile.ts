// One pass over one RiskParams or RouterRules: its status says where its revision stands. The trading system's reconciler is
// what carries it to the pods.
import { parseRiskParamsSpec } from '@tradewind/crds/schema/risk-params.ts';
import { parseRouterRulesSpec, type RouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import type { RevisionStatus } from '@tradewind/crds/schema/status.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { RISK_PARAMS, ROUTER_RULES, type Revisioned, type TradingSystem } from '../kinds.ts';
import { isSame, STATUS_MANAGER } from '../runtime/apply.ts';
import type { Api } from '../runtime/client.ts';
import { turned } from '../runtime/conditions.ts';
import type { Events } from '../runtime/events.ts';
import { keyOf, splitKey, type Resource } from '../runtime/object.ts';
import type { Store } from '../runtime/store.ts';
import { SETTLED, type Outcome } from '../runtime/worker.ts';
import type { Stores } from '../stores.ts';
import { isDisabled } from '../trading-system/annotations.ts';
import { knownIn, observe, revisionOf } from '../trading-system/observe.ts';
import { isProven, refusalIn } from '../trading-system/proof.ts';
import { invalidRevisionStatus, revisionStatusAfter, type Follower } from './status.ts';

/** What differs between the two kinds. */
export interface RevisionKind {
  readonly resource: Resource;
  readonly store: (stores: Stores) => Store<Revisioned>;
  readonly parse: typeof parseRiskParamsSpec | typeof parseRouterRulesSpec;
  /** Name that a system refers to. */
  readonly refOf: (system: TradingSystem) => string | undefined;
  readonly revisionIn: (document: DesiredDocument) => string;
  /** Figures of the spec that its columns show. */
  readonly figuresOf: (spec: unknown) => object;
}

interface Refs {
  readonly riskParamsRef?: { readonly name?: string };
  readonly routerRulesRef?: { readonly name?: string };
}

export const RISK_PARAMS_KIND: RevisionKind = {
  resource: RISK_PARAMS,
  store: ({ riskParams }) => riskParams,
  parse: parseRiskParamsSpec,
  refOf: ({ spec }) => (spec as Refs | undefined)?.riskParamsRef?.name,
  revisionIn: ({ risk }) => risk.revision,
  figuresOf: () => ({}),
};

export const ROUTER_RULES_KIND: RevisionKind = {
  resource: ROUTER_RULES,
  store: ({ routerRules }) => routerRules,
  parse: parseRouterRulesSpec,
  refOf: ({ spec }) => (spec as Refs | undefined)?.routerRulesRef?.name,
  revisionIn: ({ rules }) => rules.revision,
  figuresOf: (spec) => ({ rules: (spec as RouterRulesSpec).rules.length }),
};

export interface Deps {
  readonly api: Api;
  readonly stores: Stores;
  readonly events: Events;
  /** Epoch ms. */
  readonly now: () => number;
}

export async function reconcileRevision(kind: RevisionKind, key: string, deps: Deps): Promise<Outcome> {
  const store = kind.store(deps.stores);
  const object = store.get(key);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return SETTLED;
  const { generation = 0 } = object.metadata;
  const now = new Date(deps.now()).toISOString();
  const parsed = kind.parse(object.spec);
  const status = parsed.ok
    ? {
        ...revisionStatusAfter({
          generation,
          revision: revisionOf(parsed.value),
          followers: followersOf(kind, key, deps.stores),
          before: object.status,
          now,
        }),
        ...kind.figuresOf(parsed.value),
      }
    : invalidRevisionStatus(object.status, parsed.issues[0], { generation, now });
  await writeStatus(kind, object, status, deps);
  return SETTLED;
}

/** Keys of the systems that refer to the object of `key`, sorted. */
export function systemsOf(kind: RevisionKind, key: string, { systems }: Stores): string[] {
  const { namespace, name } = splitKey(key);
  return [...systems.all()]
    .filter((system) => system.metadata.namespace === namespace && kind.refOf(system) === name)
    .map(({ metadata }) => keyOf(metadata))
    .sort();
}

/** Keys of the objects that a system refers to, or whose status still says that it does. */
export function followedBy(kind: RevisionKind, systemKey: string, stores: Stores): string[] {
  const { namespace, name } = splitKey(systemKey);
  const system = stores.systems.get(systemKey);
  const told = [...kind.store(stores).all()].filter(
    ({ metadata, status }) => metadata.namespace === namespace && status?.systems?.some((one) => one.name === name),
  );
  const names = [system === undefined ? undefined : kind.refOf(system), ...told.map(({ metadata }) => metadata.name)];
  return [...new Set(names)].flatMap((found) => (found === undefined ? [] : keyOf({ namespace, name: found })));
}

function followersOf(kind: RevisionKind, key: string, stores: Stores): Follower[] {
  return systemsOf(kind, key, stores).flatMap((system): Follower[] => {
    const look = observe(system, stores);
    if (look.kind === 'gone') return [];
    const known = knownIn(look);
    const { published, system: live } = known;
    const { acks } = live.status?.runtime ?? {};
    return [
      {
        name: live.metadata.name,
        published,
        publishedRevision: published === undefined ? undefined : kind.revisionIn(published),
        proven: isProven(known, published),
        acked: acks?.acked ?? 0,
        expected: acks?.expected ?? 0,
        disabled: isDisabled(live),
        refusal: refusalIn(live),
      },
    ];
  });
}

async function writeStatus(kind: RevisionKind, object: Revisioned, status: RevisionStatus, deps: Deps): Promise<void> {
  if (isSame(object.status, status)) return;
  const { namespace = '', name, resourceVersion } = object.metadata;
  // Over what was seen only, as apply-status.ts does.
  const metadata = { namespace, name, resourceVersion };
  const applied = { apiVersion: object.apiVersion, kind: object.kind, metadata, status };
  kind.store(deps.stores).put(await deps.api.apply<Revisioned>(kind.resource, applied, STATUS_MANAGER, 'status'));
  for (const { type, status: is, reason, message } of turned(object.status?.conditions, status.conditions ?? [])) {
    if (type !== 'Ready' || is !== 'True') continue;
    deps.events.emit(object, {
      type: 'Normal',
      reason,
      action: 'Reconcile',
      note: `revision ${status.active}: ${message}`,
    });
  }
}
