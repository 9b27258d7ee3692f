// The harmoniser pod: signals → positions → orders. Wiring only.
import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { bootId } from '../kit/clock.ts';
import { readPodConfig } from '../kit/config.ts';
import { followDesired, type DesiredFollower } from '../kit/desired.ts';
import { reasonsOf, serveHealth } from '../kit/health.ts';
import { createLog } from '../kit/log.ts';
import { publishStatus } from '../kit/part-status.ts';
import { connectRedis, isConnected, measureCommands } from '../kit/redis.ts';
import { untilStopped } from '../kit/shutdown.ts';
import { openShell } from './shell.ts';

const pod = readPodConfig();
const log = createLog(pod);
const signal = untilStopped(log);
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const redis = connectRedis(pod, log, { name: 'commands' });
const subscriber = connectRedis(pod, log, { name: 'desired', blocking: true });
const signals = connectRedis(pod, log, { name: 'signals', blocking: true });
const fills = connectRedis(pod, log, { name: 'fills', blocking: true });
measureCommands(redis, registry);

const onFatal = (error: unknown): void => {
  log.fatal({ error }, 'the volume cannot be written: stopping');
  process.exit(1);
};

const ready = {
  redis: () => (isConnected(redis) ? undefined : 'not connected'),
  desired: () => (desired.current() === undefined ? 'no desired document applied yet' : undefined),
};
const shell = await openShell({
  pod,
  log,
  registry,
  redis,
  signals,
  fills,
  desired: () => desired,
  isReady: () => reasonsOf(ready).length === 0,
  onFatal,
  signal,
});
const desired: DesiredFollower = followDesired({
  pod,
  log,
  redis,
  subscriber,
  apply: (document) => shell.apply(document),
  signal,
});
const health = await serveHealth({ port: pod.healthPort, ready, registry, log });
log.info({ bootId, port: health.port }, 'started');

const running = shell.run();
await publishStatus({ pod, redis, make: () => shell.status(), signal });

await Promise.race([Promise.all([running, desired.done]), delay(5_000)]);
await health.close();
for (const connection of [redis, subscriber, signals, fills]) connection.disconnect();
log.info('stopped');
