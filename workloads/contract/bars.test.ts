import assert from 'node:assert/strict';
import { parseDailyBars } from './bars.ts';

describe('daily bars as text', () => {
  it('are read whole or not at all', () => {
    const bars = { source: 'binance', closes: [[86_400, 1.5], [172_800, 2]] }; // prettier-ignore
    assert.deepEqual(parseDailyBars(JSON.stringify(bars)), bars);
    for (const closes of [
      [[1, 0]],
      [[1, null]],
      [[1.5, 2]],
      [[1]],
      [[1, 2, 3]],
      [
        [2, 1],
        [2, 1],
      ],
      [
        [2, 1],
        [1, 1],
      ],
      'x',
    ])
      // prettier-ignore
      assert.equal(parseDailyBars(JSON.stringify({ ...bars, closes })), undefined, JSON.stringify(closes));
    for (const text of ['', '[]', '{"closes":[]}', '{"source":1,"closes":[]}'])
      assert.equal(parseDailyBars(text), undefined);
  });
});
