// The param server pod: desired document → Redis, acknowledgements → `.status.runtime`. Wiring only.
import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { readPodConfig } from '../kit/config.ts';
import { serveHealth } from '../kit/health.ts';
import { createLog } from '../kit/log.ts';
import { connectRedis, isConnected, measureCommands } from '../kit/redis.ts';
import { untilStopped } from '../kit/shutdown.ts';
import { openApiSide, type ApiSide } from './api-side.ts';
import { ParamServer } from './server.ts';

const pod = readPodConfig();
const log = createLog(pod);
const signal = untilStopped(log);
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const redis = connectRedis(pod, log, { name: 'commands' });
const subscriber = connectRedis(pod, log, { name: 'acks', blocking: true });
measureCommands(redis, registry);

const server = new ParamServer({ pod, log, redis, subscriber, api: () => api, signal });
const api: ApiSide = await openApiSide({ pod, log, registry, onChange: () => server.onChange(), signal });
const ready = {
  redis: () => (isConnected(redis) ? undefined : 'not connected'),
  document: () => server.notReady(),
};
const health = await serveHealth({ port: pod.healthPort, ready, registry, log });
log.info({ port: health.port }, 'started');

await server.run();
await Promise.race([api.done, delay(3_000)]);
await health.close();
api.close();
for (const connection of [redis, subscriber]) connection.disconnect();
log.info('stopped');
