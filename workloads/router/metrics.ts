// Metrics of the router: switches as they happen, the rest when it is asked for.
import { Counter, Gauge, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import type { RouterStatus } from '../contract/status.ts';
import type { Switch } from './state.ts';

export interface Metrics {
  switched(made: Switch): void;
}

export function registerMetrics(
  registry: Registry,
  status: () => RouterStatus,
  version: () => number | undefined,
): Metrics {
  const registers = [registry];
  const switches = new Counter({
    name: METRIC.modelSwitches,
    help: 'Switches of the active model',
    labelNames: ['symbol', 'horizon', 'from', 'to', 'reason'],
    registers,
  });
  new Gauge({
    name: METRIC.modelActive,
    help: '1 for the active model of a symbol and horizon (seconds)',
    labelNames: ['symbol', 'horizon', 'model'],
    registers,
    collect() {
      this.reset();
      for (const [symbol, { active }] of Object.entries(status().symbols)) {
        for (const [horizon, model] of Object.entries(active)) this.set({ symbol, horizon, model }, 1);
      }
    },
  });
  new Gauge({
    name: METRIC.modelConfidence,
    help: 'Confidence of every model, active or not',
    labelNames: ['symbol', 'model'],
    registers,
    collect() {
      this.reset();
      for (const [symbol, { models }] of Object.entries(status().symbols)) {
        for (const [model, { confidence }] of Object.entries(models)) this.set({ symbol, model }, confidence);
      }
    },
  });
  new Gauge({
    name: METRIC.desiredVersion,
    help: 'Version of the desired document in force',
    registers,
    collect() {
      this.set(version() ?? 0);
    },
  });
  return {
    switched: ({ symbol, horizonSeconds, from, to, reason }) =>
      switches.inc({ symbol, horizon: String(horizonSeconds), from, to, reason }),
  };
}
