// The ingest pod: venues' sockets → books and features → Redis, and the paper venue beside the books. Wiring only.
import { setTimeout as delay } from 'node:timers/promises';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { bootId } from '../kit/clock.ts';
import { readPodConfig } from '../kit/config.ts';
import { followDesired } from '../kit/desired.ts';
import { reasonsOf, serveHealth } from '../kit/health.ts';
import { createLog } from '../kit/log.ts';
import { publishStatus } from '../kit/part-status.ts';
import { connectRedis, isConnected, measureCommands } from '../kit/redis.ts';
import { untilStopped } from '../kit/shutdown.ts';
import { append } from '../kit/streams.ts';
import { startIngest } from './ingest.ts';
import { startPaper } from './paper/shell.ts';

const pod = readPodConfig();
const log = createLog(pod);
const signal = untilStopped(log);
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const redis = connectRedis(pod, log, { name: 'commands' });
const subscriber = connectRedis(pod, log, { name: 'desired', blocking: true });
const orders = connectRedis(pod, log, { name: 'orders', blocking: true });
measureCommands(redis, registry);

const onFatal = (error: unknown): void => {
  log.fatal({ error }, 'the volume cannot be written: stopping');
  process.exit(1);
};

const ready = {
  redis: () => (isConnected(redis) ? undefined : 'not connected'),
  desired: () => (desired.current() === undefined ? 'no desired document applied yet' : undefined),
};
const ingest = startIngest({
  pod,
  log,
  registry,
  append: (key, message, maxLength) => append(redis, key, message, maxLength),
  desired: () => desired.current(),
  isReady: () => reasonsOf(ready).length === 0,
});
const paper = await startPaper({ pod, log, redis, orders, ingest, onFatal, signal });
const desired = followDesired({ pod, log, redis, subscriber, apply: (document) => paper.apply(document), signal });
const health = await serveHealth({ port: pod.healthPort, ready, registry, log });
log.info({ bootId, port: health.port }, 'started');

await publishStatus({ pod, redis, make: () => ingest.status(), signal });

// Stopped: no more input, then what is decided is written, then the connections go.
ingest.stop();
await Promise.race([Promise.all([desired.done, paper.stop()]), delay(5_000)]);
await health.close();
for (const connection of [redis, subscriber, orders]) connection.disconnect();
log.info('stopped');
