import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import type { ServerHttp2Stream } from 'node:http2';
import { PODS } from '../kinds.ts';
import { aLoopback, aRelay, type Loopback, type LoopbackOptions, type Relay } from '../test/loopback.ts';
import { Api } from './client.ts';
import { TIMING } from './dial.ts';
import { ApiError, FatalError } from './errors.ts';

/** Of a peer that is there no answer takes so long, whatever else this machine does. */
const FAST = { connectMs: 2_000, pingEveryMs: 100, pingAnswerMs: 400, doubtAfterMs: 20 };
const get = (api: Api): Promise<unknown> => api.get(PODS, { name: 'a' });
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };
const ok = (stream: ServerHttp2Stream, body = '{}'): void => {
  stream.respond({ ':status': 200 });
  stream.end(body);
};

describe('the session', () => {
  let server: Loopback;
  const relays: Relay[] = [];
  const begin = async (...given: Parameters<typeof aLoopback>): Promise<Api> =>
    (server = await aLoopback(...given)).api;
  afterEach(() => {
    server.close();
    for (const relay of relays.splice(0)) relay.close();
  });
  const relayed = (): LoopbackOptions => ({
    timing: FAST,
    through: async (port) => {
      const relay = await aRelay(port);
      relays.push(relay);
      return relay.port;
    },
  });
  /** A watch that has begun, and how it ends. */
  const watching = async (api: Api, signal = new AbortController().signal) => {
    const opened = Promise.withResolvers<void>();
    const lines: unknown[] = [];
    const handlers = { onOpen: opened.resolve, onEvent: (event: unknown) => void lines.push(event), signal };
    const ended = api.watch('/watched', {}, handlers).then(
      () => 'in order',
      (error: unknown) => String(error),
    );
    await Promise.race([opened.promise, ended]);
    return { lines, ended };
  };

  describe('after a 401', () => {
    const tokens = () => {
      const refusedOnes: (string | undefined)[] = [];
      const authorization = async (refused?: string): Promise<string> => {
        refusedOnes.push(refused);
        return refused === undefined ? 'Bearer old' : 'Bearer new';
      };
      return { refusedOnes, authorization };
    };
    it('asks for another token, and once more with that', async () => {
      const { authorization, refusedOnes } = tokens();
      const api = await begin(
        (stream, _, headers) => {
          if (headers.authorization === 'Bearer new') return ok(stream);
          return stream.respond({ ':status': 401 }, { endStream: true });
        },
        { authorization },
      );
      await get(api);
      await get(api);
      assert.deepEqual(refusedOnes, [undefined, 'Bearer old', 'Bearer old']);
      assert.equal(server.count(), 3);
    });
    it('gives up after the second', async () => {
      const api = await begin((stream) => stream.respond({ ':status': 401 }, { endStream: true }), tokens());
      await assert.rejects(get(api), (error) => error instanceof ApiError && error.status === 401);
      assert.equal(server.count(), 2);
    });
    it('begins the next watch with another token', async () => {
      const api = await begin(
        (stream, _, headers) => {
          if (headers.authorization === 'Bearer new') return ok(stream, '');
          return stream.respond({ ':status': 401 }, { endStream: true });
        },
        { authorization: tokens().authorization },
      );
      assert.match(await (await watching(api)).ended, /401/);
      assert.equal(await (await watching(api)).ended, 'in order');
    });
  });

  describe('after a GOAWAY', () => {
    it('takes one new connection for what comes, while what runs ends on the old one, and watches move', async () => {
      const slow: ServerHttp2Stream[] = [];
      const api = await begin((stream, path) => {
        if (path.includes('watch=true')) stream.respond({ ':status': 200 });
        else if (path.endsWith('/slow')) slow.push(stream);
        else ok(stream);
      });
      const { ended } = await watching(api);
      const running = api.get(PODS, { name: 'slow' });
      while (slow.length === 0) await new Promise(setImmediate);
      server.goAway();
      assert.equal(await ended, 'in order');
      await watching(api);
      for (let i = 0; i < 20; i++) await get(api);
      assert.equal(api.connections, 2, 'twenty requests, no new connection');
      ok(slow[0]!, '{"still":"here"}');
      assert.deepEqual(await running, { still: 'here' });
    });
    it('asks again for what crossed it and was not looked at', async () => {
      const api = await begin((stream) => ok(stream));
      await get(api);
      server.goAway();
      await get(api);
      await get(api);
      assert.equal(api.connections, 2);
    });
  });

  describe('in a black hole', () => {
    it('finds a watch cut off by PING', async () => {
      const api = await begin((stream) => stream.respond({ ':status': 200 }), relayed());
      const { ended } = await watching(api);
      relays[0]?.swallow();
      assert.match(await ended, /connection to the API server lost/);
    });
    it('finds a list cut off in its middle', async () => {
      const api = await begin((stream) => {
        stream.respond({ ':status': 200 });
        stream.write('{"metadata":');
        setTimeout(() => relays[0]?.swallow(), 10);
      }, relayed());
      await assert.rejects(api.list(PODS, undefined, {}), /connection to the API server lost/);
    });
    it('connects anew for the next request', async () => {
      const api = await begin((stream) => ok(stream), relayed());
      await get(api);
      relays[0]?.swallow();
      await assert.rejects(get(api), /connection to the API server lost/);
      await get(api);
      assert.equal(api.connections, 2);
    });
    it('gives up to connect', async () => {
      await begin(() => undefined);
      const mute = createServer(() => undefined);
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
      const origin = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
      const credentials = { origin, tls: async () => ({}), authorization: async () => undefined };
      const api = Api.open({ credentials, timing: { ...TIMING, ...FAST, connectMs: 100 } });
      await assert.rejects(get(api), /no connection within 100 ms/);
      mute.close();
    });
    it('gives up a watch that a living server does not answer', async () => {
      const api = await begin(() => undefined, { timing: { ...FAST, openWithinMs: 50 } });
      assert.match(await (await watching(api)).ended, /no answer from the API server/);
    });
  });

  it('fails for a while where credentials cannot be had', async () => {
    const authorization = async (): Promise<string> => {
      throw new ApiError(0, 'token cannot be read');
    };
    const api = await begin((stream) => ok(stream), { authorization });
    await assert.rejects(get(api), /token cannot be read/);
  });
  it('asks whether it may write once connected, in the turn in which the write goes', async () => {
    const api = await begin((stream) => ok(stream), {
      authorization: () => new Promise((resolve) => setTimeout(() => resolve(undefined), 20)),
    });
    let isHeld = true;
    const guarded = api.guarded(() => {
      if (!isHeld) throw new FatalError('spent');
    });
    const writing = guarded.create(PODS, POD);
    isHeld = false;
    await assert.rejects(writing, /spent/);
    assert.equal(server.count(), 0);
    isHeld = true;
    await guarded.create(PODS, POD);
    assert.equal(server.count(), 1);
  });
  for (const [title, headers, body, ms] of [
    ['of the header', { 'retry-after': '7' }, '{"message":"busy"}', 7_000],
    ['of the body', {}, '{"message":"busy","details":{"retryAfterSeconds":3}}', 3_000],
    ['of the header before that of the body', { 'retry-after': '7' }, '{"details":{"retryAfterSeconds":3}}', 7_000],
    ['unless it is no number', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, '', undefined],
  ] as const)
    it(`keeps Retry-After ${title}, of reads, writes and watches`, async () => {
      const api = await begin((stream) => {
        stream.respond({ ':status': 429, ...headers });
        stream.end(body);
      });
      const watch = { onOpen: () => undefined, onEvent: () => undefined, signal: new AbortController().signal };
      const hurried = api.within(1_000);
      for (const ask of [() => get(hurried), () => hurried.create(PODS, POD), () => api.watch('/watched', {}, watch)]) {
        const error = await ask().catch((thrown: unknown) => thrown);
        assert.ok(error instanceof ApiError && error.status === 429);
        assert.equal(error.retryAfterMs, ms);
      }
    });
  it('holds back whoever else calls while the server is busy, but not who cannot wait', async () => {
    let answers = 0;
    const api = await begin((stream) => {
      answers += 1;
      stream.respond(answers === 1 ? { ':status': 429, 'retry-after': '0.3' } : { ':status': 200 });
      stream.end('{}');
    });
    const from = performance.now();
    await assert.rejects(get(api), ApiError);
    const order: string[] = [];
    const held = Promise.all([get(api), get(api)]).then(() => order.push('held back'));
    await get(api.within(10_000)).then(() => order.push('in a hurry'));
    await held;
    assert.ok(performance.now() - from >= 299);
    assert.deepEqual(order, ['in a hurry', 'held back']);
    assert.equal(answers, 4);
  });
});
