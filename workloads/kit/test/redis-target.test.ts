// Connections to real Redis servers of each kind that a system may have: with a user, over TLS, by Sentinels, one of several.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { REDIS_CA_FILE } from '../../contract/pods.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { readPodConfig, type PodConfig } from '../config.ts';
import { connectRedis, isConnected, moveConnection, movesOf, type Redis } from '../redis.ts';
import { certify } from './certificates.ts';
import { eventually, podFolder, startRedis, type PodFolder, type ServerOptions, type TestRedis } from './redis.ts';

/** A Sentinel whose machine is so busy that it doubts its own clock does nothing for 30 s. */
const FAILED_OVER_MS = 180_000;

describe('the Redis of a system', () => {
  const servers: TestRedis[] = [];
  const folders: PodFolder[] = [];
  const clients: Redis[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'tls-'));
  after(() => rmSync(dir, { recursive: true }));
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    for (const folder of folders.splice(0)) folder.remove();
    for (const server of servers.splice(0)) await server.stop();
  });
  const server = async (options?: ServerOptions): Promise<TestRedis> => {
    const started = await startRedis(options);
    servers.push(started);
    return started;
  };
  const pod = (system: Partial<SystemConfig>, env: Record<string, string> = {}): PodConfig => {
    const folder = podFolder('router', { ...CONFIG, ...system });
    folders.push(folder);
    return readPodConfig({ ...folder.env, ...env });
  };
  const connect = (to: PodConfig): Redis => {
    const redis = connectRedis(to, pino({ level: 'silent' }), { name: 'test' });
    clients.push(redis);
    return redis;
  };
  const connected = (redis: Redis) => eventually('connected', () => (isConnected(redis) ? true : undefined));

  it('is spoken to as the user of the Secret, where there is one', async () => {
    const { url } = await server({ args: ['--user', 'desk', 'on', '>secret', '~*', '&*', '+@all', '--user', 'default', 'off'], client: { username: 'desk', password: 'secret' } }); // prettier-ignore
    const redis = connect(pod({ redisUrl: url }, { REDIS_USERNAME: 'desk', REDIS_PASSWORD: 'secret' }));
    await connected(redis);
    assert.equal(await redis.acl('WHOAMI'), 'desk');
    const without = connect(pod({ redisUrl: url }, { REDIS_PASSWORD: 'secret' }));
    const error = await new Promise<Error>((resolve) => without.once('error', resolve));
    assert.match(error.message, /WRONGPASS|NOAUTH|disabled/);
  });

  describe('over TLS', () => {
    const ca = join(dir, 'ca.crt');
    const client = (): NonNullable<ServerOptions['client']> => ({ tls: { ca: readFileSync(ca, 'utf8') } });
    const args = ['--tls-cert-file', join(dir, 'redis.crt'), '--tls-key-file', join(dir, 'redis.key'), '--tls-ca-cert-file', ca, '--tls-auth-clients', 'no']; // prettier-ignore
    before(() => certify(dir, 'redis'));
    const withCa = (to: PodConfig): PodConfig => {
      mkdirSync(dirname(to.redisCaFile), { recursive: true });
      writeFileSync(to.redisCaFile, readFileSync(ca));
      assert.ok(to.redisCaFile.endsWith(REDIS_CA_FILE));
      return to;
    };

    it('is trusted by the CA of the Secret, by its name or its address, and only with it', async () => {
      const { url, port } = await server({ args, client: client() });
      for (const redisUrl of [url, `rediss://localhost:${port}`]) await connected(connect(withCa(pod({ redisUrl }))));
      const without = connect(pod({ redisUrl: url }));
      const error = await new Promise<Error>((resolve) => without.once('error', resolve));
      assert.match(`${error.message} ${(error as NodeJS.ErrnoException).code}`, /self.signed|unable to verify|UNABLE/i);
    });
    it('is spoken to over TLS where the system says so, whatever the scheme', async () => {
      const { port } = await server({ args, client: client() });
      const redisUrl = `redis://localhost:${port}`;
      await connected(connect(withCa(pod({ redisUrl, redis: { urls: [redisUrl], tls: true } }))));
    });
    it('takes a CA that was renewed under a running pod at the next connect', async () => {
      const tls = await server({ args, client: client() });
      const to = pod({ redisUrl: tls.url });
      const redis = connect(to);
      await new Promise((resolve) => redis.once('error', resolve));
      withCa(to);
      await connected(redis);
    });
    it('can be moved to from one without, and back', async () => {
      const [plain, tls] = [await server(), await server({ args, client: client() })];
      const to = withCa(pod({ redisUrl: plain.url, redis: { urls: [plain.url, tls.url], tls: false } }));
      const redis = connect(to);
      await connected(redis);
      for (const next of [tls, plain]) {
        moveConnection(redis, to, next.url);
        await eventually('moved', () => (isConnected(redis) ? undefined : true));
        await connected(redis);
        await redis.set('where', next.url);
        assert.equal(await (await next.client()).get('where'), next.url);
      }
      assert.equal(movesOf(redis), 2);
    });
  });

  it('is the database of its url, also after a move', async () => {
    const [first, second] = [await server(), await server()];
    const to = pod({ redisUrl: `${first.url}/3` });
    const redis = connect(to);
    await connected(redis);
    await redis.set('x', 'y');
    moveConnection(redis, to, `${second.url}/5`);
    await eventually('moved', () => (isConnected(redis) ? undefined : true));
    await connected(redis);
    await redis.set('x', 'z');
    const [one, two] = [await first.client(), await second.client()];
    await one.select(3);
    await two.select(5);
    assert.deepEqual([await one.get('x'), await two.get('x')], ['y', 'z']);
  });
  it('is found again by a client that was told to move while it was looking for one, however often', async () => {
    const [first, second] = [await server(), await server()];
    const to = pod({ redisUrl: first.url });
    const redis = connect(to);
    for (let i = 0; i < 20; i++) moveConnection(redis, to, i % 2 === 0 ? second.url : first.url);
    await eventually('moved', () => (isConnected(redis) ? true : undefined));
    await redis.set('x', 'y');
    assert.equal(await (await first.client()).get('x'), 'y');
    redis.disconnect();
    await eventually('the end', () => (redis.status === 'end' ? true : undefined));
  });
  it('can be moved from while the one before does not answer', async () => {
    const [first, second] = [await server(), await server()];
    const to = pod({ redisUrl: first.url });
    const redis = connect(to);
    await connected(redis);
    await first.kill();
    await eventually('away', () => (isConnected(redis) ? undefined : true));
    moveConnection(redis, to, second.url);
    await connected(redis);
    assert.equal(await redis.ping(), 'PONG');
    await first.start();
  });

  it('is the one that Sentinels name, before and after they have changed it', async () => {
    const [master, replica] = [await server(), await server()];
    await (await replica.client()).replicaof('127.0.0.1', master.port);
    const config = join(dir, 'sentinel.conf');
    writeFileSync(
      config,
      `sentinel monitor desk 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds desk 1000\n` +
        `sentinel failover-timeout desk 2000\nrequirepass guard\n`,
    );
    const sentinel = await server({ file: config, args: ['--sentinel'], client: { password: 'guard' } });
    const urls = [`redis://127.0.0.1:${sentinel.port}`];
    const to = pod({ redisUrl: urls[0]!, redis: { urls, masterName: 'desk', tls: false } }, { REDIS_SENTINEL_PASSWORD: 'guard' }); // prettier-ignore
    const redis = connect(to);
    await connected(redis);
    await redis.set('before', '1');
    await eventually('the replica has it', async () => ((await (await replica.client()).get('before')) === '1' ? true : undefined)); // prettier-ignore
    const watching = await sentinel.client();
    await eventually('the Sentinel knows it', async () => ((await watching.call('SENTINEL', 'REPLICAS', 'desk')) as unknown[])[0]); // prettier-ignore
    await master.kill();
    await eventually('the other one', async () => (isConnected(redis) && (await redis.set('after', '2').catch(() => undefined)) === 'OK' ? true : undefined), FAILED_OVER_MS); // prettier-ignore
    assert.equal(await (await replica.client()).get('after'), '2');
  }).timeout(300_000);
});
