// Metrics under controller-runtime's names, so that dashboards made for Go operators work unchanged.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface ControllerMetrics {
  /** One reconcile ended; `result` as controller-runtime names it. */
  reconciled(result: 'success' | 'error' | 'requeue' | 'requeue_after', seconds: number): void;
  depth(length: number): void;
  added(): void;
  retried(): void;
  waited(seconds: number): void;
  terminal(): void;
}

interface Shared {
  readonly total: Counter<'controller' | 'result'>;
  readonly errors: Counter<'controller'>;
  readonly terminal: Counter<'controller'>;
  readonly time: Histogram<'controller'>;
  readonly depth: Gauge<'name' | 'controller'>;
  readonly adds: Counter<'name' | 'controller'>;
  readonly retries: Counter<'name' | 'controller'>;
  readonly queueTime: Histogram<'name' | 'controller'>;
  readonly workTime: Histogram<'name' | 'controller'>;
}

const shared = new WeakMap<Registry, Shared>();

function sharedOf(registry: Registry): Shared {
  const found = shared.get(registry);
  if (found !== undefined) return found;
  const registers = [registry];
  const byController = ['controller'] as const;
  const byQueue = ['name', 'controller'] as const;
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames: byController, registers });
  const queueCounter = (name: string, help: string) => new Counter({ name, help, labelNames: byQueue, registers });
  const queueTime = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: byQueue, buckets: SECONDS, registers });
  const made: Shared = {
    total: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by controller and result',
      labelNames: ['controller', 'result'],
      registers,
    }),
    errors: counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed'),
    terminal: counter(
      'controller_runtime_terminal_reconcile_errors_total',
      'Failures that only a change of the object ends',
    ),
    time: new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Time of one reconcile',
      labelNames: byController,
      buckets: SECONDS,
      registers,
    }),
    depth: new Gauge({ name: 'workqueue_depth', help: 'Keys that wait', labelNames: byQueue, registers }),
    adds: queueCounter('workqueue_adds_total', 'Keys added'),
    retries: queueCounter('workqueue_retries_total', 'Keys added again after a failure'),
    queueTime: queueTime('workqueue_queue_duration_seconds', 'Time a key waited'),
    workTime: queueTime('workqueue_work_duration_seconds', 'Time a key was worked on'),
  };
  shared.set(registry, made);
  return made;
}

/** The metrics of one controller, all present from the start. */
export function controllerMetrics(registry: Registry, controller: string): ControllerMetrics {
  const all = sharedOf(registry);
  const labels = { name: controller, controller };
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) all.total.inc({ controller, result }, 0);
  all.errors.inc({ controller }, 0);
  all.depth.set(labels, 0);
  return {
    reconciled(result, seconds) {
      all.total.inc({ controller, result });
      if (result === 'error') all.errors.inc({ controller });
      all.time.observe({ controller }, seconds);
      all.workTime.observe(labels, seconds);
    },
    depth: (length) => all.depth.set(labels, length),
    added: () => all.adds.inc(labels),
    retried: () => all.retries.inc(labels),
    waited: (seconds) => all.queueTime.observe(labels, seconds),
    terminal: () => all.terminal.inc({ controller }),
  };
}

/** `rest_client_requests_total`: every request, watches included. */
export function requestCounter(registry: Registry, host: string): (method: string, code: number) => void {
  const counter = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by method and answer',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  return (method, code) => counter.inc({ code: String(code), method, host });
}

/** `leader_election_master_status`: 1 while this process leads. */
export function leaderGauge(registry: Registry, name: string): (leads: boolean) => void {
  const gauge = new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process holds the lease',
    labelNames: ['name'],
    registers: [registry],
  });
  gauge.set({ name }, 0);
  return (leads) => gauge.set({ name }, leads ? 1 : 0);
}
