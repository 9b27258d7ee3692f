// The operator, wired: stores and watches, three controllers with their queues, one lease. Started by main.ts and by tests.
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { OperatorConfig } from './config.ts';
import { discover } from './discovery.ts';
import type { Live } from './runtime/object.ts';
import { keyOf } from './runtime/object.ts';
import type { Api } from './runtime/client.ts';
import { createEvents } from './runtime/events.ts';
import { Lease } from './runtime/lease.ts';
import { controllerMetrics, leaderMetrics } from './runtime/metrics.ts';
import { Queue } from './runtime/queue.ts';
import { work, type Outcome } from './runtime/worker.ts';
import {
  followedBy,
  reconcileRevision,
  RISK_PARAMS_KIND,
  ROUTER_RULES_KIND,
  systemsOf,
  type RevisionKind,
} from './rollout/reconcile.ts';
import { createStores, labelledOwner, watchAll, type Stores } from './stores.ts';
import { reconcileTradingSystem } from './trading-system/reconcile.ts';
import { Stopwatch } from './trading-system/restart/stopwatch.ts';
import { SETTLE_MS } from './trading-system/status.ts';

const LEASE = 'tradewind-operator';
const WORKERS = 4;

export interface OperatorOptions {
  readonly config: OperatorConfig;
  readonly api: Api;
  readonly log: Logger;
  readonly registry: Registry;
  /** Unique to this process. */
  readonly identity: string;
  /** Epoch ms. */
  readonly now?: () => number;
  /** How often it looks what the cluster offers. */
  readonly lookEveryMs?: number;
  readonly signal: AbortSignal;
}

export interface Operator {
  readonly stores: Stores;
  /** Why it is not ready; undefined when it is. Ready also while another leads. */
  readonly notReady: () => string | undefined;
  /** Resolves after the signal has aborted and all is put down. Rejects with FatalError: then the process must end. */
  readonly done: Promise<void>;
}

/** Watches at once; acts when it leads and every store is whole. */
export function startOperator(options: OperatorOptions): Operator {
  const { api, config, log, registry, identity, signal } = options;
  const stores = createStores();
  const queues = createQueues(registry);
  // What is under way when the signal comes is finished as the leader; then the lease is given back.
  const drained = new AbortController();
  const lease = new Lease({
    api,
    log,
    namespace: config.namespace,
    name: LEASE,
    identity,
    signal: drained.signal,
    metrics: leaderMetrics(registry, LEASE),
  });
  const { synced, ended } = watchAll({
    api,
    stores,
    log,
    namespaces: config.watchNamespaces,
    onRecovered: () => Object.values(queues).forEach((queue) => queue.hurry()),
    signal,
  });
  const discovery = discover({
    api,
    stores,
    log,
    namespaces: config.watchNamespaces,
    ...(options.lookEveryMs === undefined ? {} : { everyMs: options.lookEveryMs }),
    signal,
  });
  const isKnown = Promise.all([synced, discovery.first]);
  let isSynced = false;
  void isKnown.then(() => (isSynced = true));

  const run = async (): Promise<void> => {
    const fatal = Promise.withResolvers<never>();
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const onFatal = (error: unknown): void => {
      if (signal.aborted) log.warn({ error }, 'not finished before the end; the next leader does it');
      else fatal.reject(error);
    };
    const acting = (async () => {
      await Promise.race([Promise.all([isKnown, lease.acquired]), stopped]);
      if (signal.aborted) return;
      enqueueOnChange(stores, queues);
      const guarded = api.guarded(() => lease.assertHeld());
      await runControllers({ ...options, api: guarded, stores, queues, lease, onFatal });
    })().finally(() => drained.abort());
    await Promise.race([Promise.all([lease.run().catch(onFatal), acting, ended, discovery.ended]), fatal.promise]);
  };
  signal.addEventListener('abort', () => Object.values(queues).forEach((queue) => queue.close()), { once: true });
  return { stores, notReady: () => (isSynced ? undefined : 'caches are not whole yet'), done: run() };
}

