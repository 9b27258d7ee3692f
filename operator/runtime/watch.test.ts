import assert from 'node:assert/strict';
import { pino } from 'pino';
import { PODS } from '../kinds.ts';
import { aLoopback } from '../test/loopback.ts';
import { Store } from './store.ts';
import { watch } from './watch.ts';

const EXPIRED = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } };
const BOOKMARK = {
  type: 'BOOKMARK',
  object: { metadata: { name: '', resourceVersion: '5', annotations: { 'k8s.io/initial-events-end': 'true' } } },
};

/** When the server is asked, ms after its first time, and what is logged, until its fourth: every watch ends with `lines`. */
async function insisted(lines: readonly object[]): Promise<{ asked: number[]; hurries: number; logged: string[] }> {
  const times: number[] = [];
  const fourth = Promise.withResolvers<void>();
  const server = await aLoopback((stream) => {
    times.push(performance.now());
    if (times.length === 4) fourth.resolve();
    stream.respond({ ':status': 200 });
    stream.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
  const stopping = new AbortController();
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  let hurries = 0;
  const watching = watch({
    api: server.api,
    resource: PODS,
    store: new Store(),
    log,
    random: () => 1,
    onRecovered: () => (hurries += 1),
    signal: stopping.signal,
  });
  await fourth.promise;
  stopping.abort();
  await watching;
  server.close();
  return { asked: times.map((time) => time - (times[0] ?? 0)), hurries, logged };
}

describe('a watch that does not last', () => {
  for (const [title, lines] of [
    ['ends at once', []],
    ['ends at once though its list is whole', [BOOKMARK]],
    ['ends with an error', [EXPIRED]],
    ['ends with an error though its list is whole', [BOOKMARK, EXPIRED]],
  ] as const)
    it(`is tried again at once, and then ever more slowly, when it ${title}`, async () => {
      const { asked, hurries } = await insisted(lines);
      const [, second = 0, third = 0, fourth = 0] = asked;
      assert.ok(third - second >= 95 && fourth - third >= 195, asked.join());
      assert.equal(hurries, 1, 'whoever waits is told once');
    });
  it('says what the server said', async () => {
    const { logged } = await insisted([EXPIRED]);
    assert.match(logged.join(), /"code":"Expired","reason":"the watch ended with an error: too old"/);
  });
});

describe('a streaming list whose end does not come', () => {
  it('is given up for one in pages, and the watch goes on from there', async () => {
    const asked: string[] = [];
    const pod = { metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '4' } };
    const server = await aLoopback((stream, path) => {
      asked.push(path.replace(/.*(sendInitialEvents|limit|resourceVersion)=(\w+).*/, '$1=$2'));
      stream.respond({ ':status': 200 });
      if (path.includes('limit=')) stream.end(JSON.stringify({ metadata: { resourceVersion: '5' }, items: [pod] }));
      else if (path.includes('sendInitialEvents')) stream.write(`${JSON.stringify({ type: 'ADDED', object: pod })}\n`);
    });
    const stopping = new AbortController();
    const store = new Store();
    const synced = Promise.withResolvers<void>();
    const log = pino({ level: 'silent' });
    const { signal } = stopping;
    const watching = watch({
      api: server.api,
      resource: PODS,
      store,
      log,
      silentMs: 30,
      onSynced: synced.resolve,
      signal,
    });
    await synced.promise;
    assert.equal(store.get('n/a')?.metadata.uid, 'u');
    while (asked.length < 3) await new Promise(setImmediate);
    assert.deepEqual(asked, ['sendInitialEvents=true', 'limit=500', 'resourceVersion=5']);
    stopping.abort();
    await watching;
    server.close();
  });
});
