// A system of three shards, one of them without a symbol, as its processes: all come up, acknowledge, and trade their own part.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { desiredDocument } from '../../contract/desired.ts';
import { ordersStream, partsKey } from '../../contract/keys.ts';
import { shardOf } from '../../contract/shards.ts';
import type { HarmoniserStatus } from '../../contract/status.ts';
import { healthOf } from '../../gateway/health.ts';
import { createReader } from '../../gateway/reader.ts';
import { systemStatus } from '../../gateway/summary.ts';
import { CONFIG, SYMBOLS } from '../../harmoniser/test/builders.ts';
import { eventually, startRedis, type TestRedis } from '../../kit/test/redis.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { startSystem, type TestSystem } from './system.ts';

const SHARDS = 3;
const UP_WITHIN_MS = 120_000;

describe('a system of three shards', () => {
  let server: TestRedis;
  let redis: Redis;
  let system: TestSystem;
  const document = aFullDocument();
  const [empty] = [0, 1, 2].filter((shard) => SYMBOLS.every((symbol) => shardOf(symbol, SHARDS) !== shard));

  before(async () => {
    server = await startRedis();
    redis = await server.client();
    const symbols = CONFIG.symbols.map((symbol) => ({ ...symbol, group: undefined }));
    const { owner, epoch, version, hash: _, ...content } = document;
    const config = { ...CONFIG, symbols, shards: SHARDS, redisUrl: server.url };
    system = await startSystem(config, desiredDocument({ owner, epoch, version }, content));
  });
  after(async () => {
    await system.stop();
    await server.stop();
  });
  const harmoniser = async (shard: number): Promise<HarmoniserStatus> =>
    JSON.parse((await redis.hget(partsKey('demo'), `harmoniser-${shard}`)) ?? '') as HarmoniserStatus;

  it('has a shard that no symbol falls to', () => {
    assert.notEqual(empty, undefined);
  });
  it('is acknowledged by every pod of every shard, the empty one too', async () => {
    const { acks } = await eventually(
      'all acknowledgements',
      () => system.written.findLast((runtime) => runtime.acks?.acked === 3 * SHARDS),
      UP_WITHIN_MS,
    );
    assert.deepEqual([acks?.expected, acks?.pending, acks?.errors], [3 * SHARDS, [], undefined]);
  });
  it('shows data that flows and positions that are reconciled, of all of them', async () => {
    const isWhole = () =>
      system.written.findLast(({ dataFlowing, reconciled }) => dataFlowing === true && reconciled === true);
    const { breaker, drained } = await eventually('data and positions', isWhole, UP_WITHIN_MS);
    assert.deepEqual([breaker?.state, drained], ['CLOSED', false]);
  });
  it('is healthy as the gateway sees it, and worth the parts of the shards that trade', async () => {
    const look = createReader(system.config, redis);
    const seen = await eventually('health', async () => {
      const found = await look();
      return healthOf(found).status === 'healthy' ? found : undefined;
    });
    const { equityUsd, symbols, parts } = systemStatus(seen);
    const traded = ((SHARDS - 1) * document.capitalUsd) / SHARDS;
    assert.ok(Math.abs((equityUsd ?? 0) - traded) < 0.05 * traded, `${equityUsd}`);
    assert.ok(symbols.every(({ mid, model }) => mid !== null && model !== null));
    assert.equal(parts.length, 3 * SHARDS);
  });
  it('has each symbol asked about by the shard that it falls to, and by no other', async () => {
    for (const symbol of SYMBOLS) {
      const requests = (await redis.xrange(ordersStream(symbol), '-', '+')).map(([, [, data]]) => JSON.parse(data ?? '') as { id: string }); // prettier-ignore
      assert.ok(requests.length > 0);
      for (const { id } of requests) assert.ok(id.startsWith(`demo${shardOf(symbol, SHARDS)}-`), id);
      assert.deepEqual(Object.keys((await harmoniser(shardOf(symbol, SHARDS))).symbols), [symbol]);
    }
    assert.deepEqual((await harmoniser(empty!)).symbols, {});
    assert.equal((await harmoniser(empty!)).lease.held, true);
  });
});