type Queues = ReturnType<typeof createQueues>;

function createQueues(registry: Registry) {
  const queue = (controller: string): Queue => new Queue({ metrics: controllerMetrics(registry, controller) });
  return { systems: queue('trading-system'), riskParams: queue('risk-params'), routerRules: queue('router-rules') };
}

/**
 * Which keys a change concerns. What is there already is added first. A revision waits a moment for its publication: the
 * acknowledgement makes its status due at once.
 */
function enqueueOnChange(stores: Stores, queues: Queues): void {
  const revision = (kind: RevisionKind, queue: Queue): void => {
    const store = kind.store(stores);
    const add = ({ metadata }: Live): void => {
      queue.add(keyOf(metadata), SETTLE_MS);
      for (const system of systemsOf(kind, keyOf(metadata), stores)) queues.systems.add(system);
    };
    store.onChange(add);
    for (const { metadata } of store.all()) queue.add(keyOf(metadata), SETTLE_MS, 'resync');
  };
  const revisionsOf = (key: string, delayMs = 0): void => {
    for (const risk of followedBy(RISK_PARAMS_KIND, key, stores)) queues.riskParams.add(risk, delayMs);
    for (const rules of followedBy(ROUTER_RULES_KIND, key, stores)) queues.routerRules.add(rules, delayMs);
  };
  const system = (key: string | undefined): void => {
    if (key !== undefined) queues.systems.add(key);
  };
  stores.systems.onChange(({ metadata }) => {
    system(keyOf(metadata));
    revisionsOf(keyOf(metadata));
  });
  for (const store of Object.values(stores.children)) store.onChange((item) => system(labelledOwner(item)));
  // A new document concerns the revisions in it, too.
  stores.children.ConfigMap.onChange((item) => revisionsOf(labelledOwner(item) ?? '', SETTLE_MS));
  stores.pods.onChange((pod) => system(labelledOwner(pod)));
  stores.holds.onChange(({ metadata, spec }) =>
    system(spec === undefined ? undefined : keyOf({ ...metadata, name: spec.systemRef.name })),
  );
  for (const { metadata } of stores.systems.all()) queues.systems.add(keyOf(metadata), 0, 'resync');
  stores.offers.onChange(() => [...stores.systems.all()].forEach(({ metadata }) => system(keyOf(metadata))));
  for (const { metadata, spec } of stores.holds.all()) {
    if (spec !== undefined) queues.systems.add(keyOf({ ...metadata, name: spec.systemRef.name }), 0, 'resync');
  }
  revision(RISK_PARAMS_KIND, queues.riskParams);
  revision(ROUTER_RULES_KIND, queues.routerRules);
}

interface Running extends OperatorOptions {
  readonly stores: Stores;
  readonly queues: Queues;
  readonly lease: Lease;
  readonly onFatal: (error: unknown) => void;
}

async function runControllers(running: Running): Promise<void> {
  const { api, stores, queues, lease, config, log, registry, now = Date.now, onFatal } = running;
  const events = createEvents(api, log, config.podName);
  const deps = { api, stores, events, images: config.images, lease, now, stopwatch: new Stopwatch() };
  const run = (controller: string, queue: Queue, reconcile: (key: string) => Promise<Outcome>): Promise<void> =>
    work({ controller, queue, reconcile, metrics: controllerMetrics(registry, controller), log, onFatal }, WORKERS);
  await Promise.all([
    run('trading-system', queues.systems, (key) => reconcileTradingSystem(key, deps)),
    run('risk-params', queues.riskParams, (key) => reconcileRevision(RISK_PARAMS_KIND, key, deps)),
    run('router-rules', queues.routerRules, (key) => reconcileRevision(ROUTER_RULES_KIND, key, deps)),
  ]);
}
