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
      for (const [source, { frames }] of Object.entries(simulator.stats())) this.inc({ source }, frames);
    },
  });
  new Counter({
    name: 'tradewind_simulator_faults_total',
    help: 'Messages, requests and connections that met a fault which was asked for, by source',
    labelNames: ['source', 'fault'],
    registers,
    collect() {
      this.reset();
      for (const [source, { struck }] of Object.entries(simulator.stats())) {
        for (const [fault, count] of Object.entries(struck)) this.inc({ source, fault }, count);
      }
    },
  });
  new Gauge({
    name: 'tradewind_simulator_connections',
    help: 'Clients of the simulated venues',
    registers,
    collect() {
      this.set(Object.values(simulator.stats()).reduce((sum, { connections }) => sum + connections, 0));
    },
  });
}
