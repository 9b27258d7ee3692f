import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { decodeOrder } from './order.ts';

const order = {
  kind: 'new',
  id: 'demo-BTC-1-7',
  symbol: 'BTC-USD',
  side: 'buy',
  lots: 5,
  limitTicks: 6_183_764,
  reduceOnly: false,
  timeInForce: 'IOC',
  epoch: 3,
  t: 1,
};

describe('decodeOrder', () => {
  it('reads the three requests', () => {
    assert.deepEqual(decodeOrder(JSON.stringify(order)), order);
    const cancel = { kind: 'cancel', id: 'a', symbol: 'BTC-USD', epoch: 3, t: 1 };
    assert.deepEqual(decodeOrder(JSON.stringify(cancel)), cancel);
    assert.deepEqual(decodeOrder(JSON.stringify({ ...cancel, kind: 'reconcile' })), { ...cancel, kind: 'reconcile' });
  });

  it('names what is wrong', () => {
    const problemOf = (value: unknown): string => {
      const decoded = decodeOrder(JSON.stringify(value));
      return decoded.kind === 'unreadable' ? decoded.problem : '';
    };
    assert.match(problemOf({ ...order, id: 'x'.repeat(37) }), /^id: /);
    assert.match(problemOf({ ...order, timeInForce: 'GTC' }), /^timeInForce: /);
    assert.match(problemOf({ ...order, epoch: undefined }), /^epoch: /);
    assert.match(problemOf({ kind: 'replace' }), /^kind: /);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => void decodeOrder(text)),
      { numRuns: 300 },
    );
  });
});
