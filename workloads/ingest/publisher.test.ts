import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Features } from '../contract/messages.ts';
import { newPublisher } from './publisher.ts';

const features = (symbol: string, seq: number): Features => ({ symbol, seq }) as Features;

describe('publisher', () => {
  it('sends one of a symbol at a time and then only the newest', async () => {
    const sent: string[] = [];
    const done: (() => void)[] = [];
    const publisher = newPublisher((key, { seq }) => {
      sent.push(`${key} ${seq}`);
      return new Promise<void>((resolve) => done.push(resolve));
    });
    for (const seq of [1, 2, 3]) publisher.publish(features('BTC-USD', seq));
    publisher.publish(features('ETH-USD', 1));
    assert.deepEqual(sent, ['features:{BTC-USD} 1', 'features:{ETH-USD} 1']);
    done[0]?.();
    await new Promise(setImmediate);
    assert.deepEqual(sent.slice(2), ['features:{BTC-USD} 3']);
    assert.equal(publisher.unsent(), 1);
  });

  it('goes on after Redis refused', async () => {
    let isAway = true;
    const sent: number[] = [];
    const publisher = newPublisher((_, { seq }) => {
      if (isAway) return Promise.reject(new Error('away'));
      sent.push(seq);
      return Promise.resolve();
    });
    publisher.publish(features('BTC-USD', 1));
    await new Promise(setImmediate);
    isAway = false;
    publisher.publish(features('BTC-USD', 2));
    await new Promise(setImmediate);
    assert.deepEqual(sent, [2]);
    assert.equal(publisher.unsent(), 1);
  });
});
