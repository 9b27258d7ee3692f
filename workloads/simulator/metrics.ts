// Metrics of the simulator, filled in when they are asked for.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Simulator } from './server.ts';

export function registerMetrics(registry: Registry, simulator: Pick<Simulator, 'stats'>): void {
  const registers = [registry];
  new Counter({
    name: 'tradewind_simulator_frames_total',
    help: 'Frames that the simulated venues have sent, by source',
    labelNames: ['source'],
    registers,
    collect() {
      this.reset();
      for (const [source, frames] of Object.entries(simulator.stats().frames)) this.inc({ source }, frames);
    },
  });
  new Gauge({
    name: 'tradewind_simulator_connections',
    help: 'Clients of the simulated venues',
    registers,
    collect() {
      this.set(simulator.stats().connections);
    },
  });
}
