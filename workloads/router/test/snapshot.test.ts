// A Redis that is there and does not take what was learned: told once, and counted.
import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { METRIC } from '../../contract/metrics.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { readPodConfig } from '../../kit/config.ts';
import { connectRedis, measureCommands } from '../../kit/redis.ts';
import { heardLog } from '../../kit/test/heard-log.ts';
import { eventually, podFolder, startRedis } from '../../kit/test/redis.ts';
import { loadState, Snapshot } from '../snapshot.ts';
import { newState, newSymbol } from '../state.ts';

describe('the snapshot of a router', () => {
  it('that Redis has no memory for is told once until it is stored again, and each refusal counted', async () => {
    const server = await startRedis();
    const folder = podFolder('router', { ...CONFIG, redisUrl: server.url });
    const pod = readPodConfig(folder.env);
    const { log, lines } = heardLog();
    const redis = connectRedis(pod, log, { name: 'commands' });
    const registry = new Registry();
    measureCommands(redis, registry);
    await eventually('a connection', () => (redis.status === 'ready' ? true : undefined));
    const symbols = new Map(['BTC-USD', 'ETH-USD'].map((name) => [name, newSymbol(name)]));
    const snapshot = new Snapshot({ redis, pod, log }, newState('boot', { symbols, switches: [] }));
    const client = await server.client();
    await client.config('SET', 'maxmemory', '1');
    for (let i = 0; i < 5; i++) await snapshot.storeSome();
    await snapshot.storeAll();
    assert.deepEqual(lines().map(({ level, error }) => [level, error?.message.slice(0, 3)]), [['warn', 'OOM']]); // prettier-ignore
    const refused = (await registry.getSingleMetric(METRIC.redisRefused)?.get())?.values ?? [];
    assert.deepEqual(refused.map(({ labels, value }) => [labels['command'], value]), [['hset', 6]]); // prettier-ignore
    await client.config('SET', 'maxmemory', '0');
    await snapshot.storeAll();
    assert.deepEqual(lines().map(({ level, failures }) => [level, failures]).at(-1), ['info', 6]); // prettier-ignore
    assert.equal((await loadState(redis, pod, 'next')).symbols.size, 2);
    redis.disconnect();
    folder.remove();
    await server.stop();
  });
});
