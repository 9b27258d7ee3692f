// The router's process against a real Redis: features in, signals out; SIGHUP; a restart that goes on where it was.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import {
  desiredKey,
  featuresStream,
  holdsKey,
  partsKey,
  RELOAD,
  routerSnapshotKey,
  signalsStream,
} from '../../contract/keys.ts';
import type { Features, Signal } from '../../contract/messages.ts';
import type { RouterStatus } from '../../contract/status.ts';
import { aSignal, CONFIG } from '../../harmoniser/test/builders.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from '../../kit/test/redis.ts';
import { aFullDocument } from './documents.ts';

const SYMBOL = 'BTC-USD';

describe('the router process', () => {
  let server: TestRedis;
  let redis: Redis;
  let folder: PodFolder;
  let router: ChildProcess;
  let feeding: NodeJS.Timeout;
  let seq = 0;

  const start = (): ChildProcess =>
    spawn(process.execPath, [join(import.meta.dirname, '..', 'main.ts')], {
      env: { ...process.env, ...folder.env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', resolve));
  const lastSignal = async (): Promise<Signal | undefined> => {
    const [entry] = await redis.xrevrange(signalsStream(SYMBOL), '+', '-', 'COUNT', 1);
    return entry === undefined ? undefined : (JSON.parse(entry[1][1] ?? '') as Signal);
  };
  const status = async (): Promise<RouterStatus | undefined> => {
    const text = await redis.hget(partsKey('demo'), 'router-0');
    return text === null ? undefined : (JSON.parse(text) as RouterStatus);
  };

  before(async () => {
    server = await startRedis();
    redis = await server.client();
    await redis.set(desiredKey('demo'), JSON.stringify(aFullDocument()));
    folder = podFolder('router', { ...CONFIG, redisUrl: server.url });
    router = start();
    feeding = setInterval(() => {
      const t = performance.timeOrigin + performance.now();
      const features: Features = {
        ...aSignal({ symbol: SYMBOL, seq: ++seq, t }).features,
        seq,
        bootId: 'ingest',
        t,
        heardAt: t,
        pressure: 0.4,
      };
      redis
        .xadd(featuresStream(SYMBOL), 'MAXLEN', '~', 100, '*', 'data', JSON.stringify(features))
        .catch(() => undefined);
    }, 25);
  });
  after(async () => {
    clearInterval(feeding);
    router.kill('SIGKILL');
    folder.remove();
    await server.stop();
  });

  it('answers features with signals of the active model', async () => {
    const signal = await eventually('a signal', lastSignal);
    assert.deepEqual(signal.active, { 60: 'order_book_pressure', 300: 'order_book_pressure' });
    assert.ok(Math.abs((signal.edges[0]?.edgeBps ?? 0) - 10) < 1e-6);
    assert.ok(signal.featuresAgeMs >= 0 && signal.featuresAgeMs <= 2_000, `${signal.featuresAgeMs}`);
    await eventually('a status that is ready', async () => ((await status())?.ready === true ? true : undefined));
  });
  it('passes over what it cannot read', async () => {
    await redis.xadd(featuresStream(SYMBOL), '*', 'data', '{"symbol":');
    const { seq: before } = (await lastSignal())!;
    await eventually('a later signal', async () => ((await lastSignal())!.seq > before + 5 ? true : undefined));
  });
  it('pauses on SIGHUP by a hold for everybody, once however often it comes, and goes on with signals', async () => {
    router.kill('SIGHUP');
    router.kill('SIGHUP');
    await eventually('paused', async () => ((await lastSignal())?.routerPaused === true ? true : undefined));
    assert.deepEqual(Object.keys(await redis.hgetall(holdsKey('demo'))), ['router-sighup']);
    await redis.hdel(holdsKey('demo'), 'router-sighup');
    await redis.publish(RELOAD, '{}');
    await eventually('resumed', async () => ((await lastSignal())?.routerPaused === false ? true : undefined));
  });
  it('stores what it learned when it is stopped, and goes on from there', async () => {
    router.kill('SIGTERM');
    assert.equal(await ended(router), 0);
    const saved = JSON.parse((await redis.get(routerSnapshotKey('demo', 0))) ?? '{}') as {
      symbols: Record<string, { selections: Record<string, { since: number }> }>;
    };
    const { since } = saved.symbols[SYMBOL]!.selections['60']!;
    router = start();
    await eventually('a signal of another boot', async () =>
      (await lastSignal())!.t > Date.now() - 200 ? true : undefined,
    );
    await eventually('the dwell of before', async () => {
      const now = JSON.parse((await redis.get(routerSnapshotKey('demo', 0))) ?? '{}') as typeof saved;
      return now.symbols[SYMBOL]?.selections['60']?.since === since ? true : undefined;
    });
  });
});
