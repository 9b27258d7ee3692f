import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from './queue.ts';

/** A queue whose clock stands still unless the test moves it. */
function aQueue() {
  const clock = { now: 0 };
  return { clock, queue: new Queue({ now: () => clock.now, random: () => 1 }) };
}
const taken = async (queue: Queue): Promise<string | undefined> =>
  Promise.race([queue.take(), new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))]);

const takenAll = async (queue: Queue, count: number): Promise<(string | undefined)[]> => {
  const keys: (string | undefined)[] = [];
  for (let i = 0; i < count; i++) keys.push(await taken(queue));
  return keys;
};

describe('the queue of keys', () => {
  it('holds a key once, however often it is added', async () => {
    const { queue } = aQueue();
    for (let i = 0; i < 3; i++) queue.add('a');
    queue.add('b');
    assert.equal(await taken(queue), 'a');
    assert.equal(await taken(queue), 'b');
    assert.equal(await taken(queue), undefined);
    queue.close();
  });
  it('never gives out a key that is worked on, and gives it again when it was added meanwhile', async () => {
    const { queue } = aQueue();
    queue.add('a');
    assert.equal(await queue.take(), 'a');
    queue.add('a');
    const next = queue.take();
    assert.equal(await Promise.race([next, Promise.resolve('nothing yet')]), 'nothing yet');
    queue.done('a');
    assert.equal(await next, 'a');
    queue.close();
  });
  it('waits for what is due in more than 24.8 days, though a timer cannot', async () => {
    let looks = 0;
    const now = (): number => {
      looks += 1;
      return 0;
    };
    const queue = new Queue({ now });
    queue.add('a', 30 * 86_400_000);
    void queue.take();
    const before = looks;
    await delay(20);
    assert.equal(looks, before);
    queue.close();
  });
  it('keeps the earlier of two times', async () => {
    const { queue, clock } = aQueue();
    queue.add('a', 5_000);
    queue.add('a', 1_000);
    queue.add('a', 9_000);
    clock.now = 1_000;
    assert.equal(await taken(queue), 'a');
    queue.close();
  });
  it('backs off twice as long after each failure, and anew after a success', async () => {
    const { queue, clock } = aQueue();
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      queue.retry('a');
      const started = clock.now;
      const given: (string | undefined)[] = [];
      const next = queue.take().then((key) => given.push(key));
      while (given.length === 0) {
        clock.now += 1;
        queue.add('other', 1e9); // anything makes it look at the clock
        await new Promise(setImmediate);
      }
      await next;
      waits.push(clock.now - started);
      queue.done('a');
      if (i === 2) queue.succeeded('a');
    }
    assert.deepEqual(waits, [50, 100, 200, 50]);
    queue.close();
  });
  it('hurries what backs off when the server is back', async () => {
    const { queue } = aQueue();
    queue.retry('a', { atLeastMs: 60_000 });
    queue.hurry();
    assert.equal(await taken(queue), 'a');
    queue.close();
  });
  it('shortens no pause that the server asked for, whatever happens', async () => {
    const { queue, clock } = aQueue();
    queue.retry('a', { askedMs: 3_000 });
    queue.hurry();
    queue.add('a');
    const given: (string | undefined)[] = [];
    const next = queue.take().then((key) => given.push(key));
    for (const at of [2_999, 3_000]) {
      clock.now = at;
      assert.deepEqual(given, []);
      queue.add('b', 1e9); // anything makes it look at the clock
      await new Promise(setImmediate);
    }
    await next;
    assert.deepEqual(given, ['a']);
    queue.close();
  });
  it('backs off no longer than 5 s where the server says when', async () => {
    const { queue, clock } = aQueue();
    for (let i = 0; i < 20; i++) {
      queue.retry('a', { askedMs: 1_000 });
      clock.now += 5_000;
      assert.equal(await taken(queue), 'a');
      queue.done('a');
    }
    queue.close();
  });
  it('gives what changed before what is only looked at again, though that was due first', async () => {
    const { queue, clock } = aQueue();
    for (const key of ['a', 'b', 'c']) queue.add(key, 0, 'resync');
    clock.now = 10;
    queue.add('d');
    queue.add('b');
    assert.deepEqual(await takenAll(queue, 4), ['b', 'd', 'a', 'c']);
    queue.close();
  });
  it('gives a key that changed and is to be looked at again as one that changed, at the earlier time', async () => {
    const { queue, clock } = aQueue();
    queue.add('a', 1_000, 'resync');
    queue.add('a', 5_000);
    queue.add('b', 999, 'resync');
    clock.now = 1_000;
    assert.deepEqual(await takenAll(queue, 3), ['a', 'b', undefined]);
    queue.close();
  });
  it('lets a resync wait no more than a second behind changes', async () => {
    const { queue, clock } = aQueue();
    queue.add('old', 0, 'resync');
    clock.now = 999;
    queue.add('a');
    clock.now = 1_001;
    queue.add('b');
    assert.deepEqual(await takenAll(queue, 3), ['a', 'old', 'b']);
    queue.close();
  });
  it('tells how many are due by cause, when they came due, and how long they waited', async () => {
    const clock = { now: 0 };
    const told: string[] = [];
    const queue = new Queue({
      now: () => clock.now,
      metrics: {
        depth: (cause, length) => told.push(`${cause} ${length}`),
        added: () => told.push('added'),
        retried: () => told.push('later'),
        waited: (seconds) => told.push(`waited ${seconds}`),
      },
    });
    queue.add('a', 0, 'resync');
    queue.add('a');
    queue.add('b', 1_000);
    clock.now = 3_000;
    await takenAll(queue, 2);
    assert.deepEqual(told, [
      // prettier-ignore
      'added',
      'resync 1',
      'resync 0',
      'added',
      'change 1',
      'later',
      // prettier-ignore
      'added',
      'change 2',
      'change 1',
      'waited 3',
      'change 0',
      'waited 2',
    ]);
    queue.close();
  });
  it('gives undefined once closed', async () => {
    const { queue } = aQueue();
    const waiting = queue.take();
    queue.close();
    assert.equal(await waiting, undefined);
  });
});
