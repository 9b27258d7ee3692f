import assert from 'node:assert/strict';
import { newMarket, stepMarket, type Change, type MarketOptions } from './market.ts';
import { depthOf, listingOf } from './synthetic.ts';

const OPTIONS: MarketOptions = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };
const aMarket = (more: Partial<MarketOptions> = {}) =>
  newMarket([listingOf('BTCUSDT'), listingOf('ETHUSDT')], { ...OPTIONS, ...more });
const shown = ({ instrument, ...change }: Change) => ({ ...change, symbol: instrument.listing.symbol });

const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;
const covariance = (a: readonly number[], b: readonly number[]): number =>
  mean(a.map((one, i) => one * b[i]!)) - mean(a) * mean(b);

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
      const seen: { p: number; mid: number }[][] = [];
      for (let i = 0; i < 6_000; i++) {
        stepMarket(market, 2);
        seen.push(market.instruments.map(({ pressure, mid }) => ({ p: pressure, mid })));
      }
      let [xy, xx] = [0, 0];
      for (let i = 0; i + 30 < seen.length; i++) {
        seen[i]!.forEach(({ p, mid }, k) => {
          xy += p * 1e4 * (seen[i + 30]![k]!.mid / mid - 1);
          xx += p * p;
        });
      }
      assert.ok(xy / xx > low && xy / xx < high, `slope ${xy / xx}`);
    }
  });

  it('moves by 60 % a year and ρ .7 of noise, more and less so with the alpha, a spread of .2 bps', () => {
    for (const [plantedAlphaBps, volatility, correlation] of [
      [0, 0.6, 0.7],
      [25, 0.72, 0.5],
    ] as const) {
      const market = aMarket({ plantedAlphaBps, seed: 23 });
      const mids: number[][] = [];
      const spreads: number[] = [];
      for (let i = 0; i < 4_000; i++) {
        stepMarket(market, 5);
        mids.push(market.instruments.map(({ bestBid, bestAsk }) => (bestBid + bestAsk) / 2));
        for (const { bestBid, bestAsk } of market.instruments) spreads.push((2e4 * (bestAsk - bestBid)) / (bestBid + bestAsk)); // prettier-ignore
      }
      const returns = [0, 1].map((k) => mids.slice(1).map((mid, i) => mid[k]! / mids[i]![k]! - 1));
      const [btc, eth] = [covariance(returns[0]!, returns[0]!), covariance(returns[1]!, returns[1]!)];
      const rho = covariance(returns[0]!, returns[1]!) / Math.sqrt(btc * eth);
      for (const perStep of [btc, eth]) {
        const annual = Math.sqrt((perStep * 365 * 86_400) / 5);
        assert.ok(Math.abs(annual / volatility - 1) < 0.1, `volatility ${annual}, expected ${volatility}`);
      }
      assert.ok(Math.abs(rho - correlation) < 0.1, `ρ ${rho}, expected ${correlation}`);
      assert.ok(spreads.every((spread) => spread >= 0.2 && spread < 0.3));
    }
  });

  it('has calm and volatile times of the length and size that were asked for, and else the same market', () => {
    const regimes = { volatilityFactor: 4, calmSeconds: 60, volatileSeconds: 20 };
    const market = newMarket([listingOf('BTCUSDT')], { ...OPTIONS, plantedAlphaBps: 0, seed: 5, regimes });
    const seen = { Calm: { returns: [] as number[], trades: 0 }, Volatile: { returns: [] as number[], trades: 0 } };
    let changes = 0;
    for (let i = 0; i < 6_000; i++) {
      const before = market.instruments[0]!.mid;
      const was = market.regime;
      const [change] = stepMarket(market, 1);
      if (market.regime !== was) changes += 1;
      const of = seen[market.regime];
      of.returns.push(change!.instrument.mid / before - 1);
      of.trades += change!.trades.length;
    }
    const { Calm: calm, Volatile: volatile } = seen;
    const ratio = Math.sqrt(covariance(volatile.returns, volatile.returns) / covariance(calm.returns, calm.returns));
    assert.ok(Math.abs(ratio / 4 - 1) < 0.1, `volatility × ${ratio}`);
    assert.ok(
      Math.abs(volatile.returns.length / 6_000 - 0.25) < 0.12,
      `${volatile.returns.length} s of 6,000 volatile`,
    );
    assert.ok(Math.abs(changes - 150) < 50, `${changes} changes`);
    assert.ok(volatile.trades / volatile.returns.length > 3 * (calm.trades / calm.returns.length));
    const run = (more: Partial<MarketOptions>) => {
      const one = aMarket(more);
      return Array.from({ length: 50 }, () => stepMarket(one, 0.1).map(shown));
    };
    assert.deepEqual(run({ regimes: { ...regimes, calmSeconds: 1e9 } }), run({}));
  });

  it('shows its book as Binance does: decimal texts, best first', () => {
    const [btc] = aMarket().instruments;
    const { bids, asks, lastUpdateId } = depthOf(btc!);
    assert.equal(lastUpdateId, btc!.lastId);
    assert.match(bids[0]![0], /^\d+\.\d{8}$/);
    assert.ok(Number(bids[0]![0]) > Number(bids[1]![0]) && Number(asks[0]![0]) < Number(asks[1]![0]));
  });
});
