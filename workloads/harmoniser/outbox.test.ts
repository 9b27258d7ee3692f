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
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const outbox = createOutbox({
    intend: ({ id }) => {
      const answer = Promise.withResolvers<void>();
      waiting.set(id, answer);
      return answer.promise;
    },
    send: ({ id }) => void sent.push(id),
    onFatal: (error) => void fatal.push(error),
  });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { sent, fatal, waiting, outbox, settled };
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
