// The gateway pod: the runbook's HTTP API. Wiring only.
import { collectDefaultMetrics, Registry } from 'prom-client';
import { GATEWAY_PORT } from '../contract/pods.ts';
import { readPodConfig } from '../kit/config.ts';
import { serveHealth } from '../kit/health.ts';
import { createLog } from '../kit/log.ts';
import { connectRedis, isConnected, measureCommands } from '../kit/redis.ts';
import { untilStopped } from '../kit/shutdown.ts';
import { createApi } from './api.ts';
import { createReader } from './reader.ts';

const pod = readPodConfig();
const log = createLog(pod);
const signal = untilStopped(log);
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const redis = connectRedis(pod, log, { name: 'commands' });
measureCommands(redis, registry);

const api = createApi({ look: createReader(pod.system, redis), registry });
await api.listen({ port: GATEWAY_PORT, host: '::' });
// Without Redis it still answers, and says so: taking it out of its Service would hide that.
const ready = { started: () => (isConnected(redis) || api.server.listening ? undefined : 'not listening') };
const health = await serveHealth({ port: pod.healthPort, ready, registry, log });
log.info({ port: GATEWAY_PORT, health: health.port }, 'started');

await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
await Promise.all([api.close(), health.close()]);
redis.disconnect();
log.info('stopped');
