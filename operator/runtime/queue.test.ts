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
    queue.retry('a', 60_000);
    queue.hurry();
    assert.equal(await taken(queue), 'a');
    queue.close();
  });
  it('gives undefined once closed', async () => {
    const { queue } = aQueue();
    const waiting = queue.take();
    queue.close();
    assert.equal(await waiting, undefined);
  });
});
