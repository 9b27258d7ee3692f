// What every trading pod shows of the desired document: its version, how long putting it into force takes, and the holds in force.
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { ActiveHold, DesiredDocument } from '../contract/desired.ts';
import { METRIC } from '../contract/metrics.ts';

type Apply = (document: DesiredDocument) => void;

const NO_HOLDS: Readonly<Record<ActiveHold['effect'], number>> = {
  StopTrading: 0,
  PauseRouter: 0,
  CapKelly: 0,
  Flatten: 0,
  Kill: 0,
};

/** Registers all; gives `apply` back with its time taken, also where it throws. The version is of the last that did not. */
export function measureDesired(registry: Registry, apply: Apply, holds: () => readonly ActiveHold[]): Apply {
  const seconds = new Histogram({
    name: METRIC.desiredApplySeconds,
    help: 'Time from reading a newer desired document to its being in force in this pod',
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5],
    registers: [registry],
  });
  let version = 0;
  new Gauge({
    name: METRIC.desiredVersion,
    help: 'Version of the desired document in force',
    registers: [registry],
    collect() {
      this.set(version);
    },
  });
  new Gauge({
    name: METRIC.holdActive,
    help: 'Holds in force as this pod sees them, by effect',
    labelNames: ['effect'],
    registers: [registry],
    collect() {
      const counts = { ...NO_HOLDS };
      for (const { effect } of holds()) counts[effect] += 1;
      for (const [effect, count] of Object.entries(counts)) this.set({ effect }, count);
    },
  });
  return (document) => {
    const stop = seconds.startTimer();
    try {
      apply(document);
      ({ version } = document);
    } finally {
      stop();
    }
  };
}
