// The router's process against a real Redis: features in, signals out; SIGHUP; a restart that goes on where it was.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { featuresStream, holdsKey, RELOAD, routerSnapshotKey } from '../../contract/keys.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { eventually } from '../../kit/test/redis.ts';
import { aFullDocument } from './documents.ts';
import { startRouter, SYMBOL, type RunningRouter } from './process.ts';

describe('the router process', () => {
  let router: RunningRouter;
  let redis: Redis;
  const lastSignal = () => router.lastSignal();

  before(async () => {
    router = await startRouter(aFullDocument(), CONFIG);
    ({ redis } = router);
  });
  after(() => router.stop());

  it('answers features with signals of the active model', async () => {
    const signal = await eventually('a signal', lastSignal);
    assert.deepEqual(signal.active, { 60: 'order_book_pressure', 300: 'order_book_pressure' });
    assert.ok(Math.abs((signal.edges[0]?.edgeBps ?? 0) - 10) < 1e-6);
    assert.ok(signal.featuresAgeMs >= 0 && signal.featuresAgeMs <= 10_000, `${signal.featuresAgeMs}`);
    await eventually('a status that is ready', async () =>
      (await router.status())?.ready === true ? true : undefined,
    );
  });
  it('passes over what it cannot read', async () => {
    await redis.xadd(featuresStream(SYMBOL), '*', 'data', '{"symbol":');
    const { seq: before } = (await lastSignal())!;
    await eventually('a later signal', async () => ((await lastSignal())!.seq > before + 5 ? true : undefined));
  });
  it('is titled as the runbook’s pkill -SIGHUP -f model_router looks for it', function () {
    if (process.platform !== 'linux') return this.skip();
    assert.match(readFileSync(`/proc/${router.pid()}/cmdline`, 'utf8'), /^model_router/);
  });
  it('pauses on SIGHUP by a hold for everybody, once however often it comes, and goes on with signals', async () => {
    router.signal('SIGHUP');
    router.signal('SIGHUP');
    await eventually('paused', async () => ((await lastSignal())?.routerPaused === true ? true : undefined));
    assert.deepEqual(Object.keys(await redis.hgetall(holdsKey('demo'))), ['router-sighup']);
    await redis.hdel(holdsKey('demo'), 'router-sighup');
    await redis.publish(RELOAD, '{}');
    await eventually('resumed', async () => ((await lastSignal())?.routerPaused === false ? true : undefined));
  });
  it('does not forget a SIGHUP whose pause Redis refused, until it takes it', async () => {
    await redis.set(holdsKey('demo'), 'no hash: HSET is refused');
    router.signal('SIGHUP');
    await eventually('refused', async () =>
      /cmdstat_hset:.*failed_calls=[1-9]/.test(await redis.info('commandstats')) ? true : undefined,
    );
    await redis.del(holdsKey('demo'));
    await eventually('paused', async () => ((await lastSignal())?.routerPaused === true ? true : undefined));
    await redis.del(holdsKey('demo'));
    await redis.publish(RELOAD, '{}');
    await eventually('resumed', async () => ((await lastSignal())?.routerPaused === false ? true : undefined));
  });
  it('stores what it learned when it is stopped, and goes on from there', async () => {
    const { bootId } = (await lastSignal())!;
    const ended = router.ended();
    router.signal('SIGTERM');
    assert.equal(await ended, 0);
    const learned = async () =>
      JSON.parse((await redis.hget(routerSnapshotKey('demo', 0), SYMBOL)) ?? '{}') as {
        selections: Record<string, { since: number }>;
      };
    const { since } = (await learned()).selections['60']!;
    router.start();
    await eventually('a signal of another boot', async () =>
      (await lastSignal())?.bootId === bootId ? undefined : true,
    );
    await redis.hdel(routerSnapshotKey('demo', 0), SYMBOL);
    const again = await eventually('stored again', async () => (await learned()).selections);
    assert.equal(again['60']?.since, since, 'the dwell of before');
  });
  it('keeps nothing of a symbol that is gone once it is stopped', async () => {
    await redis.hset(routerSnapshotKey('demo', 0), 'XRP-USD', '{}');
    const ended = router.ended();
    router.signal('SIGTERM');
    await ended;
    assert.deepEqual((await redis.hkeys(routerSnapshotKey('demo', 0))).sort(), ['BTC-USD', 'ETH-USD', 'switches']);
  });
});
