// The desired document through a real Redis: carried by the param server's compare-and-set, followed and acknowledged by a pod.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import type { Ack, DesiredDocument } from '../../contract/desired.ts';
import { desiredDocument } from '../../contract/desired.ts';
import { acksKey, desiredKey, holdsKey, RELOAD } from '../../contract/keys.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { carry, tell } from '../../param-server/carry.ts';
import { readPodConfig } from '../config.ts';
import { followDesired, type DesiredFollower } from '../desired.ts';
import { connectRedis } from '../redis.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from './redis.ts';

const numbered = (version: number, change: Partial<DesiredDocument> = {}): DesiredDocument => {
  const { owner, epoch, version: _, hash: __, ...content } = { ...aFullDocument(), ...change };
  return desiredDocument({ owner, epoch, version }, content);
};

/** Control that was read longer ago counts as unreadable. */
const READABLE_MS = 15_000;

describe('the desired document', () => {
  let server: TestRedis;
  let redis: Redis;
  let folder: PodFolder;
  const applied: DesiredDocument[] = [];
  let refuse = false;
  let follower: DesiredFollower;
  const stopping = new AbortController();

  const ackOf = async (): Promise<Ack | undefined> => {
    const text = await redis.hget(acksKey('demo'), 'uid-router');
    return text === null ? undefined : (JSON.parse(text) as Ack);
  };
  const acknowledged = (hash: string): Promise<Ack> =>
    eventually(`an acknowledgement of ${hash}`, async () => {
      const ack = await ackOf();
      return ack?.hash === hash ? ack : undefined;
    });

  /** The follower's: nobody else here reads the hash of holds. */
  const looksSoFar = async (): Promise<number> =>
    Number(/cmdstat_hgetall:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);

  /** After two looks, of which the second began after this was called. */
  const looked = async <T>(then: () => T): Promise<{ readAt: T }> => {
    const readAt = then();
    const looks = await looksSoFar();
    await eventually('two looks', async () => {
      await redis.publish(RELOAD, '{}');
      return (await looksSoFar()) > looks + 1 ? true : undefined;
    });
    return { readAt };
  };

  /** As the param server does. */
  const publish = async (document: DesiredDocument): Promise<void> => {
    await carry(redis, document);
    await tell(redis, document);
  };

  before(async () => {
    server = await startRedis();
    redis = await server.client();
    folder = podFolder('router', { ...CONFIG, redisUrl: server.url });
    const pod = readPodConfig(folder.env);
    const log = pino({ level: 'silent' });
    follower = followDesired({
      pod,
      log,
      redis: connectRedis(pod, log, { name: 'commands' }),
      subscriber: connectRedis(pod, log, { name: 'desired', blocking: true }),
      apply: (document) => {
        if (refuse) throw new Error('hardLimits.symbols.BTC-USD is missing');
        applied.push(document);
      },
      signal: stopping.signal,
    });
  });
  after(async () => {
    stopping.abort();
    await follower.done;
    folder.remove();
    await server.stop();
  });

  it('is carried forward only, whoever tries', async () => {
    assert.equal(await carry(redis, numbered(2)), 'set');
    assert.equal(await carry(redis, numbered(2)), 'same');
    assert.equal(await carry(redis, numbered(1)), 'older');
    assert.equal(await carry(redis, numbered(1, { epoch: 9 })), 'set');
    assert.equal(await carry(redis, numbered(3)), 'older');
    assert.equal(await carry(redis, numbered(1, { system: { name: 'demo', namespace: 'elsewhere' } })), 'foreign');
    assert.equal(await carry(redis, numbered(1, { owner: 'made-anew', epoch: 1 })), 'set');
  });
  it('is applied and acknowledged by hash as soon as it is carried', async () => {
    const next = numbered(2, { owner: 'made-anew', epoch: 1, capitalUsd: 2e6 });
    await publish(next);
    const ack = await acknowledged(next.hash);
    assert.deepEqual([ack.version, ack.error], [2, undefined]);
    assert.equal(follower.current()?.capitalUsd, 2e6);
    assert.equal(follower.controlReadable(Date.now()), true);
  });
  it('is not applied when damaged or older, and then nothing may be opened', async () => {
    const count = applied.length;
    const damaged = { ...numbered(3, { owner: 'made-anew', epoch: 1 }), capitalUsd: 9e9 };
    const older = numbered(1, { owner: 'made-anew', epoch: 1 });
    for (const text of [JSON.stringify(damaged), JSON.stringify(older)]) {
      const before = Date.now();
      await redis.set(desiredKey('demo'), text);
      const looks = await looksSoFar();
      await eventually('two looks', async () => {
        await redis.publish(RELOAD, '{}');
        return (await looksSoFar()) > looks + 1 ? true : undefined;
      });
      assert.equal(follower.controlReadable(before + READABLE_MS), false);
    }
    assert.equal(applied.length, count);
    assert.equal(follower.current()?.capitalUsd, 2e6);
  });
  it('stays as it was where the pod refuses the next; the refusal is told, and its holds are in force', async () => {
    const count = applied.length;
    refuse = true;
    const stop = { id: 'stop', effect: 'StopTrading', reason: 'r', by: 'b' } as const;
    const bad = numbered(4, { owner: 'made-anew', epoch: 1, capitalUsd: 3e6, holds: [stop] });
    await publish(bad);
    const ack = await acknowledged(bad.hash);
    assert.match(ack.error ?? '', /BTC-USD is missing/);
    assert.equal(applied.length, count);
    assert.equal(follower.current()?.capitalUsd, 2e6);
    assert.equal(follower.restraint(Date.now()).tradingStopped, true);
    await publish(numbered(5, { owner: 'made-anew', epoch: 1, capitalUsd: 3e6 }));
    await eventually('its end', () => (follower.restraint(Date.now()).tradingStopped ? undefined : true));
    refuse = false;
  });
  it('joins holds that came through Redis, and takes one that nobody can read for a stop', async () => {
    assert.equal(follower.restraint(Date.now()).routerPaused, false);
    const hold = { id: 'router-sighup', effect: 'PauseRouter', reason: 'SIGHUP', by: 'pod x' };
    await redis.hset(holdsKey('demo'), 'router-sighup', JSON.stringify(hold));
    await redis.publish(RELOAD, '{}');
    await eventually('paused', () => (follower.restraint(Date.now()).routerPaused ? true : undefined));
    await redis.hset(holdsKey('demo'), 'garbage', '{');
    await redis.publish(RELOAD, '{}');
    await eventually('stopped', () => (follower.restraint(Date.now()).tradingStopped ? true : undefined));
    await redis.del(holdsKey('demo'));
    await redis.publish(RELOAD, '{}');
    await eventually('free', () => (follower.restraint(Date.now()).tradingStopped ? undefined : true));
  });
  it('is read from the mounted file also while Redis answers, where it is newer: that Redis may be one nobody writes to', async () => {
    const next = numbered(6, { owner: 'made-anew', epoch: 1, capitalUsd: 5e6 });
    folder.writeDesired(JSON.stringify(next));
    assert.equal((await acknowledged(next.hash)).version, 6);
    const { readAt } = await looked(() => Date.now());
    assert.equal(follower.controlReadable(readAt + READABLE_MS), false, 'what Redis has is older');
    folder.writeDesired(JSON.stringify(numbered(1, { owner: 'another', epoch: 9 })));
    await looked(() => undefined);
    assert.equal(follower.current()?.capitalUsd, 5e6, 'of another owner Redis must tell');
    await carry(redis, next);
    await looked(() => undefined);
    assert.equal(follower.controlReadable(Date.now()), true);
  });
  it('keeps what was held while Redis does not know the newest document, and joins what it holds', async () => {
    const held = () => follower.restraint(Date.now()).holds.map(({ id }) => id);
    const hold = (id: string) => JSON.stringify({ id, effect: 'PauseRouter', reason: 'r', by: 'b' });
    await redis.hset(holdsKey('demo'), 'one', hold('one'));
    await looked(() => undefined);
    assert.deepEqual(held(), ['one']);
    await redis.multi().del(holdsKey('demo')).del(desiredKey('demo')).hset(holdsKey('demo'), 'two', hold('two')).exec();
    await looked(() => undefined);
    assert.deepEqual(held(), ['one', 'two']);
    await carry(redis, numbered(6, { owner: 'made-anew', epoch: 1, capitalUsd: 5e6 }));
    await looked(() => undefined);
    assert.deepEqual(held(), ['two']);
    await redis.del(holdsKey('demo'));
    await looked(() => undefined);
    assert.deepEqual(held(), []);
  });
  it('is read from the mounted file while Redis is away, and acknowledged again when it is back', async () => {
    await server.kill();
    const next = numbered(7, { owner: 'made-anew', epoch: 1, capitalUsd: 4e6 });
    folder.writeDesired(JSON.stringify(next));
    await eventually('the file', () => (follower.current()?.capitalUsd === 4e6 ? true : undefined));
    assert.equal(follower.controlReadable(Date.now()), false, 'nothing may be opened without Redis');
    await server.start();
    redis = await server.client();
    assert.equal((await acknowledged(next.hash)).version, 7);
  });
  it('is acknowledged as soon as a Redis that refused the acknowledgement takes it', async () => {
    await redis.call('ACL', 'SETUSER', 'default', '-hset');
    const next = numbered(8, { owner: 'made-anew', epoch: 1, capitalUsd: 6e6 });
    await publish(next);
    await eventually('the document', () => (follower.current()?.capitalUsd === 6e6 ? true : undefined));
    await looked(() => undefined);
    assert.equal((await ackOf())?.version, 7);
    await redis.call('ACL', 'SETUSER', 'default', '+hset');
    assert.equal((await acknowledged(next.hash)).version, 8);
  });
});
