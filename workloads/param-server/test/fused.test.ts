// A fused system of two shards as its processes: what the param server proves of it, and the gateway says.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { desiredDocument } from '../../contract/desired.ts';
import { aTradingDocument } from '../../fused/test/documents.ts';
import { healthOf } from '../../gateway/health.ts';
import { createReader } from '../../gateway/reader.ts';
import { systemStatus } from '../../gateway/summary.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { eventually, startRedis, type TestRedis } from '../../kit/test/redis.ts';
import { startSystem, type TestSystem } from './system.ts';

const SHARDS = 2;
const UP_WITHIN_MS = 120_000;

describe('a fused system of two shards', () => {
  let server: TestRedis;
  let redis: Redis;
  let system: TestSystem;
  const document = aTradingDocument();

  before(async () => {
    server = await startRedis();
    redis = await server.client();
    const symbols = CONFIG.symbols.map((symbol) => ({ ...symbol, group: undefined }));
    system = await startSystem({ ...CONFIG, symbols, shards: SHARDS, topology: 'Fused', redisUrl: server.url }, document); // prettier-ignore
  });
  after(async () => {
    await system.stop();
    await server.stop();
  });

  it('is proven by one acknowledgement of each shard, with data that flow and positions that are known', async () => {
    const { acks, breaker, model } = await eventually('all of it', () => system.written.findLast(({ acks: told, dataFlowing, reconciled }) => told?.acked === SHARDS && dataFlowing === true && reconciled === true), UP_WITHIN_MS); // prettier-ignore
    assert.deepEqual([acks?.expected, acks?.pending, acks?.errors], [SHARDS, [], undefined]);
    assert.equal(breaker?.state, 'CLOSED');
    assert.notEqual(model, undefined);
  });
  it('is healthy as the gateway sees it, part by part', async () => {
    const look = createReader(system.config, redis);
    const seen = await eventually('health', async () => {
      const found = await look();
      return healthOf(found).status === 'healthy' ? found : undefined;
    });
    assert.deepEqual(systemStatus(seen).parts.map(({ part, shard, pod }) => `${part} ${shard} ${pod}`), ['harmoniser', 'ingest', 'router'].flatMap((part) => [0, 1].map((shard) => `${part} ${shard} demo-fused-${shard}-x`))); // prettier-ignore
  });
  it('is drained once it has stopped, which each shard acknowledges', async () => {
    const { owner, epoch, version, hash: _, ...content } = document;
    const stopped = desiredDocument({ owner, epoch, version: version + 1 }, { ...content, trading: 'Stopped' });
    system.publish(stopped, { mounted: false });
    const { acks } = await eventually('drained', () => system.written.findLast(({ drained, acks: told }) => drained === true && told?.hash === stopped.hash && told.acked === SHARDS)); // prettier-ignore
    assert.deepEqual(acks?.pending, []);
  });
});
