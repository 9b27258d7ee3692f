// Metrics of the router: switches and answers as they happen, the rest when it is asked for.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import type { RouterStatus } from '../contract/status.ts';
import type { Switch } from './state.ts';

export interface Metrics {
  switched(made: Switch): void;
  /** `outcome`: Answered, a failure's reason, or Skipped. */
  answered(model: string, outcome: string, latencyMs?: number): void;
  /** Undefined: there is no such server any more. */
  serverReady(model: string, ready: boolean | undefined): void;
}

export interface Figures {
  readonly status: () => RouterStatus;
  readonly isExcess: () => boolean;
}

export function registerMetrics(registry: Registry, figures: Figures): Metrics {
  registerGauges(registry, figures);
  const registers = [registry];
  const switches = new Counter({
    name: METRIC.modelSwitches,
    help: 'Switches of the active model',
    labelNames: ['symbol', 'horizon', 'from', 'to', 'reason'],
    registers,
  });
  const requests = new Counter({
    name: METRIC.modelRequests,
    help: 'Questions to model servers by what became of them; Skipped ones were replaced by a newer one, or waited too long',
    labelNames: ['model', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: METRIC.modelRequestSeconds,
    help: 'From a question to the answer of a model server, what it waited for its turn included',
    labelNames: ['model'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const ready = new Gauge({
    name: METRIC.modelServerReady,
    help: '1 while a model server has passed its checks and is not left alone after failures',
    labelNames: ['model'],
    registers,
  });
  return {
    switched: ({ symbol, horizonSeconds, from, to, reason }) =>
      switches.inc({ symbol, horizon: String(horizonSeconds), from, to, reason }),
    answered: (model, outcome, latencyMs) => {
      requests.inc({ model, outcome });
      if (latencyMs !== undefined) seconds.observe({ model }, latencyMs / 1_000);
    },
    serverReady: (model, isReady) => {
      if (isReady === undefined) ready.remove({ model });
      else ready.set({ model }, isReady ? 1 : 0);
    },
  };
}

function registerGauges(registry: Registry, { status, isExcess }: Figures): void {
  const registers = [registry];
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
  const ofModels = (value: (model: ModelFigures) => number) =>
    function collect(this: Gauge<'symbol' | 'model'>): void {
      this.reset();
      for (const [symbol, { models }] of Object.entries(status().symbols)) {
        for (const [model, figures] of Object.entries(models)) this.set({ symbol, model }, value(figures));
      }
    };
  new Gauge({
    name: METRIC.modelConfidence,
    help: 'Confidence of every model, active or not',
    labelNames: ['symbol', 'model'],
    registers,
    collect: ofModels(({ confidence }) => confidence),
  });
  new Gauge({
    name: METRIC.modelHealthy,
    help: '1 while a model may be active: its server answers, and its confidence is not below minAccuracy',
    labelNames: ['symbol', 'model'],
    registers,
    collect: ofModels(({ unhealthyBy }) => (unhealthyBy === undefined ? 1 : 0)),
  });
  new Gauge({
    name: METRIC.modelSwitchingExcess,
    help: '1 while there are more switches in the window than the rules allow',
    registers,
    collect() {
      this.set(isExcess() ? 1 : 0);
    },
  });
}

type ModelFigures = RouterStatus['symbols'][string]['models'][string];
