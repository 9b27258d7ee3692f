// A pod's live figures in a real Redis: renewed each second, and at once when what was under way has ended. A Redis that refuses them is told of once.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { partsKey } from '../../contract/keys.ts';
import type { PartStatus } from '../../contract/status.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { readPodConfig } from '../config.ts';
import { publishStatus } from '../part-status.ts';
import { heardLog } from './heard-log.ts';
import { eventually, podFolder, startRedis } from './redis.ts';

describe('the status of a part', () => {
  it('is there under its part, shard and replica; its end of work is told, once, with a status that says so', async () => {
    const server = await startRedis();
    const [redis, subscriber] = [await server.client(), await server.client()];
    const folder = podFolder('harmoniser', { ...CONFIG, redisUrl: server.url });
    const pod = readPodConfig({ ...folder.env, TRADEWIND_SHARD: '2', TRADEWIND_REPLICA: '1' });
    const { log, lines } = heardLog();
    const words: string[] = [];
    await subscriber.subscribe(partsKey('demo'));
    subscriber.on('message', (_channel, field: string) => words.push(field));
    const stop = new AbortController();
    let settled = false;
    let made = 0;
    const make = () => [{ part: 'harmoniser', flushed: settled, made: ++made } as unknown as PartStatus];
    const publishing = publishStatus({ pod, redis, log, make, isSettled: () => settled, signal: stop.signal });
    const stored = async (): Promise<{ flushed: boolean; made: number }> =>
      JSON.parse((await redis.hget(partsKey('demo'), 'harmoniser-2-s1')) ?? '{}') as { flushed: boolean; made: number };
    await eventually('two of them', async () => ((await stored()).made >= 2 ? true : undefined));
    assert.deepEqual(words, [], 'nobody waits for what goes on');
    settled = true;
    await eventually('the word', () => words[0]);
    assert.deepEqual([words, (await stored()).flushed], [['harmoniser-2-s1'], true]);
    const { made: then } = await stored();
    await eventually('two more', async () => ((await stored()).made >= then + 2 ? true : undefined));
    assert.equal(words.length, 1);
    await redis.call('ACL', 'SETUSER', 'default', '-hset');
    await eventually('a warning', () => lines()[0]);
    await delay(2_200); // two more of them
    await redis.call('ACL', 'SETUSER', 'default', '+hset');
    await eventually('its end', () => lines()[1]);
    assert.match(lines()[0]?.error?.message ?? '', /NOPERM/);
    assert.deepEqual(lines().map(({ level }) => level), ['warn', 'info']); // prettier-ignore
    stop.abort();
    await publishing;
    folder.remove();
    await server.stop();
  });
});
