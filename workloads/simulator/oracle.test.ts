import assert from 'node:assert/strict';
import { expectedBps, newMarket, PRESSURE_SD, stepMarket, type MarketOptions } from './market.ts';
import { edgeOf } from './oracle.ts';
import { normalFrom, randomFrom } from './random.ts';
import { listingOf } from './synthetic.ts';

const MARKET: MarketOptions = { seed: 11, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };

/** Least squares through 0 of the returns over `horizon` seconds on what the provider claimed, over 3,000 horizons. */
function slopeOf(planted: { slope: number; noiseBps: number }, horizon: number): number {
  const market = newMarket([listingOf('BTCUSDT')], MARKET);
  const normal = normalFrom(randomFrom(5));
  const [instrument] = market.instruments;
  let [sxx, sxy] = [0, 0];
  for (let i = 0; i < 3_000; i++) {
    const { pressure, mid } = instrument!;
    const known = {
      bps: expectedBps(MARKET, pressure, horizon),
      sdBps: expectedBps(MARKET, PRESSURE_SD, horizon),
    };
    const edge = edgeOf(known, { ...planted, normal: normal() });
    for (let second = 0; second < horizon; second++) stepMarket(market, 1);
    sxx += edge * edge;
    sxy += edge * 1e4 * (instrument!.mid / mid - 1);
  }
  return sxy / sxx;
}

describe('what a simulated provider claims', () => {
  for (const [slope, noiseBps] of [
    [1, 0],
    [0.5, 0],
    [0.3, 10],
  ] as const)
    it(`is worth ${slope} of itself, with noise of ${noiseBps} bps`, function () {
      this.timeout(20_000);
      const found = slopeOf({ slope, noiseBps }, 10);
      assert.ok(Math.abs(found - slope) < 0.08, `${found}`);
    });
  it('stays within what the contract allows', () => {
    const edge = edgeOf({ bps: 50, sdBps: 10 }, { slope: 0.1, noiseBps: 0, normal: 0 });
    assert.equal(edge, 100);
  });
  it('is nothing, and no number that is none, where the market is noise', () =>
    assert.equal(edgeOf({ bps: 0, sdBps: 0 }, { slope: 1, noiseBps: 0, normal: 2 }), 0));
});
