import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { countDropped, newTap } from './tap.ts';

describe('the taps of a fused pod', () => {
  it('are written behind the direct path, one entry of a symbol under way and one behind it, and count what Redis did not get', async () => {
    const registry = new Registry();
    const dropped = countDropped(registry);
    const written: number[] = [];
    let answer: (() => void) | undefined;
    const tap = newTap<{ symbol: string; seq: number }>(dropped, 'signals', ({ seq }) => {
      written.push(seq);
      return new Promise<void>((resolve) => (answer = resolve));
    });
    for (const seq of [1, 2, 3, 4]) tap({ symbol: 'S', seq });
    assert.deepEqual(written, [], 'not within the call');
    await new Promise(setImmediate);
    assert.deepEqual(written, [1]);
    answer?.();
    await new Promise(setImmediate);
    assert.deepEqual(written, [1, 4]);
    const text = await registry.metrics();
    assert.match(text, /^tradewind_tap_dropped_total\{stream="signals"\} 2$/m);
    assert.match(text, /^tradewind_tap_dropped_total\{stream="features"\} 0$/m);
  });
});
