import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { newestWins } from './outlet.ts';

interface Message {
  readonly symbol: string;
  readonly seq: number;
}

describe('an outlet where the newest wins', () => {
  it('sends one of a symbol at a time and then only the newest', async () => {
    const sent: string[] = [];
    const done: (() => void)[] = [];
    const outlet = newestWins<Message>(({ symbol, seq }) => {
      sent.push(`${symbol} ${seq}`);
      return new Promise<void>((resolve) => done.push(resolve));
    });
    for (const seq of [1, 2, 3]) outlet.publish({ symbol: 'BTC-USD', seq });
    outlet.publish({ symbol: 'ETH-USD', seq: 1 });
    assert.deepEqual(sent, ['BTC-USD 1', 'ETH-USD 1']);
    done[0]?.();
    await new Promise(setImmediate);
    assert.deepEqual(sent.slice(2), ['BTC-USD 3']);
    assert.equal(outlet.unsent(), 1);
  });

  it('goes on after Redis refused', async () => {
    let isAway = true;
    const sent: number[] = [];
    const outlet = newestWins<Message>(({ seq }) => {
      if (isAway) return Promise.reject(new Error('away'));
      sent.push(seq);
      return Promise.resolve();
    });
    outlet.publish({ symbol: 'BTC-USD', seq: 1 });
    await new Promise(setImmediate);
    isAway = false;
    outlet.publish({ symbol: 'BTC-USD', seq: 2 });
    await new Promise(setImmediate);
    assert.deepEqual(sent, [2]);
    assert.equal(outlet.unsent(), 1);
  });
});
