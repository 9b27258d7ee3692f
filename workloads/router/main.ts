// The router pod: features → signals. Wiring only. The process is titled as the runbook knows it: `pkill -HUP -f model_router`.
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

process.title = 'model_router';
const pod = readPodConfig();
const log = createLog(pod);
const signal = untilStopped(log);
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const redis = connectRedis(pod, log, { name: 'commands' });
const subscriber = connectRedis(pod, log, { name: 'desired', blocking: true });
const features = connectRedis(pod, log, { name: 'features', blocking: true });
measureCommands(redis, registry);

const ready = {
  redis: () => (isConnected(redis) ? undefined : 'not connected'),
  desired: () => (desired.current() === undefined ? 'no desired document applied yet' : undefined),
};
const isReady = (): boolean => reasonsOf(ready).length === 0;
// Before anything else can take long: without a handler, SIGHUP ends the process.
process.on('SIGHUP', () => {
  void opening
    .then((shell) => shell.pause('router-sighup', 'SIGHUP'))
    .catch((error: unknown) => log.error({ error }, 'SIGHUP: router not paused'));
});
const opening = openShell({ pod, log, registry, redis, features, desired: () => desired, isReady, signal });
const shell = await opening;
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
for (const connection of [redis, subscriber, features]) connection.disconnect();
log.info('stopped');
