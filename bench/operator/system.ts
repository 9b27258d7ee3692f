// The operator as operator/main.ts starts it, with a token and CA from the folder MOUNT rather than a pod's own. Bundled and
// run by trading-system.ts.
import { readConfig } from '@tradewind/operator/config.ts';
import { startOperator } from '@tradewind/operator/operator.ts';
import { Api } from '@tradewind/operator/runtime/client.ts';
import { fromPod } from '@tradewind/operator/runtime/credentials.ts';
import { serveHealth } from '@tradewind/operator/runtime/health.ts';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

const { MOUNT: mount = '', ...env } = process.env;
const config = readConfig(env);
const log = pino({ level: config.logLevel });
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort());
const api = Api.open({ credentials: fromPod(env, mount), registry });
const { signal } = stopping;
const operator = startOperator({ config, api, log, registry, identity: config.podName, signal });
const health = await serveHealth({ port: 0, registry, notReady: operator.notReady });
await operator.done;
health.close();
api.close();
