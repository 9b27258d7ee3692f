import assert from 'node:assert/strict';
import type { OrderRequest } from '../contract/messages.ts';
import { createOutbox } from './outbox.ts';
import type { NewOrder } from './state.ts';

const anOrder = (id: string): NewOrder => ({
  kind: 'new',
  id,
  symbol: 'BTC-USD',
  side: 'buy',
  lots: 1,
  limitTicks: 1,
  reduceOnly: false,
  timeInForce: 'IOC',
  epoch: 1,
  t: 0,
});
const aQuestion = (id: string): OrderRequest => ({ kind: 'reconcile', id, symbol: 'BTC-USD', epoch: 1, t: 0 });

/** An outbox on a volume that answers when the test says so. */
function opened() {
  const sent: string[] = [];
  const fatal: unknown[] = [];
  const unsent: string[] = [];
  const lease: { epoch: number | undefined } = { epoch: 1 };
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const outbox = createOutbox({
    intend: ({ id }) => {
      const answer = Promise.withResolvers<void>();
      waiting.set(id, answer);
      return answer.promise;
    },
    epoch: () => lease.epoch,
    onUnsent: ({ id }) => void unsent.push(id),
    send: ({ id }) => void sent.push(id),
    onFatal: (error) => void fatal.push(error),
  });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { sent, unsent, lease, fatal, waiting, outbox, settled };
}

describe('the outbox', () => {
  it('sends a question behind every order that was decided before it, however slow the volume is', async () => {
    const { sent, waiting, outbox, settled } = opened();
    outbox(anOrder('o1'));
    outbox(aQuestion('r1'));
    outbox(anOrder('o2'));
    await settled();
    assert.deepEqual(sent, []);
    waiting.get('o2')?.resolve();
    await settled();
    assert.deepEqual(sent, []);
    waiting.get('o1')?.resolve();
    await settled();
    assert.deepEqual(sent, ['o1', 'r1', 'o2']);
  });
  for (const epoch of [undefined, 2])
    it(`does not send what was decided under a lease that has ended since, ours now under ${epoch}, and says so`, async () => {
      const { sent, unsent, lease, waiting, outbox, settled } = opened();
      outbox(anOrder('o1'));
      outbox(aQuestion('r1'));
      lease.epoch = epoch;
      waiting.get('o1')?.resolve();
      await settled();
      assert.deepEqual([sent, unsent], [[], ['o1', 'r1']]);
    });
  it('sends nothing any more once an intent could not be written', async () => {
    const { sent, fatal, waiting, outbox, settled } = opened();
    outbox(anOrder('o1'));
    outbox(aQuestion('r1'));
    waiting.get('o1')?.reject(new Error('ENOSPC'));
    await settled();
    assert.deepEqual(sent, []);
    assert.ok(fatal.length > 0);
  });
});
