// The operator's process. Wiring only.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { readConfig } from './config.ts';
import { startOperator } from './operator.ts';
import { Api } from './runtime/client.ts';
import { findCredentials } from './runtime/credentials.ts';
import { serveHealth } from './runtime/health.ts';

const config = readConfig();
const log = pino({ level: config.logLevel, base: { part: 'operator', pod: config.podName } });
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort());

const api = Api.open({ credentials: await findCredentials(), registry });
const identity = `${config.podName}_${randomUUID().slice(0, 8)}`;
const operator = startOperator({ config, api, log, registry, identity, signal: stopping.signal });
const health = await serveHealth({ port: config.healthPort, registry, notReady: operator.notReady });
log.info({ identity, port: health.port }, 'started');

try {
  await operator.done;
  log.info('stopped');
} catch (error) {
  log.fatal({ error }, 'the process must end');
  process.exitCode = 1;
}
health.close();
api.close();
// Whatever still waits must not keep a process alive that may not write any more.
setTimeout(() => process.exit(), 1_000).unref();
