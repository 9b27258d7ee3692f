// Streams against a real Redis: who may pass over an entry, who must not, and how old an entry is.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { append, readStreams, type ReadOptions } from '../streams.ts';
import { eventually, startRedis, type TestRedis } from './redis.ts';

const KEY = 'orders:{BTC-USD}';
/** By how much the time that Redis says may be missed, on a machine that stutters while it is asked. */
const MISSED_MS = 1_000;

/** This process and Redis have one clock here: by it, `id` is that old, or was a moment ago. */
const assertIsAge = (ageMs: number, id: string): void => {
  const wallAgeMs = Date.now() - Number.parseInt(id, 10);
  assert.ok(Math.abs(wallAgeMs - ageMs) < MISSED_MS, `${ageMs} ms, by the wall clock ${wallAgeMs}`);
};

describe('reading streams', () => {
  let server: TestRedis;
  before(async () => (server = await startRedis()));
  const stop = new AbortController();
  after(async () => {
    stop.abort();
    await server.stop();
  });
  const logged: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
  const read = async (from: ReadOptions['from'], onMessage: ReadOptions['onMessage'], signal = stop.signal) =>
    readStreams({ redis: await server.client(), keys: [KEY], from, onMessage, log, signal });
  const add = async (message: string): Promise<string> => append(await server.client(), KEY, message, 1_000);

  it('logs an entry that newest readers could not handle, once, and goes on', async () => {
    const seen: string[] = [];
    void read('newest', (_key, _id, data) => {
      seen.push(data);
      if (data.includes('bad')) throw new Error('no such thing');
    });
    await eventually('reading', async () => {
      await add('good');
      return seen[0];
    });
    const id = await add('bad');
    await add('last');
    await eventually('the one behind it', () => seen.find((data) => data.includes('last')));
    assert.equal(seen.filter((data) => data.includes('bad')).length, 1);
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', new RegExp(`${id}.*entry not handled`));
  });

  it('rejects with the error where each entry must be handled once', async () => {
    const from = { [KEY]: await add('before') };
    await add('first');
    await add('second');
    const seen: string[] = [];
    const reading = read(from, (_key, _id, data) => {
      seen.push(data);
      throw new Error('disk full');
    });
    await assert.rejects(reading, /disk full/);
    assert.deepEqual(seen, ['"first"']);
  });

  it('does not take a handler’s rejection for an absent Redis', async () => {
    const from = { [KEY]: await add('before') };
    await add('one');
    await assert.rejects(
      read(from, () => Promise.reject(new Error('later'))),
      /later/,
    );
  });

  it('hands out nothing before Redis has said what time it is', async () => {
    const admin = await server.client();
    const from = { [KEY]: await add('before') };
    await add('one');
    await admin.acl('SETUSER', 'default', '-time');
    const ages: number[] = [];
    const enough = new AbortController();
    const onMessage = (_key: string, id: string, _data: string, ageMs: number): void => {
      ages.push(ageMs);
      assertIsAge(ageMs, id);
      enough.abort();
    };
    const reading = read(from, onMessage, enough.signal);
    await eventually('asked in vain', async () => ((await admin.acl('LOG')) as unknown[])[0]);
    assert.deepEqual(ages, []);
    await admin.acl('SETUSER', 'default', '+time');
    await reading;
    assert.equal(ages.length, 1);
  });

  it('tells each entry’s age by the clock of Redis, the reader’s delay included', async () => {
    const from = { [KEY]: await add('before') };
    const ids = [await add('one'), await add('two')];
    await delay(600);
    const ages: number[] = [];
    const enough = new AbortController();
    await read(
      from,
      async (_key, id, _data, ageMs) => {
        ages.push(ageMs);
        assertIsAge(ageMs, id);
        await delay(80);
        if (ages.length === 2) enough.abort();
      },
      enough.signal,
    );
    const [first = 0, second = 0] = ages;
    // The second was taken later, by as much as its client needed to connect.
    const [one = 0, two = 0] = ids.map((id) => Number.parseInt(id, 10));
    assert.ok(first >= 300, `${first}`); // less half of what it took to ask Redis for its time
    assert.ok(two + second - (one + first) > 70, `${second - first}, of entries ${two - one} ms apart`);
  });
});
