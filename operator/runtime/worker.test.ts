import assert from 'node:assert/strict';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { ApiError } from './errors.ts';
import { controllerMetrics } from './metrics.ts';
import { Queue } from './queue.ts';
import { work, type Outcome } from './worker.ts';

/** When the key is due again after one pass that gave `outcome`, ms; undefined where it is not. */
async function dueAfter(outcome: Outcome): Promise<number | undefined> {
  const clock = { now: 0 };
  const queue = new Queue({ now: () => clock.now, random: () => 1 });
  const passes: number[] = [];
  const working = work(
    {
      controller: 'test',
      queue,
      reconcile: async () => {
        passes.push(clock.now);
        return passes.length === 1 ? outcome : { kind: 'settled' };
      },
      metrics: controllerMetrics(new Registry(), 'test'),
      log: pino({ level: 'silent' }),
      onFatal: (error) => assert.fail(String(error)),
    },
    1,
  );
  queue.add('key');
  for (const at of [0, 50, 10_000, 60_000, 100_000]) {
    clock.now = at;
    queue.add('other', 1e9); // anything makes it look at the clock
    await new Promise(setImmediate);
  }
  queue.close();
  await working;
  return passes[1];
}

describe('a pass in which something was refused', () => {
  const failed = (status: number, afterMs?: number): Outcome => ({
    kind: 'failed',
    error: new ApiError(status, 'no'),
    afterMs,
  });
  for (const [title, outcome, due] of [
    ['is tried again soon where it may pass by itself', failed(500), 50],
    ['is tried again in a minute for want of a right', failed(403), 60_000],
    ['waits for a change where the object is wrong', failed(422), undefined],
    ['is looked at again in any case when a time comes, such as the end of a Hold', failed(422, 10_000), 10_000],
    ['keeps the earlier of both', failed(403, 10_000), 10_000],
  ] as const)
    it(title, async () => assert.equal(await dueAfter(outcome), due));
});
