// What the desk sees, on a Redis that refuses it: told once for each kind, and nothing else stops.
import assert from 'node:assert/strict';
import type { Decision } from '../../contract/messages.ts';
import { decisionsStream } from '../../contract/keys.ts';
import { heardLog } from '../../kit/test/heard-log.ts';
import { eventually, startRedis } from '../../kit/test/redis.ts';
import { createTaps } from '../taps.ts';

const BTC = 'BTC-USD';

describe('taps', () => {
  it('say once what Redis refuses, and when it takes it again', async () => {
    const server = await startRedis();
    const redis = await server.client();
    const { log, lines } = heardLog();
    const taps = createTaps(redis, log, () => 'Crypto');
    let rounds = 0;
    const give = async (): Promise<void> => {
      taps.decided({ symbol: BTC, t: Date.now(), edgeBps: 1, confidence: 0.5 } as Decision, 0);
      taps.estimated(BTC, 0.02);
      taps.points([{ series: 'var_pct', symbol: BTC, value: 1 }], Date.now() + 10_000 * ++rounds);
      await new Promise((resolve) => setImmediate(resolve)); // a decision goes out then
      await redis.ping();
    };
    const told = (level: string): string[] =>
      lines()
        .filter((line) => line.level === level && /not written to Redis/.test(line.msg))
        .map(({ msg }) => msg.replace(/^over: /, '').replace(/ not written.*/, ''))
        .sort();
    const ALL = ['decisions', 'time series', 'volatilities'];
    await redis.call('ACL', 'SETUSER', 'default', '-hset');
    for (let i = 0; i < 3; i++) await give();
    await eventually('three warnings', () => (told('warn').length >= 3 ? true : undefined));
    assert.ok((await redis.xlen(decisionsStream(BTC))) > 0, 'what is not refused is written');
    await redis.call('ACL', 'SETUSER', 'default', '+hset');
    await give();
    await eventually('their end', () => (told('info').length >= 3 ? true : undefined));
    assert.deepEqual([told('warn'), told('info')], [ALL, ALL]);
    await server.stop();
  });
});
