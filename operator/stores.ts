// What the operator knows of the cluster, and the watches that keep it so.
import { SYSTEM_LABEL } from '@tradewind/workloads/contract/pods.ts';
import type { Logger } from 'pino';
import {
  CHILDREN,
  HOLDS,
  OPTIONAL_KINDS,
  PODS,
  RISK_PARAMS,
  ROUTER_RULES,
  TRADING_SYSTEMS,
  type Child,
  type ChildKind,
  type Hold,
  type Pod,
  type Revisioned,
  type TradingSystem,
} from './kinds.ts';
import { Offers } from './offers.ts';
import type { Api } from './runtime/client.ts';
import { withForeignFields } from './runtime/drift.ts';
import { keyOf, type Live, type Resource } from './runtime/object.ts';
import { Store, withoutManagedFields } from './runtime/store.ts';
import { watch } from './runtime/watch.ts';
import { keepingAnnotators } from './trading-system/annotations.ts';
import type { Contest } from './trading-system/contest.ts';
import { OWNED } from './trading-system/objects/frame.ts';

const OPTIONAL: ReadonlySet<string> = new Set(OPTIONAL_KINDS);

export interface Stores {
  readonly systems: Store<TradingSystem>;
  readonly riskParams: Store<Revisioned>;
  readonly routerRules: Store<Revisioned>;
  /** Grouped by their system's key, as are children and pods. */
  readonly holds: Store<Hold>;
  readonly children: Readonly<Record<ChildKind, Store<Child>>>;
  readonly pods: Store<Pod>;
  /** Of this process only, by `Kind namespace/name`: children that others keep changing. */
  readonly contests: Map<string, Contest>;
  readonly offers: Offers;
}

/** Key of the system that a child or a pod belongs to, by its label. */
export const labelledOwner = ({ metadata }: Live): string | undefined => {
  const name = metadata.labels?.[SYSTEM_LABEL];
  return name === undefined ? undefined : keyOf({ ...metadata, name });
};

export function createStores(): Stores {
  const child = (): Store<Child> => new Store<Child>({ trim: withForeignFields, groupOf: labelledOwner });
  return {
    systems: new Store({ trim: keepingAnnotators }),
    riskParams: new Store(),
    routerRules: new Store(),
    holds: new Store<Hold>({
      // managedFields stay: they tell who made a Hold.
      trim: (hold) => hold,
      groupOf: ({ metadata, spec }) =>
        spec === undefined ? undefined : keyOf({ ...metadata, name: spec.systemRef.name }),
    }),
    children: {
      ServiceAccount: child(),
      Role: child(),
      RoleBinding: child(),
      ConfigMap: child(),
      PersistentVolumeClaim: child(),
      Service: child(),
      NetworkPolicy: child(),
      PodDisruptionBudget: child(),
      StatefulSet: child(),
      Deployment: child(),
      PodMonitor: child(),
      PrometheusRule: child(),
    },
    pods: new Store<Pod>({ trim: trimPod, groupOf: labelledOwner }),
    contests: new Map(),
    offers: new Offers(),
  };
}

/** Of a pod only who it is and how it is, as far as anybody looks: half of its memory. Its spec is the Deployment's. */
export function trimPod(pod: Pod): Pod {
  const { apiVersion, kind, metadata, status } = withoutManagedFields(pod);
  return { apiVersion, kind, metadata, ...(status === undefined ? {} : { status: trimStatus(status) }) };
}

function trimStatus({ phase, conditions, containerStatuses }: NonNullable<Pod['status']>): NonNullable<Pod['status']> {
  return {
    ...(phase === undefined ? {} : { phase }),
    ...(conditions === undefined ? {} : { conditions: conditions.map(trimCondition) }),
    ...(containerStatuses === undefined ? {} : { containerStatuses: containerStatuses.map(trimContainer) }),
  };
}

type Condition = NonNullable<NonNullable<Pod['status']>['conditions']>[number];
const trimCondition = ({ type, status, message }: Condition): Condition => ({
  type,
  status,
  ...(message === undefined ? {} : { message }),
});

type Container = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];
const trimContainer = ({ name, restartCount, state }: Container): Container => ({
  name,
  ...(restartCount === undefined ? {} : { restartCount }),
  ...(state?.waiting === undefined ? {} : { state: { waiting: state.waiting } }),
});

export interface WatchAllOptions {
  readonly api: Api;
  readonly stores: Stores;
  readonly log: Logger;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly onRecovered: () => void;
  readonly signal: AbortSignal;
}

export interface Watching {
  /** Resolves when every store has been whole once: before, nothing may be decided. */
  readonly synced: Promise<void>;
  /** Resolves when all watches have ended, after the signal has aborted. */
  readonly ended: Promise<void>;
}

/** Where watches look: the whole cluster, or each of `namespaces`. */
export const scopesOf = (namespaces: readonly string[]): readonly { readonly namespace?: string }[] =>
  namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));

/** Watches everything that every cluster has, until the signal aborts; discovery.ts follows the rest. */
export function watchAll({ stores, namespaces, ...options }: WatchAllOptions): Watching {
  const scopes = scopesOf(namespaces);
  const synced: Promise<void>[] = [];
  const ended: Promise<void>[] = [];
  const follow = <T extends Live>(resource: Resource, store: Store<T>, more: { labelSelector?: string } = {}): void => {
    for (const scope of scopes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      synced.push(promise);
      ended.push(watch({ ...options, ...scope, ...more, resource, store, onSynced: resolve }));
    }
  };
  const owned = { labelSelector: OWNED };
  follow(TRADING_SYSTEMS, stores.systems);
  follow(RISK_PARAMS, stores.riskParams);
  follow(ROUTER_RULES, stores.routerRules);
  follow(HOLDS, stores.holds);
  follow(PODS, stores.pods, owned);
  for (const kind of Object.keys(CHILDREN) as ChildKind[]) {
    if (!OPTIONAL.has(kind)) follow(CHILDREN[kind], stores.children[kind], owned);
  }
  const all = async (promises: readonly Promise<void>[]): Promise<void> => void (await Promise.all(promises));
  return { synced: all(synced), ended: all(ended) };
}
