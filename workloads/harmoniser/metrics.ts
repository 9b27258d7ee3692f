// Metrics of the harmoniser, filled in from its state when they are asked for.
import { Gauge, Histogram, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import type { HarmoniserStatus } from '../contract/status.ts';

const BREAKER = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

export interface Metrics {
  /** Seconds of one decision, from the signal in hand to the order decided. */
  readonly decided: (seconds: number) => void;
  /** Seconds from a frame read off its socket to the order that it led to, handed over; by one clock. */
  readonly handedOver: (seconds: number) => void;
}

/** `status` gives the figures of now. */
export function registerMetrics(registry: Registry, status: () => HarmoniserStatus): Metrics {
  const registers = [registry];
  const perSymbol = (name: string, help: string, values: (status: HarmoniserStatus) => Iterable<[string, number]>) =>
    new Gauge({
      name,
      help,
      labelNames: ['symbol'],
      registers,
      collect() {
        for (const [symbol, value] of values(status())) this.set({ symbol }, value);
      },
    });
  const single = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  type Own = HarmoniserStatus['symbols'][string];
  const each = (of: HarmoniserStatus, pick: (own: Own) => number): [string, number][] =>
    Object.entries(of.symbols).map(([symbol, own]) => [symbol, pick(own)]);
  perSymbol(METRIC.edgeBlended, 'Blended edge, bps', (of) => each(of, ({ edgeBps }) => edgeBps));
  perSymbol(METRIC.positionUsd, 'Position at the mid, USD', (of) => each(of, (own) => own.positionUsd));
  perSymbol(METRIC.varPct, 'Value at risk, % of capital; symbol portfolio is the whole', (of) => [
    ...each(of, ({ varPct }) => varPct),
    ['portfolio', of.varPct],
  ]);
  single(METRIC.varDemandPct, 'Value at risk of what sizing wanted, % of capital', () => status().varDemandPct);
  single(METRIC.breakerState, 'Circuit breaker: 0 closed, 1 half-open, 2 open', () => BREAKER[status().breaker.state]);
  single(METRIC.leaseHeld, 'Whether it acts for its shard: 1 where it has the lease', () =>
    Number(status().lease.held),
  );
  single(METRIC.leaseEpoch, 'Epoch of the lease of the shard, where it has it', () => {
    const { lease } = status();
    return lease.held ? lease.epoch : 0;
  });
  return timings(registers);
}

function timings(registers: Registry[]): Metrics {
  const seconds = new Histogram({
    name: METRIC.decisionSeconds,
    help: 'Time of one decision',
    buckets: [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05],
    registers,
  });
  const toOrder = new Histogram({
    name: METRIC.tickToOrderSeconds,
    help: 'Time from a frame read by ingest to the order that it led to, handed over',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    registers,
  });
  return {
    decided: (took) => seconds.observe(took),
    handedOver: (took) => toOrder.observe(took),
  };
}
