// The param server's own loop on a real Redis. The API server's side is a plain object: what it holds is set by each test.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { desiredDocument, type Ack, type DesiredDocument } from '../../contract/desired.ts';
import { acksKey, desiredKey, holdsKey, partsKey, RELOAD } from '../../contract/keys.ts';
import { BOOK_FRESH_MS } from '../../contract/messages.ts';
import { aBook, anIngest } from '../../gateway/test/builders.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { readPodConfig } from '../../kit/config.ts';
import { connectRedis } from '../../kit/redis.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from '../../kit/test/redis.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import type { ApiSide } from '../api-side.ts';
import type { Runtime } from '../runtime.ts';
import { ParamServer } from '../server.ts';

const numbered = (version: number): DesiredDocument => {
  const { owner, epoch, version: _, hash: __, ...content } = aFullDocument();
  return desiredDocument({ owner, epoch, version }, content);
};
const PODS = (['ingest', 'router', 'harmoniser'] as const).map((part) => ({
  uid: `uid-${part}`,
  name: `demo-${part}-0-x`,
  part,
  shard: 0,
}));
const LONG_AGO_MS = 3_600_000;

describe('the param server', () => {
  let redis: Redis;
  let server: TestRedis;
  let folder: PodFolder;
  let seen: { document: DesiredDocument; synced: boolean };
  let written: Runtime[];
  let running: Promise<void>;
  let stopping: AbortController;
  let param: ParamServer;

  const acknowledge = (document: DesiredDocument, at = Date.now()): Promise<unknown> => {
    const { epoch, version, hash } = document;
    const acks = PODS.map(({ uid, name }): [string, string] => {
      const ack: Ack = { uid, pod: name, part: 'any', shard: 0, epoch, version, hash, at };
      return [uid, JSON.stringify(ack)];
    });
    return redis.hset(acksKey('demo'), Object.fromEntries(acks));
  };
  const start = (): void => {
    const pod = readPodConfig(folder.env);
    const log = pino({ level: 'silent' });
    stopping = new AbortController();
    const api: ApiSide = {
      document: () => seen.document,
      isSynced: () => seen.synced,
      pods: () => (seen.synced ? PODS : []),
      write: async (runtime) => void written.push(runtime),
      done: Promise.resolve(),
      close: () => undefined,
    };
    param = new ParamServer({
      pod,
      log,
      redis: connectRedis(pod, log, { name: 'commands' }),
      subscriber: connectRedis(pod, log, { name: 'acks', blocking: true }),
      api: () => api,
      redisUrl: () => server.url,
      moveRedis: () => assert.fail('one Redis only'),
      signal: stopping.signal,
    });
    running = param.run();
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = await server.client();
    folder = podFolder('param-server', { ...CONFIG, redisUrl: server.url });
    seen = { document: numbered(1), synced: true };
    written = [];
  });
  afterEach(async () => {
    stopping.abort();
    await running;
    folder.remove();
    await server.stop();
  });

  it('reports nothing before it knows the pods and what they have acknowledged', async () => {
    await acknowledge(seen.document, Date.now() - LONG_AGO_MS);
    seen.synced = false;
    start();
    await eventually('a look', async () => ((await redis.exists(desiredKey('demo'))) === 1 ? true : undefined));
    assert.equal(written.length, 0);
    seen.synced = true;
    param.onChange();
    await eventually('a report', () => (written.length > 0 ? true : undefined));
    assert.deepEqual([written[0]?.acks?.acked, written[0]?.acks?.expected], [3, 3]);
    assert.equal(await redis.hlen(acksKey('demo')), 3, 'acknowledgements of pods that live are kept, however old');
  });
  it('looks at what pods tell as soon as one says that its work has ended', async () => {
    start();
    const looks = async (): Promise<number> =>
      Number(/cmdstat_hgetall:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
    await eventually('a look', async () => ((await looks()) > 0 ? true : undefined));
    const [before, from] = [await looks(), performance.now()];
    // Each word is followed by three questions; by itself it asks them once a second.
    await eventually('far more looks than those', async () => {
      await redis.publish(partsKey('demo'), 'harmoniser-0');
      const byItself = 3 * (1 + (performance.now() - from) / 1_000);
      return (await looks()) - before > byItself + 100 ? true : undefined;
    });
  });
  it('puts the document back where somebody deleted the key', async () => {
    start();
    const isThere = async () => ((await redis.exists(desiredKey('demo'))) === 1 ? true : undefined);
    await eventually('the document', isThere);
    await redis.del(desiredKey('demo'));
    await eventually('the document again', isThere);
  });
  it('tells pods again where Redis refused the word, and is ready meanwhile: they find the document when they poll', async () => {
    await redis.call('ACL', 'SETUSER', 'ear', 'on', '>ear', '+@all', '&*');
    const ear = redis.duplicate({ username: 'ear', password: 'ear' });
    const words: string[] = [];
    ear.on('message', (_channel, text: string) => words.push(text));
    await ear.subscribe(RELOAD);
    await redis.call('ACL', 'SETUSER', 'default', 'resetchannels');
    start();
    await eventually('ready', () => (param.notReady() === undefined ? true : undefined));
    assert.deepEqual(words, []);
    await redis.call('ACL', 'SETUSER', 'default', 'allchannels');
    assert.match((await eventually('the word', () => words[0])) ?? '', /"version":1/);
    ear.disconnect();
  });
  it('is not ready, and says so, where Redis holds a later document: pods would refuse ours', async () => {
    await redis.set(desiredKey('demo'), JSON.stringify(numbered(7)));
    start();
    const told = await eventually('a report of it', () => written.find(({ acks }) => acks?.errors !== undefined));
    assert.match(told.acks?.errors?.[0]?.message ?? '', /later document than 1\.1/);
    assert.match(param.notReady() ?? '', /later document/);
    seen.document = numbered(8);
    param.onChange();
    await eventually('ready', () => (param.notReady() === undefined ? true : undefined));
  });
  it('reports the books that have been late for a while, by what ingest tells', async () => {
    const tell = (): void => {
      const symbols = { 'BTC-USD': aBook({ lagMs: BOOK_FRESH_MS + 1 }), 'ETH-USD': aBook() };
      const status = JSON.stringify(anIngest({ symbols, at: Date.now() }));
      redis.hset(partsKey('demo'), 'ingest-0', status).catch(() => undefined);
    };
    tell();
    const telling = setInterval(tell, 500);
    start();
    await eventually('a report of it', () => (written.at(-1)?.late === undefined ? undefined : true));
    clearInterval(telling);
    assert.deepEqual(written.at(-1)?.late, ['BTC-USD']);
  });
  it('reports the holds that are in Redis, and their end', async () => {
    await acknowledge(seen.document);
    const hold = { id: 'router-sighup', effect: 'PauseRouter', reason: 'SIGHUP', by: 'pod x' };
    await redis.hset(holdsKey('demo'), hold.id, JSON.stringify(hold));
    start();
    await eventually('the hold', () => (written.at(-1)?.holds?.[0]?.id === hold.id ? true : undefined));
    await redis.del(holdsKey('demo'));
    await eventually('its end', () => (written.at(-1)?.holds === undefined ? true : undefined));
  });
});
