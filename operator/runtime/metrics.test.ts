import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { controllerMetrics, leaderMetrics, requestCounter } from './metrics.ts';

/** What a controller of controller-runtime 0.25 exports, with its labels: what dashboards ask for. */
const CONTROLLER_RUNTIME: Readonly<Record<string, readonly string[]>> = {
  controller_runtime_reconcile_total: ['controller', 'result'],
  controller_runtime_reconcile_errors_total: ['controller'],
  controller_runtime_terminal_reconcile_errors_total: ['controller'],
  controller_runtime_reconcile_panics_total: ['controller'],
  controller_runtime_reconcile_timeouts_total: ['controller'],
  controller_runtime_reconcile_time_seconds: ['controller'],
  controller_runtime_max_concurrent_reconciles: ['controller'],
  controller_runtime_active_workers: ['controller'],
  workqueue_depth: ['controller', 'name', 'priority'],
  workqueue_adds_total: ['controller', 'name'],
  workqueue_retries_total: ['controller', 'name'],
  workqueue_queue_duration_seconds: ['controller', 'name'],
  workqueue_work_duration_seconds: ['controller', 'name'],
  workqueue_unfinished_work_seconds: ['controller', 'name'],
  workqueue_longest_running_processor_seconds: ['controller', 'name'],
  rest_client_requests_total: ['code', 'host', 'method'],
  leader_election_master_status: ['name'],
  leader_election_slowpath_total: ['name'],
};

const valueOf = async (registry: Registry, name: string, labels: object = {}): Promise<number | undefined> => {
  const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
  return values.find((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))?.value;
};

describe('metrics', () => {
  it('are those of controller-runtime, with its labels, and there from the start', async () => {
    const registry = new Registry();
    const metrics = controllerMetrics(registry, 'a');
    leaderMetrics(registry, 'lease');
    requestCounter(registry, 'server')('GET', 200);
    metrics.waited(0.1);
    metrics.began()('success');
    const found = Object.fromEntries(
      (await registry.getMetricsAsJSON()).map(({ name, values }) => [
        name,
        Object.keys(values[0]?.labels ?? {}).filter((label) => label !== 'le').sort(),
      ]),
    ); // prettier-ignore
    assert.deepEqual(found, CONTROLLER_RUNTIME);
  });
  it('tell of work that goes on, and no more once it has ended', async () => {
    const registry = new Registry();
    const metrics = controllerMetrics(registry, 'a');
    const ends = [metrics.began(), metrics.began()];
    await delay(20);
    const sum = 'workqueue_unfinished_work_seconds';
    const longest = 'workqueue_longest_running_processor_seconds';
    const [all = 0, one = 0] = [await valueOf(registry, sum), await valueOf(registry, longest)];
    assert.ok(one >= 0.019 && all >= 2 * 0.019, `${all} ${one}`);
    assert.equal(await valueOf(registry, 'controller_runtime_active_workers'), 2);
    for (const end of ends) end('error');
    for (const name of [sum, longest, 'controller_runtime_active_workers'])
      assert.equal(await valueOf(registry, name), 0, name);
    assert.equal(await valueOf(registry, 'controller_runtime_reconcile_errors_total'), 2);
    assert.equal(await valueOf(registry, 'controller_runtime_reconcile_total', { result: 'error' }), 2);
  });
  it('are the same ones for the same controller', async () => {
    const registry = new Registry();
    controllerMetrics(registry, 'a').workers(4);
    controllerMetrics(registry, 'a').began();
    assert.equal(await valueOf(registry, 'controller_runtime_max_concurrent_reconciles'), 4);
    assert.equal(await valueOf(registry, 'controller_runtime_active_workers'), 1);
  });
});
