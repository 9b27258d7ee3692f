import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { PODS } from '../kinds.ts';
import { aLoopback, type Loopback } from '../test/loopback.ts';
import { Store } from './store.ts';
import { watch } from './watch.ts';

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const pod = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: 'n', uid: name, resourceVersion },
});
const added = (name: string, version: string): string => line({ type: 'ADDED', object: pod(name, version) });
const WHOLE = line({
  type: 'BOOKMARK',
  object: { metadata: { name: '', resourceVersion: '5', annotations: { 'k8s.io/initial-events-end': 'true' } } },
});
const streamed = (stream: ServerHttp2Stream, text: string): void => {
  stream.respond({ ':status': 200 });
  stream.write(text);
};

/** What a request asks for: `list`, `page`, or the version from which it goes on. */
const asks = (path: string): string => {
  const query = new URL(path, 'http://server').searchParams;
  if (query.has('limit')) return 'page';
  return query.get('resourceVersion') ?? 'list';
};

describe('a watch', () => {
  let server: Loopback;
  const stopping: AbortController[] = [];
  const ended: Promise<void>[] = [];
  afterEach(async () => {
    for (const one of stopping.splice(0)) one.abort();
    await Promise.all(ended.splice(0));
    server.close();
  });
  const follow = (more: { readonly idleMs?: number } = {}) => {
    const stop = new AbortController();
    stopping.push(stop);
    const store = new Store();
    const logged: string[] = [];
    const log = pino({ level: 'warn' }, { write: (text: string) => void logged.push(text) });
    const synced = Promise.withResolvers<void>();
    const options = { api: server.api, resource: PODS, store, log, onSynced: synced.resolve, signal: stop.signal };
    ended.push(watch({ ...options, ...more, random: () => 1 }));
    return { store, logged, synced: synced.promise };
  };

  /**
   * One request after another is answered by `turns`, the last of them for ever. Gives what was asked, and how long after the
   * request before it, once `count` came.
   */
  const asked = async (turns: readonly ((stream: ServerHttp2Stream) => void)[], count = turns.length) => {
    const all: { readonly what: string; readonly afterMs: number }[] = [];
    const enough = Promise.withResolvers<void>();
    let before = performance.now();
    server = await aLoopback((stream, path) => {
      const now = performance.now();
      all.push({ what: asks(path), afterMs: now - before });
      before = now;
      turns[Math.min(all.length, turns.length) - 1]?.(stream);
      if (all.length === count) enough.resolve();
    });
    return { all, enough: enough.promise };
  };
  const refuse =
    (status: number, headers: Record<string, string> = {}) =>
    (stream: ServerHttp2Stream): void =>
      stream.respond({ ':status': status, ...headers }, { endStream: true });
  const listThen =
    (then: (stream: ServerHttp2Stream) => void) =>
    (stream: ServerHttp2Stream): void => {
      streamed(stream, added('a', '4') + WHOLE);
      then(stream);
    };
  const busy = (stream: ServerHttp2Stream): void =>
    void stream.end(line({ type: 'ERROR', object: { code: 429, details: { retryAfterSeconds: 0.4 } } }));
  const stay = (): void => undefined;
  const open = (stream: ServerHttp2Stream): void => stream.respond({ ':status': 200 });
  const cut = (stream: ServerHttp2Stream): void => void setImmediate(() => stream.session?.destroy());

  it('goes on from its version when it is cut, at once, and with it what changed meanwhile', async () => {
    const { all, enough } = await asked([listThen(cut), (stream) => streamed(stream, added('b', '7'))]);
    const { store } = follow();
    await enough;
    while (store.get('n/b') === undefined) await new Promise(setImmediate);
    assert.deepEqual(all.map(({ what }) => what), ['list', '5']); // prettier-ignore
    assert.ok(all[1]!.afterMs < 10_000, `${all[1]?.afterMs} ms`);
  });
  it('lists again after 410 as the answer, keeping what it has', async () => {
    const { all, enough } = await asked([listThen(cut), refuse(410), open]);
    const { store } = follow();
    await enough;
    assert.deepEqual(all.map(({ what }) => what), ['list', '5', 'list']); // prettier-ignore
    assert.equal(store.get('n/a')?.metadata.resourceVersion, '4');
  });
  it('goes on from its version after 503, ever more slowly', async () => {
    const { all, enough } = await asked([listThen(cut), refuse(503), refuse(503), open]);
    follow();
    await enough;
    assert.deepEqual(all.map(({ what }) => what), ['list', '5', '5', '5']); // prettier-ignore
    assert.ok(all[3]!.afterMs > 190 && all[2]!.afterMs > 95, JSON.stringify(all));
  });
  for (const [title, text] of [
    ['is no JSON', '<html>502</html>\n'],
    ['is no object', 'null\n'],
    ['is no event', '{"kind":"Status"}\n'],
    ['has no metadata', '{"type":"ADDED","object":{}}\n'],
  ] as const)
    it(`lists again past a line that ${title}, and says what it found`, async () => {
      const bad = (stream: ServerHttp2Stream): void => void stream.write(text);
      const { all, enough } = await asked([listThen(bad), open]);
      const { store, logged } = follow();
      await enough;
      assert.deepEqual(all.map(({ what }) => what), ['list', 'list']); // prettier-ignore
      assert.equal(store.get('n/a')?.metadata.resourceVersion, '4');
      assert.match(logged.join(), /watch failed, trying again/);
    });
  for (const [title, turns, what] of [
    ['a list', [refuse(429, { 'retry-after': '0.4' }), open], ['list', 'list']],
    ['what a watch tells', [listThen(busy), open], ['list', 'list']],
    ['a watch', [listThen(cut), refuse(429, { 'retry-after': '0.4' }), open], ['list', '5', '5']],
    ['pages', [refuse(400), refuse(429, { 'retry-after': '0.4' }), open], ['list', 'page', 'page']],
  ] as const)
    it(`asks for ${title} again when Retry-After says, not before`, async () => {
      const { all, enough } = await asked(turns);
      follow();
      await enough;
      assert.deepEqual(all.map(({ what }) => what), what); // prettier-ignore
      const { afterMs } = all.at(-1)!;
      assert.ok(afterMs >= 395 && afterMs < 10_000, `${afterMs} ms`);
    });
  it('asks again, from where it was, when not even a bookmark comes', async () => {
    const { all, enough } = await asked([listThen(stay), open]);
    const { logged } = follow({ idleMs: 30 });
    await enough;
    assert.deepEqual(all.map(({ what }) => what), ['list', '5']); // prettier-ignore
    assert.deepEqual(logged, []);
    assert.ok(all[1]!.afterMs < 10_000, `${all[1]?.afterMs} ms`);
  });
  it('begins with few others: the rest waits until their lists are whole', async () => {
    const lists: ServerHttp2Stream[] = [];
    server = await aLoopback((stream) => {
      streamed(stream, added('a', '4'));
      lists.push(stream);
    });
    const all = Array.from({ length: 30 }, () => follow().synced);
    await delay(100);
    assert.equal(lists.length, 6);
    for (let whole = 0; whole < all.length; whole++) {
      while (lists.length === whole) await new Promise(setImmediate);
      lists[whole]?.write(WHOLE);
    }
    await Promise.all(all);
    assert.equal(server.count(), 30);
  });
});
