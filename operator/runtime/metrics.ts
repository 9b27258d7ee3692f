// Metrics under controller-runtime's names and labels, so that dashboards made for Go operators work unchanged.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Cause, QueueMetrics } from './queue.ts';

/** As controller-runtime 0.25 has them. */
const RECONCILE_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** Ten ns to 1,000 s; the finer ones between 1 and 100 ms are ours. */
const QUEUE_SECONDS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 1, 10, 100, 1_000];

/** controller-runtime's own priorities: what is only looked at again has the low one. */
const PRIORITY: Readonly<Record<Cause, string>> = { change: '0', resync: '-100' };

/** How a reconcile ended, as controller-runtime names it. */
export type Result = 'success' | 'error' | 'requeue' | 'requeue_after';

export interface ControllerMetrics extends QueueMetrics {
  /** So many keys can be worked on at a time. */
  workers(count: number): void;
  /** A reconcile began; call what it gives when that has ended. */
  began(): (result: Result) => void;
  terminal(): void;
  /** A reconcile threw what nobody expected. */
  panicked(): void;
}

type Labels = 'controller' | 'name' | 'result' | 'priority';

type Running = Map<string, Set<{ readonly since: number }>>;

interface Shared {
  readonly counters: ReturnType<typeof countersIn>;
  readonly gauges: ReturnType<typeof gaugesIn>;
  readonly times: ReturnType<typeof timesIn>;
  readonly controllers: Map<string, ControllerMetrics>;
  /** When each reconcile that goes on began, by controller. */
  readonly running: Running;
}

const shared = new WeakMap<Registry, Shared>();

function sharedOf(registry: Registry): Shared {
  const found = shared.get(registry);
  if (found !== undefined) return found;
  const made: Shared = {
    counters: countersIn(registry),
    gauges: gaugesIn(registry),
    times: timesIn(registry),
    controllers: new Map(),
    running: new Map(),
  };
  watchRunning(registry, made.running);
  shared.set(registry, made);
  return made;
}

const ofController = (registry: Registry, name: string, help: string) => {
  const labelNames: Labels[] = ['controller'];
  return { name: `controller_runtime_${name}`, help, labelNames, registers: [registry] };
};
const ofQueue = (registry: Registry, name: string, help: string) => {
  const labelNames: Labels[] = ['name', 'controller'];
  return { name: `workqueue_${name}`, help, labelNames, registers: [registry] };
};

function countersIn(registry: Registry) {
  const plain = (name: string, help: string) => new Counter(ofController(registry, name, help));
  return {
    total: new Counter({
      ...ofController(registry, 'reconcile_total', 'Reconciles by result'),
      labelNames: ['controller', 'result'],
    }),
    errors: plain('reconcile_errors_total', 'Reconciles that failed'),
    terminal: plain('terminal_reconcile_errors_total', 'Failures that only a change of the object ends'),
    panics: plain('reconcile_panics_total', 'Reconciles that threw what nobody expected'),
    timeouts: plain('reconcile_timeouts_total', 'Always 0: each request has a deadline of its own'),
    adds: new Counter(ofQueue(registry, 'adds_total', 'Keys that came due')),
    retries: new Counter(ofQueue(registry, 'retries_total', 'Keys added for later')),
  };
}

function gaugesIn(registry: Registry) {
  return {
    workers: new Gauge(ofController(registry, 'max_concurrent_reconciles', 'Keys that can be worked on at a time')),
    active: new Gauge(ofController(registry, 'active_workers', 'Keys that are worked on')),
    depth: new Gauge({
      ...ofQueue(registry, 'depth', 'Keys that are due and wait'),
      labelNames: ['name', 'controller', 'priority'],
    }),
  };
}

function timesIn(registry: Registry) {
  const queueTime = (name: string, help: string) =>
    new Histogram({ ...ofQueue(registry, name, help), buckets: QUEUE_SECONDS });
  return {
    reconcile: new Histogram({
      ...ofController(registry, 'reconcile_time_seconds', 'Time of one reconcile'),
      buckets: RECONCILE_SECONDS,
    }),
    queue: queueTime('queue_duration_seconds', 'Time a key that is due waited'),
    work: queueTime('work_duration_seconds', 'Time a key was worked on'),
  };
}

