// The simulator pod: venues that speak Binance's protocol, from a seeded market or recordings. Wiring only.
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { VENUE_PORT } from '../contract/pods.ts';
import { readPodConfig } from '../kit/config.ts';
import { serveHealth } from '../kit/health.ts';
import { createLog } from '../kit/log.ts';
import { untilStopped } from '../kit/shutdown.ts';
import { startSimulator } from './server.ts';

const pod = readPodConfig();
const log = createLog(pod);
const signal = untilStopped(log);
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const simulator = await startSimulator({
  sources: pod.system.sources,
  port: VENUE_PORT,
  recordingsDir: pod.recordingsDir,
});
const sent = new Counter({
  name: 'tradewind_simulator_frames_total',
  help: 'Frames that the simulated venues have sent, by source',
  labelNames: ['source'],
  registers: [registry],
  collect() {
    this.reset();
    for (const [source, frames] of Object.entries(simulator.stats().frames)) this.inc({ source }, frames);
  },
});
const clients = new Gauge({
  name: 'tradewind_simulator_connections',
  help: 'Clients of the simulated venues',
  registers: [registry],
  collect() {
    this.set(simulator.stats().connections);
  },
});
const health = await serveHealth({ port: pod.healthPort, ready: {}, registry, log });
log.info({ port: simulator.port, health: health.port, metrics: [sent, clients].length }, 'started');

await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
await Promise.all([simulator.stop(), health.close()]);
log.info('stopped');
