// The demo as the operator sees it, for tests: manifests of examples/kind, as the API server would give them back.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { PART_LABEL, SYSTEM_LABEL } from '@tradewind/workloads/contract/pods.ts';
import type { ChildKind, Hold, Pod, Revisioned, TradingSystem } from '../kinds.ts';
import type { Wanted } from '../runtime/object.ts';
import { createStores, type Stores } from '../stores.ts';
import { desiredMap } from '../trading-system/desired.ts';
import { FINALIZER, knownIn, observe, type Known, type Seen } from '../trading-system/observe.ts';
import { planTradingSystem, type Plan, type PlanOptions } from '../trading-system/plan.ts';
import { statusAfter, type OwnStatus } from '../trading-system/status.ts';

export const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples', 'kind');
export const NOW = Date.parse('2026-11-24T12:00:00.000Z');
export const KEY = 'trading/demo';
export const IMAGES = { workloads: 'localhost/tradewind-workloads:test', redis: 'localhost/tradewind-redis:test' };

const yaml = (file: string): unknown => load(readFileSync(join(EXAMPLES, file), 'utf8'));

let version = 100;
/** As the API server gives an object back: with a uid and a version later than any before. Fits whatever kind is asked for. */
export const live = (object: Wanted & object, more: object = {}): never =>
  ({
    ...object,
    metadata: {
      uid: `uid-${object.kind}-${object.metadata.name}`,
      generation: 1,
      namespace: 'trading',
      ...object.metadata,
      resourceVersion: String(++version),
    },
    ...more,
  }) as never;

export function aTradingSystem(spec: object = {}, status?: TradingSystem['status']): TradingSystem {
  const values = yaml('values.yaml') as { spec: object };
  const refs = { riskParamsRef: { name: 'demo' }, routerRulesRef: { name: 'demo' } };
  return live(
    { apiVersion: 'tradewind.io/v1alpha1', kind: 'TradingSystem', metadata: { name: 'demo', finalizers: [FINALIZER] } },
    { spec: { ...refs, trading: 'Enabled', ...values.spec, ...spec }, ...(status === undefined ? {} : { status }) },
  );
}

export const aRiskParams = (): Revisioned => live(yaml('risk-params.yaml') as Wanted);
export const aRouterRules = (): Revisioned => live(yaml('router-rules.yaml') as Wanted);

export const aHold = (spec: Partial<NonNullable<Hold['spec']>> = {}, name = 'stop'): Hold =>
  live(
    { apiVersion: 'tradewind.io/v1alpha1', kind: 'Hold', metadata: { name } },
    { spec: { systemRef: { name: 'demo' }, effect: 'StopTrading', reason: 'test', ...spec } },
  );

export const aPod = (part: string, isReady = true): Pod =>
  live(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `demo-${part}-x`, labels: { [SYSTEM_LABEL]: 'demo', [PART_LABEL]: part } },
    },
    { status: { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] } },
  );

/** Stores with the demo in them; `without` leaves kinds out. */
export function theDemo(system = aTradingSystem(), without: readonly string[] = []): Stores {
  const stores = createStores();
  stores.systems.put(system);
  if (!without.includes('RiskParams')) stores.riskParams.put(aRiskParams());
  if (!without.includes('RouterRules')) stores.routerRules.put(aRouterRules());
  return stores;
}

/** The demo's system as it is stored where validation was off: `spec` does not fit the schema. */
export function theUnreadableDemo(stores: Stores, spec: object): Known {
  stores.systems.put(aTradingSystem(spec, stores.systems.get(KEY)?.status));
  const look = observe(KEY, stores);
  if (look.kind !== 'invalid') throw new Error(look.kind);
  return look.known;
}

export function seenIn(stores: Stores): Seen {
  const look = observe(KEY, stores);
  if (look.kind !== 'seen') throw new Error(look.kind);
  return look.seen;
}

export const planFor = (seen: Seen, epoch = 1, now = NOW, more: Partial<PlanOptions> = {}): Plan =>
  planTradingSystem(seen, { images: IMAGES, epoch, now, stepMs: 0, openMs: 0, prometheus: undefined, ...more });

/** The status that a pass leaves behind, `done` as planned. */
export function statusOf(known: Known, plan: Plan, now = NOW): OwnStatus {
  return statusAfter(known, plan, { document: plan.document ?? known.published, blockers: [], commands: [] }, now);
}

/** Does what the plan says, as the API server and the controllers would. */
export function carryOut(stores: Stores, plan: Plan, isUp = true): void {
  for (const wanted of plan.children) {
    const status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: isUp ? 1 : 0 };
    stores.children[wanted.kind as ChildKind].put(live(wanted, { status }));
  }
  const look = observe(KEY, stores);
  if (plan.document === undefined || look.kind === 'gone') return;
  stores.children.ConfigMap.put(live(desiredMap(knownIn(look), plan.document)));
}

/** What the param server reports when `acked` of 3 pods run the document. */
export function reported(document: { hash: string; version: number }, acked = 3): NonNullable<TradingSystem['status']> {
  const pending = ['demo-harmoniser-x', 'demo-ingest-x', 'demo-router-x'].slice(acked);
  const acks = { acked, expected: 3, version: document.version, hash: document.hash, pending };
  return { runtime: { observedAt: new Date(NOW).toISOString(), acks } };
}