/** Two gauges of what goes on, computed when asked. */
function watchRunning(registry: Registry, running: Running): void {
  const gauge = (name: string, help: string, of: (seconds: readonly number[]) => number): void => {
    new Gauge({
      ...ofQueue(registry, name, help),
      collect() {
        const now = performance.now();
        for (const [controller, ones] of running) {
          const seconds = [...ones].map(({ since }) => (now - since) / 1_000);
          this.set({ name: controller, controller }, of(seconds));
        }
      },
    });
  };
  gauge('unfinished_work_seconds', 'Time of all work that goes on', (all) => all.reduce((sum, one) => sum + one, 0));
  gauge('longest_running_processor_seconds', 'Time of the work that goes on longest', (all) => Math.max(0, ...all));
}

/** The metrics of one controller, all present from the start; the same ones for the same name. */
export function controllerMetrics(registry: Registry, controller: string): ControllerMetrics {
  const all = sharedOf(registry);
  const made = all.controllers.get(controller) ?? metricsOf(all, controller);
  all.controllers.set(controller, made);
  return made;
}

const labelsByResult = (controller: string): Readonly<Record<Result, { controller: string; result: Result }>> => ({
  success: { controller, result: 'success' },
  error: { controller, result: 'error' },
  requeue: { controller, result: 'requeue' },
  requeue_after: { controller, result: 'requeue_after' },
});

function metricsOf({ counters, gauges, times, running }: Shared, controller: string): ControllerMetrics {
  const byQueue = { name: controller, controller };
  const ones = new Set<{ readonly since: number }>();
  running.set(controller, ones);
  // prom-client looks up labels at each use; the same objects spare the garbage.
  const totals = labelsByResult(controller);
  for (const labels of Object.values(totals)) counters.total.inc(labels, 0);
  const byController = { controller };
  for (const name of ['errors', 'terminal', 'panics', 'timeouts'] as const) counters[name].inc(byController, 0);
  for (const name of ['adds', 'retries'] as const) counters[name].inc(byQueue, 0);
  for (const name of ['active', 'workers'] as const) gauges[name].set(byController, 0);
  const depths = {
    change: { ...byQueue, priority: PRIORITY.change },
    resync: { ...byQueue, priority: PRIORITY.resync },
  };
  for (const labels of Object.values(depths)) gauges.depth.set(labels, 0);
  return {
    depth: (cause, length) => gauges.depth.set(depths[cause], length),
    added: () => counters.adds.inc(byQueue),
    retried: () => counters.retries.inc(byQueue),
    waited: (seconds) => times.queue.observe(byQueue, seconds),
    workers: (count) => gauges.workers.set(byController, count),
    began: () => {
      const one = { since: performance.now() };
      ones.add(one);
      gauges.active.inc(byController);
      return (result) => {
        ones.delete(one);
        gauges.active.dec(byController);
        const seconds = (performance.now() - one.since) / 1_000;
        counters.total.inc(totals[result]);
        if (result === 'error') counters.errors.inc(byController);
        times.reconcile.observe(byController, seconds);
        times.work.observe(byQueue, seconds);
      };
    },
    terminal: () => counters.terminal.inc(byController),
    panicked: () => counters.panics.inc(byController),
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

export interface LeaderMetrics {
  leads(leads: boolean): void;
  /** A renewal had to read the Lease first. */
  slowPath(): void;
}

/** `leader_election_master_status` is 1 while this process leads. */
export function leaderMetrics(registry: Registry, name: string): LeaderMetrics {
  const labelNames = ['name'] as const;
  const registers = [registry];
  const gauge = new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process holds the lease',
    labelNames,
    registers,
  });
  const slow = new Counter({
    name: 'leader_election_slowpath_total',
    help: 'Renewals that had to read the lease first',
    labelNames,
    registers,
  });
  gauge.set({ name }, 0);
  slow.inc({ name }, 0);
  return { leads: (leads) => gauge.set({ name }, leads ? 1 : 0), slowPath: () => slow.inc({ name }) };
}
