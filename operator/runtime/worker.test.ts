import assert from 'node:assert/strict';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { ApiError, FatalError } from './errors.ts';
import { controllerMetrics } from './metrics.ts';
import { Queue } from './queue.ts';
import { again, SETTLED, work, type Outcome } from './worker.ts';

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

const BUSY: Outcome = {
  kind: 'failed',
  error: new ApiError(429, 'busy', { retryAfterMs: 10_000 }),
  afterMs: undefined,
};

describe('a pass in which something was refused', () => {
  const failed = (status: number, afterMs?: number): Outcome => ({
    kind: 'failed',
    error: new ApiError(status, 'no'),
    afterMs,
  });
  for (const [title, outcome, due] of [
    ['is tried again soon where it may pass by itself', failed(500), 50],
    ['is tried again when the server said, not before', BUSY, 10_000],
    ['is tried again in a minute for want of a right', failed(403), 60_000],
    ['waits for a change where the object is wrong', failed(422), undefined],
    ['is looked at again in any case when a time comes, such as the end of a Hold', failed(422, 10_000), 10_000],
    ['keeps the earlier of both', failed(403, 10_000), 10_000],
  ] as const)
    it(title, async () => assert.equal(await dueAfter(outcome), due));
});

describe('each end of a reconcile', () => {
  const throwing = (error: unknown) => async (): Promise<Outcome> => {
    throw error;
  };
  const giving = (outcome: Outcome) => async (): Promise<Outcome> => outcome;
  for (const [title, reconcile, counted] of [
    ['settled', giving(SETTLED), ['success']],
    ['again', giving(again(1e6)), ['requeue_after']],
    ['a conflict', throwing(new ApiError(409, 'no')), ['error']],
    ['a right that is missing', throwing(new ApiError(403, 'no')), ['error']],
    ['a refusal', throwing(new ApiError(422, 'no')), ['error', 'terminal']],
    ['a bug', throwing(new TypeError('no')), ['error', 'panic']],
    ['a lease that is spent', throwing(new FatalError('spent')), ['error', 'fatal']],
  ] as const)
    it(`is counted as what it is: ${title}`, async () => {
      const queue = new Queue();
      const told: string[] = [];
      const metrics = {
        ...controllerMetrics(new Registry(), 'test'),
        began: () => (result: string) => void told.push(result),
        terminal: () => void told.push('terminal'),
        panicked: () => void told.push('panic'),
      };
      const log = pino({ level: 'silent' });
      const onFatal = (): void => void told.push('fatal');
      const working = work({ controller: 'test', queue, reconcile, metrics, log, onFatal }, 1);
      queue.add('key');
      while (!told.some((one) => /success|requeue_after|error/.test(one))) await new Promise(setImmediate);
      queue.close();
      await working;
      assert.deepEqual(told.sort(), [...counted].sort());
    });
});
