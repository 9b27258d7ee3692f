import assert from 'node:assert/strict';
import { dailyBars } from './bars.ts';

const DAY_MS = 86_400_000;
const NOW = 20_000 * DAY_MS + 5_000_000;
const BTC = { symbol: 'BTC-USD', seed: 7, price: 61_800 };

describe('daily bars of the synthetic market', () => {
  it('are closed days, one after the other, each within its range, up to the price that it starts at', () => {
    const bars = dailyBars(BTC, NOW, 300);
    assert.deepEqual([bars.length, bars.at(-1)?.start, bars.at(-1)?.close], [300, 19_999 * 86_400, 61_800]);
    bars.forEach(({ start, open, high, low, close, volume }, i) => {
      assert.ok(low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close) && volume > 0);
      if (i > 0) assert.deepEqual([start, open], [bars[i - 1]!.start + 86_400, bars[i - 1]!.close]);
    });
  });
  it('are the same for the same seed and symbol, and have the returns of their days tomorrow, too', () => {
    const returns = (bars: typeof DAYS) => bars.map(({ open, close }) => (close / open).toFixed(9));
    const DAYS = dailyBars(BTC, NOW, 100);
    assert.deepEqual(dailyBars(BTC, NOW, 100), DAYS);
    assert.deepEqual(returns(dailyBars(BTC, NOW + DAY_MS, 101)).slice(0, 100), returns(DAYS));
    assert.notDeepEqual(returns(dailyBars({ ...BTC, seed: 8 }, NOW, 100)), returns(DAYS));
    assert.notDeepEqual(returns(dailyBars({ ...BTC, symbol: 'ETH-USD' }, NOW, 100)), returns(DAYS));
  });
  it('move as the market does: 60 % a year', () => {
    const returns = dailyBars(BTC, NOW, 4_000).map(({ open, close }) => close / open - 1);
    const annual = Math.sqrt((returns.reduce((sum, one) => sum + one * one, 0) / returns.length) * 365);
    assert.ok(Math.abs(annual / 0.6 - 1) < 0.05, `${annual}`);
  });
});
