// The simulator pod: venues and signal providers, from a seeded market or recordings. Wiring only.
import { once } from 'node:events';
import { CONTROL_PORT, VENUE_PORT } from '../contract/pods.ts';
import { openPod } from '../kit/pod.ts';
import { registerMetrics } from './metrics.ts';
import { startSimulator } from './server.ts';

const opened = openPod();
const { pod, registry, signal } = opened;
const simulator = await startSimulator({
  sources: pod.system.sources,
  port: VENUE_PORT,
  controlPort: CONTROL_PORT,
  recordingsDir: pod.recordingsDir,
  secretsDir: pod.sourceSecretsDir,
});
registerMetrics(registry, simulator);
await opened.serveHealth({});

await once(signal, 'abort');
await opened.end(simulator.stop());
