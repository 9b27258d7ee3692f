// The lease of a shard on a real Redis: two that want it, its end by the clock of Redis, its return, and a Redis that is
// lost and comes back, with or without what it knew.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { leaseKey } from '../../contract/keys.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { readPodConfig } from '../config.ts';
import { LEASE_MS } from '../lease.ts';
import { keepLease, type LeaseKeeper, type LeaseOptions, type Left } from '../lease-keeper.ts';
import { connectRedis } from '../redis.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from './redis.ts';

const KEY = leaseKey('demo', 0);
interface Contender {
  readonly keeper: LeaseKeeper;
  readonly told: { epoch: number | undefined; left: Left | undefined }[];
  /** What it would leave, and the highest epoch that it knows of. */
  readonly knows: { toLeave: string; epoch: number };
}

describe('a lease in Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  let folder: PodFolder;
  let open: LeaseKeeper[] = [];
  let clients: { disconnect(): void }[] = [];
  before(async () => (server = await startRedis()));
  after(() => server.stop());
  beforeEach(async () => {
    redis = await server.client();
    await redis.flushall();
    folder = podFolder('harmoniser', { ...CONFIG, redisUrl: server.url });
  });
  afterEach(async () => {
    for (const keeper of open) await keeper.giveBack();
    for (const client of clients) client.disconnect();
    open = [];
    clients = [];
    folder.remove();
  });

  const contend = (name: string, more: Partial<LeaseOptions> = {}): Contender => {
    const log = pino({ level: 'silent' });
    const connection = connectRedis(readPodConfig(folder.env), log, { name });
    clients.push(connection);
    const told: Contender['told'] = [];
    const knows = { toLeave: `by ${name}`, epoch: 0 };
    const keeper = keepLease({
      redis: connection,
      key: KEY,
      holder: `uid-${name}`,
      podName: name,
      log,
      knownEpoch: () => knows.epoch,
      toLeave: () => knows.toLeave,
      onChange: (epoch, left) => told.push({ epoch, left }),
      ...more,
    });
    open.push(keeper);
    return { keeper, told, knows };
  };
  const taken = (contender: Contender, what = 'the lease') => eventually(what, () => contender.keeper.epoch());
  const waits = (contender: Contender, forWhom: string) =>
    eventually('waiting', () => (contender.keeper.holder() === forWhom ? true : undefined));
  /** As long as it takes for it to be asked for again, and for Redis to have answered. */
  const asked = async (): Promise<void> => {
    const count = async (): Promise<number> =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
    const before = await count();
    await eventually('more questions', async () => ((await count()) >= before + 2 ? true : undefined));
  };

  it('is one’s; the other waits, knows for whom, and is told nothing', async () => {
    const a = contend('a');
    assert.equal(await taken(a), 1);
    const b = contend('b');
    await waits(b, 'a');
    await asked();
    assert.deepEqual([a.keeper.epoch(), b.keeper.epoch(), b.told], [1, undefined, []]);
  });
  it('changes hands when it is given back, before it would have run out, with what was left, under a later epoch', async () => {
    const a = contend('a');
    await taken(a);
    const b = contend('b');
    await waits(b, 'a');
    a.knows.toLeave = 'the last word';
    const gaveAt = performance.now();
    const given = a.keeper.giveBack();
    assert.equal(a.keeper.epoch(), undefined, 'from that moment on, not from the answer of Redis on');
    await given;
    assert.equal(await taken(b), 2);
    // By itself it would have lasted for the rest of LEASE_MS, of which a renewal is a second old at most.
    assert.ok(performance.now() - gaveAt < LEASE_MS - 2_000);
    assert.deepEqual(b.told, [{ epoch: 2, left: { text: 'the last word', epoch: 1 } }]);
    await asked();
    assert.equal(a.keeper.epoch(), undefined, 'and is not asked for again');
  });
  it('is free when it has run out by the clock of Redis, not before, and what was left is there', async () => {
    const dead = { holder: 'uid-dead', pod: 'dead', epoch: 6, left: 'by dead', leftEpoch: 6 };
    const seconds = async (): Promise<number> => Number((await redis.time())[0]);
    await redis.hset(KEY, { ...dead, until: ((await seconds()) + 8) * 1_000 });
    const b = contend('b');
    await waits(b, 'dead');
    const end = (await seconds()) + 2;
    await redis.hset(KEY, { until: end * 1_000 });
    await taken(b, 'its end');
    assert.ok((await seconds()) >= end, `taken before ${end}`);
    assert.deepEqual(b.told, [{ epoch: 7, left: { text: 'by dead', epoch: 6 } }]);
  });
  it('does not outlive a clock of Redis that was set back: it runs out as a lease does', async () => {
    const now = Number((await redis.time())[0]) * 1_000;
    await redis.hset(KEY, { holder: 'uid-dead', pod: 'dead', epoch: 6, until: now + 3_600_000 });
    const b = contend('b');
    await waits(b, 'dead');
    const until = Number(await redis.hget(KEY, 'until'));
    assert.ok(until <= now + LEASE_MS + 5_000, `${until - now} ms ahead`);
  });
  it('is taken at once by another boot of the same pod, under a later epoch', async () => {
    const a = contend('a');
    await taken(a);
    assert.equal(await taken(contend('again', { holder: 'uid-a' })), 2);
    await eventually('the end of the first', () => (a.keeper.epoch() === undefined ? true : undefined));
    await asked();
    assert.equal(a.keeper.epoch(), undefined, 'and it does not take it back');
  });
  it('is kept while Redis is away, until its own deadline, and then renewed under the same epoch if nobody took it', async () => {
    const a = contend('a');
    await taken(a);
    const stored = await redis.hgetall(KEY);
    await server.kill();
    await eventually('the deadline', () => (a.keeper.epoch() === undefined ? true : undefined));
    await server.start();
    redis = await server.client();
    await redis.hset(KEY, { ...stored, until: 1 });
    assert.equal(await eventually('again', () => a.keeper.epoch()), 1);
    assert.deepEqual(
      a.told.map(({ epoch }) => epoch),
      [1, undefined, 1],
    );
  });
  it('counts on beyond what was in use where Redis has lost its data', async () => {
    const a = contend('a');
    await taken(a);
    a.knows.epoch = 41;
    await redis.flushall();
    await eventually('a later epoch', () => (a.keeper.epoch() === 42 ? true : undefined));
    a.knows.epoch = 42;
    await asked();
    assert.equal(a.keeper.epoch(), 42);
  });
  it('is lost at once where another has it, as after a pause or a failover, and taken again later', async () => {
    const a = contend('a');
    await taken(a);
    await redis.hset(KEY, { holder: 'uid-b', pod: 'b', epoch: 2 });
    await eventually('its loss', () => (a.keeper.epoch() === undefined ? true : undefined));
    assert.equal(a.keeper.holder(), 'b');
    await redis.hset(KEY, { holder: '', until: 0 });
    assert.equal(await taken(a), 3);
  });
});
