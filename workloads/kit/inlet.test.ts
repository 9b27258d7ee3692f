import assert from 'node:assert/strict';
import { directLine } from './inlet.ts';

function aLine() {
  const errors: unknown[] = [];
  const stop = new AbortController();
  const line = directLine<number>({ onError: (error) => errors.push(error), signal: stop.signal });
  return { errors, stop, ...line };
}

describe('a direct line', () => {
  it('hands each message over within the call, of no age', () => {
    const { inlet, give } = aLine();
    const heard: [number, number][] = [];
    void inlet((message, ageMs) => void heard.push([message, ageMs]));
    for (const message of [1, 2]) assert.equal(give(message), true);
    assert.deepEqual(heard, [[1, 0], [2, 0]]); // prettier-ignore
  });
  it('says that nobody reads, before and after', async () => {
    const { inlet, give, stop } = aLine();
    const heard: number[] = [];
    assert.equal(give(1), false);
    const reading = inlet((message) => void heard.push(message));
    stop.abort();
    assert.equal(give(2), false);
    await reading;
    assert.deepEqual(heard, []);
  });
  it('keeps what its reader throws from who gives, and goes on', () => {
    const { inlet, give, errors } = aLine();
    const heard: number[] = [];
    void inlet((message) => {
      if (message === 1) throw new Error('no');
      heard.push(message);
    });
    assert.deepEqual([give(1), give(2)], [true, true]);
    assert.deepEqual([errors.length, heard], [1, [2]]);
  });
});
