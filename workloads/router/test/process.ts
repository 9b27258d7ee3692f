// A router's process beside a real Redis, fed with features. Shared by the integration tests of this folder.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { DesiredDocument } from '../../contract/desired.ts';
import { desiredKey, featuresStream, partsKey, RELOAD, signalsStream } from '../../contract/keys.ts';
import type { Features, Signal } from '../../contract/messages.ts';
import type { RouterStatus } from '../../contract/status.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { aSignal, CONFIG } from '../../harmoniser/test/builders.ts';
import { podFolder, startRedis, type TestRedis } from '../../kit/test/redis.ts';

export const SYMBOL = 'BTC-USD';
/** One symbol at one horizon. */
export const ONE_PAIR: SystemConfig = {
  ...CONFIG,
  symbols: CONFIG.symbols.slice(0, 1).map((symbol) => ({ ...symbol, horizons: ['60s'] })),
};

export interface RunningRouter {
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly start: () => void;
  readonly pid: () => number | undefined;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Exit code, once it has ended. */
  readonly ended: () => Promise<number | null>;
  /** Puts a document into force as the param server does. */
  readonly publish: (document: DesiredDocument) => Promise<void>;
  readonly lastSignal: () => Promise<Signal | undefined>;
  readonly status: () => Promise<RouterStatus | undefined>;
  readonly stop: () => Promise<void>;
}

/** Features each 25 ms: pressure .4, and returns over every window. */
export async function startRouter(document: DesiredDocument, config = ONE_PAIR): Promise<RunningRouter> {
  const server = await startRedis();
  const redis = await server.client();
  await redis.set(desiredKey('demo'), JSON.stringify(document));
  const folder = podFolder('router', { ...config, redisUrl: server.url });
  const start = (): ChildProcess =>
    spawn(process.execPath, [join(import.meta.dirname, '..', 'main.ts')], {
      env: { ...process.env, ...folder.env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  let child = start();
  let seq = 0;
  const feeding = setInterval(() => {
    const t = performance.timeOrigin + performance.now();
    const more = { t, heardAt: t, pressure: 0.4, returnsBps: { s5: 1, s30: 2, s60: 3, s300: 4 } };
    const features: Features = {
      ...aSignal({ symbol: SYMBOL, seq: ++seq, t }).features,
      seq,
      bootId: 'ingest',
      ...more,
    };
    redis
      .xadd(featuresStream(SYMBOL), 'MAXLEN', '~', 100, '*', 'data', JSON.stringify(features))
      .catch(() => undefined);
  }, 25);
  return {
    server,
    redis,
    start: () => (child = start()),
    pid: () => child.pid,
    signal: (signal) => child.kill(signal),
    ended: () => new Promise((resolve) => child.once('exit', resolve)),
    publish: async (next) => {
      await redis.set(desiredKey('demo'), JSON.stringify(next));
      await redis.publish(RELOAD, '{}');
    },
    lastSignal: async () => {
      const [entry] = await redis.xrevrange(signalsStream(SYMBOL), '+', '-', 'COUNT', 1);
      return entry === undefined ? undefined : (JSON.parse(entry[1][1] ?? '') as Signal);
    },
    status: async () => {
      const text = await redis.hget(partsKey('demo'), 'router-0');
      return text === null ? undefined : (JSON.parse(text) as RouterStatus);
    },
    stop: async () => {
      clearInterval(feeding);
      child.kill('SIGKILL');
      folder.remove();
      await server.stop();
    },
  };
}
