// Halts of the synthetic market, by themselves and on request.
import assert from 'node:assert/strict';
import { halt, newMarket, stepMarket, type MarketOptions } from './market.ts';
import { listingOf } from './synthetic.ts';

const OPTIONS: MarketOptions = { seed: 5, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };

describe('halts of the market', () => {
  const halts = { everySeconds: 20, lastsSeconds: 5 };
  const two = [listingOf('BTCUSDT'), listingOf('ETHUSDT')];
  /** What each step changed, as text, and of which instruments. */
  const run = (more: object, steps = 600) => {
    const market = newMarket(two, { ...OPTIONS, ...more });
    const changes = Array.from({ length: steps }, () => stepMarket(market, 0.1));
    const texts = changes.map((of) =>
      JSON.stringify(of.map(({ instrument: { listing }, ...change }) => [listing, change])),
    );
    return { market, texts, names: changes.map((of) => of.map(({ instrument }) => instrument.listing.symbol)) };
  };

  it('are none that the market without them would know of, until the first', () => {
    const [without, rare, often] = [run({}), run({ halts: { ...halts, everySeconds: 1e9 } }), run({ halts })];
    assert.deepEqual(rare.texts, without.texts);
    const first = often.names.findIndex((names) => names.length < 2);
    assert.ok(first > 10);
    assert.deepEqual(often.texts.slice(0, first), without.texts.slice(0, first));
  });

  it('come to each instrument by itself, as often and for as long as they should, the same again from the same seed', () => {
    const market = newMarket(two, { ...OPTIONS, halts: { everySeconds: 3, lastsSeconds: 1 } });
    const names = Array.from({ length: 10_000 }, () =>
      stepMarket(market, 0.1).map(({ instrument }) => instrument.listing.symbol),
    );
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      const isOut = names.map((of) => !of.includes(symbol));
      const begun = isOut.filter((out, i) => out && isOut[i - 1] !== true).length;
      const share = isOut.filter(Boolean).length / isOut.length;
      assert.ok(Math.abs(begun - 250) < 60, `${begun} halts`);
      assert.ok(Math.abs(share - 0.25) < 0.06, `${share}`);
    }
    assert.ok(names.some((of) => of.length === 0) && names.some((of) => of.length === 1));
    assert.deepEqual(run({ halts }).texts, run({ halts }).texts);
  });

  it('stop trades and quotes, not the price: it opens at another, with a book in order and ids in a row', () => {
    const { market } = run({}, 10);
    const btc = market.instruments[0]!;
    const before = { mid: btc.mid, bid: btc.bestBid, lastId: btc.lastId, tradeId: btc.tradeId };
    halt(btc, 60);
    const during = Array.from({ length: 599 }, () => stepMarket(market, 0.1));
    assert.ok(during.every((of) => of.length === 1 && of[0]!.instrument !== btc));
    assert.deepEqual([btc.bestBid, btc.lastId, btc.tradeId], [before.bid, before.lastId, before.tradeId]);
    let reopened = stepMarket(market, 0.1);
    while (reopened.length < 2) reopened = stepMarket(market, 0.1);
    const change = reopened.find(({ instrument }) => instrument === btc)!;
    assert.notEqual(btc.mid, before.mid);
    assert.deepEqual([change.firstId, change.bestChanged], [before.lastId + 1, true]);
    assert.ok(btc.bestBid < btc.bestAsk && Math.abs(btc.bestBid / (btc.mid * 100) - 1) < 1e-4);
    assert.ok([...btc.bids.keys()].every((ticks) => ticks <= btc.bestBid));
    assert.ok([...btc.asks.keys()].every((ticks) => ticks >= btc.bestAsk));
  });
});
