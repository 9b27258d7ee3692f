import assert from 'node:assert/strict';
import { advancedCloses, advancedClosesPath, binanceCloses, ccxtCloses, DAYS, exchangeCloses, exchangeClosesPath } from './daily-closes.ts'; // prettier-ignore

const DAY = 86_400;
const NOW = Date.parse('2024-08-10T12:00:00Z');
const AUGUST_8 = 1_723_075_200;
const expected = [
  [AUGUST_8, 61_710.14],
  [AUGUST_8 + DAY, 60_837.99],
];

describe('daily closes', () => {
  it('are read from every venue’s candles, oldest first, without the day that is still open', () => {
    const days = [AUGUST_8, AUGUST_8 + DAY, AUGUST_8 + 2 * DAY] as const;
    const closes = ['61710.14', '60837.99', '1'];
    const binance = days.map((day, i) => [day * 1_000, '1', '1', '1', closes[i], '1', day * 1_000 + 86_399_999]);
    assert.deepEqual(binanceCloses(JSON.stringify(binance), NOW), expected);
    assert.deepEqual(ccxtCloses(days.map((day, i) => [day * 1_000, 1, 1, 1, Number(closes[i]), 1]), NOW), expected); // prettier-ignore
    const exchange = days.map((day, i) => [day, 1, 1, 1, Number(closes[i]), 1]).reverse();
    assert.deepEqual(exchangeCloses(JSON.stringify(exchange), NOW), expected);
    const candles = days.map((start, i) => ({ start: String(start), close: closes[i] })).reverse();
    assert.deepEqual(advancedCloses(JSON.stringify({ candles }), NOW), expected);
  });
  it('leave out what is no day, no price, or no candle, and are none where there is no list', () => {
    const bad = [[AUGUST_8 + 1, 1, 1, 1, 5, 1], [AUGUST_8, 1, 1, 1, 0, 1], [AUGUST_8, 1, 1, 1, null, 1], [AUGUST_8], null, 7, {}]; // prettier-ignore
    assert.deepEqual(exchangeCloses(JSON.stringify(bad), NOW), []);
    for (const text of ['', '{}', '{"candles":{}}', 'null'])
      for (const read of [binanceCloses, exchangeCloses, advancedCloses]) assert.equal(read(text, NOW), undefined);
    assert.equal(ccxtCloses(undefined, NOW), undefined);
  });
  it('are at most so many, the newest', () => {
    const many = Array.from({ length: 400 }, (_, i) => [AUGUST_8 - i * DAY, 1, 1, 1, 5, 1]);
    const read = exchangeCloses(JSON.stringify(many), NOW);
    assert.deepEqual([read?.length, read?.at(-1)?.[0]], [DAYS, AUGUST_8]);
  });
  it('are asked for over as many days as the venues allow', () => {
    assert.match(exchangeClosesPath('BTC-USD', NOW), /granularity=86400&start=2024-02-12T.*&end=2024-08-10T00/);
    assert.match(advancedClosesPath('BTC-USD', NOW), /ONE_DAY&start=1707696000&end=1723248000$/);
  });
});
