import assert from 'node:assert/strict';
import { newMarket, stepMarket, type Change, type MarketOptions } from './market.ts';
import { depthOf, listingOf } from './synthetic.ts';

const OPTIONS: MarketOptions = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };
const aMarket = (more: Partial<MarketOptions> = {}) =>
  newMarket([listingOf('BTCUSDT'), listingOf('ETHUSDT')], { ...OPTIONS, ...more });
const shown = ({ instrument, ...change }: Change) => ({ ...change, symbol: instrument.listing.symbol });

describe('the synthetic market', () => {
  it('is the same for the same seed, and another for another', () => {
    const run = (seed: number) => {
      const market = aMarket({ seed });
      return Array.from({ length: 20 }, () => stepMarket(market, 0.1).map(shown));
    };
    assert.deepEqual(run(7), run(7));
    assert.notDeepEqual(run(7), run(8));
  });

  it('has a book that is never crossed, shows its pressure, and is what its differences make', () => {
    const market = aMarket();
    const replica = market.instruments.map(({ bids, asks }) => ({ bids: new Map(bids), asks: new Map(asks) }));
    const lastIds = market.instruments.map(({ lastId }) => lastId);
    for (let i = 0; i < 2_000; i++) {
      stepMarket(market, 0.1).forEach((change, k) => {
        const { instrument } = change;
        assert.equal(change.firstId, lastIds[k]! + 1);
        lastIds[k] = change.lastId;
        for (const side of ['bids', 'asks'] as const) {
          for (const [ticks, lots] of change[side]) {
            if (lots === 0) replica[k]![side].delete(ticks);
            else replica[k]![side].set(ticks, lots);
          }
        }
        const [bid, ask] = [Math.max(...instrument.bids.keys()), Math.min(...instrument.asks.keys())];
        assert.ok(bid < ask, `${bid} < ${ask}`);
        assert.deepEqual([bid, ask], [instrument.bestBid, instrument.bestAsk]);
        const [B, A] = [instrument.bids.get(bid)!, instrument.asks.get(ask)!];
        assert.ok(Math.abs((B - A) / (B + A) - instrument.pressure) < 0.01);
        for (const { lots, ticks } of change.trades) assert.ok(lots > 0 && ticks > 0);
      });
    }
    market.instruments.forEach(({ bids, asks }, k) => assert.deepEqual(replica[k], { bids, asks }));
  });

  it('takes an order of 100,000 USD within 1 bp behind the best level', () => {
    const market = aMarket();
    for (let i = 0; i < 200; i++) stepMarket(market, 0.1);
    for (const { asks, bestAsk, listing } of market.instruments) {
      let left = 100_000;
      for (const [ticks, lots] of [...asks].sort(([a], [b]) => a - b)) {
        left -= (lots / listing.quantityScale) * (ticks / listing.priceScale);
        assert.ok(ticks < bestAsk * 1.0001 * 1.00001, 'walked further than 1 bp');
        if (left <= 0) break;
      }
      assert.ok(left <= 0);
    }
  });

  it('returns what was planted: 25 bps a minute at full pressure, a little less for the clamp; nothing without it', () => {
    for (const [plantedAlphaBps, low, high] of [
      [25, 19, 25],
      [0, -3, 3],
    ] as const) {
      // prettier-ignore
      const market = aMarket({ plantedAlphaBps, seed: 11 });
      const seen: { p: number; mid: number }[] = [];
      for (let i = 0; i < 12_000; i++) {
        stepMarket(market, 2);
        const [btc] = market.instruments;
        seen.push({ p: btc!.pressure, mid: btc!.mid });
      }
      let [xy, xx] = [0, 0];
      for (let i = 0; i + 30 < seen.length; i++) {
        const { p, mid } = seen[i]!;
        xy += p * 1e4 * (seen[i + 30]!.mid / mid - 1);
        xx += p * p;
      }
      assert.ok(xy / xx > low && xy / xx < high, `slope ${xy / xx}`);
    }
  });

  it('shows its book as Binance does: decimal texts, best first', () => {
    const [btc] = aMarket().instruments;
    const { bids, asks, lastUpdateId } = depthOf(btc!);
    assert.equal(lastUpdateId, btc!.lastId);
    assert.match(bids[0]![0], /^\d+\.\d{8}$/);
    assert.ok(Number(bids[0]![0]) > Number(bids[1]![0]) && Number(asks[0]![0]) < Number(asks[1]![0]));
  });
});
