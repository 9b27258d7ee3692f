import assert from 'node:assert/strict';
import {
  afterNoTradeBand,
  bandOf,
  capFraction,
  costBps,
  lotsToTrade,
  scaleBps,
  sigmaOverBps,
  wantedFraction,
  type BandInput,
  type LotInput,
} from './size.ts';
import { randomFrom } from '../simulator/random.ts';

/** 20,000 random states of a size, seeded. */
function states(visit: (state: BandInput & { held: number; more: number }) => void): void {
  const random = randomFrom(3);
  for (let i = 0; i < 20_000; i++)
    visit({
      edgeBps: (random() - 0.5) * 100,
      costBps: random() < 0.1 ? 0 : random() * 20,
      scaleBps: random() < 0.05 ? 0 : random() * 40,
      cap: random() * 0.3,
      spot: false,
      held: (random() - 0.5) * 0.8,
      more: random() * 10,
    });
}
const EPSILON = 1e-12;

describe('cost, scale and cap', () => {
  it('adds what one trade costs', () => {
    const costs = { feeBps: 3, slippageBps: 1, bufferBps: 2.5, impactBps: 1.5 };
    assert.equal(costBps(costs, 0.2), 8.1);
  });

  it('scales σ by the root of time and adds what the blend errs', () => {
    assert.ok(Math.abs(sigmaOverBps(0.0314, 86_400) - 314) < 1e-9);
    assert.equal(scaleBps(3, 16), 2.5);
  });

  it('is proportional to the Kelly fraction', () => {
    const at = (kellyFraction: number): number =>
      capFraction({ kellyFraction, kellyReference: 0.25, positionCap: 0.2, varCap: 0.26, drawdownFactor: 1 });
    assert.ok(Math.abs(at(0.2) - 0.16) < EPSILON);
    assert.ok(Math.abs(at(0.15) / at(0.2) - 0.75) < EPSILON);
  });
});

describe('band and wanted position (20,000 random states)', () => {
  it('is odd', () =>
    states((s) => {
      const { lo, hi } = bandOf(s);
      const mirror = bandOf({ ...s, edgeBps: -s.edgeBps });
      assert.ok(Math.abs(lo + mirror.hi) < EPSILON && Math.abs(hi + mirror.lo) < EPSILON);
      assert.ok(Math.abs(wantedFraction(s.held, { lo, hi }) + wantedFraction(-s.held, mirror)) < EPSILON);
    }));

  it('trades nothing on an identical second call', () =>
    states((s) => {
      const band = bandOf(s);
      const once = afterNoTradeBand(s.held, wantedFraction(s.held, band), s.cap, 0.2);
      const twice = afterNoTradeBand(once, wantedFraction(once, band), s.cap, 0.2);
      assert.ok(Math.abs(once - twice) < EPSILON);
    }));

  it('rises with the edge and with the held position', () =>
    states((s) => {
      const band = bandOf(s);
      const higher = bandOf({ ...s, edgeBps: s.edgeBps + s.more });
      assert.ok(wantedFraction(s.held, higher) >= wantedFraction(s.held, band) - EPSILON);
      assert.ok(wantedFraction(s.held + s.more, band) >= wantedFraction(s.held, band) - EPSILON);
    }));

  it('never exceeds the cap, nor goes short on spot', () =>
    states((s) => {
      assert.ok(Math.abs(wantedFraction(s.held, bandOf(s))) <= s.cap + EPSILON);
      const spot = bandOf({ ...s, spot: true });
      assert.ok(wantedFraction(s.held, spot) >= 0 && spot.hi >= spot.lo);
    }));

  it('trades no more where it costs more or the band is wider', () =>
    states((s) => {
      const change = (cost: number, share: number): number => {
        const wanted = wantedFraction(s.held, bandOf({ ...s, costBps: cost }));
        return Math.abs(afterNoTradeBand(s.held, wanted, s.cap, share) - s.held);
      };
      const unbanded = (cost: number): number =>
        Math.abs(wantedFraction(s.held, bandOf({ ...s, costBps: cost })) - s.held);
      assert.ok(unbanded(s.costBps + s.more) <= unbanded(s.costBps) + EPSILON);
      assert.ok(change(s.costBps, 0.3) <= change(s.costBps, 0.1) + EPSILON);
    }));

  it('scales lo and hi exactly with the Kelly fraction', () =>
    states((s) => {
      const full = bandOf({ ...s, cap: s.cap });
      const cut = bandOf({ ...s, cap: s.cap * 0.75 });
      assert.ok(Math.abs(cut.lo - 0.75 * full.lo) < 1e-15 && Math.abs(cut.hi - 0.75 * full.hi) < 1e-15);
    }));

  it('stays flat while the edge does not pay its cost', () =>
    states((s) => {
      if (Math.abs(s.edgeBps) <= s.costBps) assert.equal(Math.abs(wantedFraction(0, bandOf(s))), 0);
    }));

  it('is Lipschitz in the edge with constant A/S', () =>
    states((s) => {
      if (s.scaleBps === 0) return;
      const step = wantedFraction(s.held, bandOf({ ...s, edgeBps: s.edgeBps + 1e-3 }));
      const moved = Math.abs(step - wantedFraction(s.held, bandOf(s)));
      assert.ok(moved <= (s.cap / s.scaleBps) * 1e-3 + EPSILON);
    }));

  it('is finite at the extremes', () => {
    for (const scale of [0, 1e-300, 1e300, Infinity])
      for (const edgeBps of [-100, 0, 8, 100])
        for (const cost of [0, 8]) {
          const { lo, hi } = bandOf({ edgeBps, costBps: cost, scaleBps: scale, cap: 0.2, spot: false });
          assert.ok(Number.isFinite(lo) && Number.isFinite(hi) && lo <= hi);
        }
  });

  it('sells nothing on a rising edge, and turns only after 2K', () => {
    const random = randomFrom(5);
    for (let path = 0; path < 300; path++) {
      const base = { costBps: 1 + random() * 9, scaleBps: 1 + random() * 20, cap: 0.2, spot: false };
      let held = 0;
      let edgeBps = -40;
      for (let i = 0; i < 40; i++) {
        edgeBps += random() * 3;
        const wanted = wantedFraction(held, bandOf({ ...base, edgeBps }));
        if (i > 0) assert.ok(wanted >= held);
        held = wanted;
      }
      const turn = edgeBps - 2 * base.costBps;
      assert.equal(wantedFraction(held, bandOf({ ...base, edgeBps: turn + 1e-6 })), held);
    }
  });
});

describe('afterNoTradeBand', () => {
  it('holds a small change, takes a large one, and always takes 0', () => {
    assert.equal(afterNoTradeBand(0.1, 0.12, 0.2, 0.2), 0.1);
    assert.equal(afterNoTradeBand(0.1, 0.15, 0.2, 0.2), 0.15);
    assert.equal(afterNoTradeBand(0.01, 0, 0.2, 0.2), 0);
  });

  it('trims only beyond 1.05 of the cap, and back to the cap', () => {
    assert.equal(afterNoTradeBand(0.209, 0.19, 0.2, 0.2), 0.209);
    assert.equal(afterNoTradeBand(0.211, 0.19, 0.2, 0.2), 0.2);
    assert.equal(afterNoTradeBand(-0.211, -0.19, 0.2, 0.2), -0.2);
  });
});

describe('lotsToTrade', () => {
  const input = (change: Partial<LotInput> = {}): LotInput => ({
    target: 0.05,
    heldLots: 0,
    capitalUsd: 1_000_000,
    price: 50_000,
    quantityScale: 1e5,
    lotStep: 1,
    minNotionalUsd: 10,
    maxOrderLots: 1e6,
    maxOrderNotionalUsd: 1e6,
    ...change,
  });

  it('rounds toward the held position', () => {
    assert.deepEqual(lotsToTrade(input()), { lots: 100_000, clipped: false });
    assert.equal(lotsToTrade(input({ target: 0.0500004 })).lots, 100_000);
    assert.equal(lotsToTrade(input({ target: 0.0500004, lotStep: 1_000 })).lots, 100_000);
    assert.equal(lotsToTrade(input({ target: 0.0499996, heldLots: 200_000 })).lots, -100_000);
  });

  it('clips to the largest order', () => {
    assert.deepEqual(lotsToTrade(input({ maxOrderLots: 70_000 })), { lots: 70_000, clipped: true });
    assert.deepEqual(lotsToTrade(input({ maxOrderNotionalUsd: 25_000 })), { lots: 50_000, clipped: true });
  });

  it('holds below the minimum notional, and leaves no remainder below it', () => {
    assert.equal(lotsToTrade(input({ target: 0.000009 })).lots, 0);
    assert.equal(lotsToTrade(input({ target: 0.000009, heldLots: 200 })).lots, -200);
    assert.equal(lotsToTrade(input({ target: 0, heldLots: 19 })).lots, 0);
    assert.deepEqual(lotsToTrade(input({ target: 0, heldLots: 100_010, maxOrderLots: 100_000 })), {
      lots: -99_990,
      clipped: true,
    });
  });

  it('closes before it turns', () => {
    assert.equal(lotsToTrade(input({ target: -0.05, heldLots: 100_000 })).lots, -100_000);
    assert.equal(lotsToTrade(input({ target: 0.05, heldLots: -100_000 })).lots, 100_000);
  });

  it('keeps every promise for random inputs', () => {
    const random = randomFrom(11);
    for (let i = 0; i < 20_000; i++) {
      const one = input({
        target: (random() - 0.5) * 0.6,
        heldLots: Math.round((random() - 0.5) * 400_000),
        price: 1 + random() * 1e5,
        lotStep: random() < 0.5 ? 1 : 10,
        maxOrderLots: Math.round(random() * 300_000),
        maxOrderNotionalUsd: random() * 200_000,
      });
      const { lots } = lotsToTrade(one);
      const perLot = one.price / one.quantityScale;
      const aim = (one.target * one.capitalUsd) / perLot;
      const after = one.heldLots + lots;
      assert.ok(Math.abs(lots) <= one.maxOrderLots && Math.abs(lots) * perLot <= one.maxOrderNotionalUsd);
      assert.ok(lots === 0 || Math.abs(lots) * perLot >= one.minNotionalUsd);
      assert.ok(after * one.heldLots >= 0, 'through 0');
      assert.ok(lots * (aim - one.heldLots) >= 0, 'away from the target');
      assert.ok(after === 0 || lots === 0 || Math.abs(lots) <= Math.abs(aim - one.heldLots) + 1, 'beyond the target');
    }
  });

  it('holds without a price', () => {
    for (const price of [0, NaN, -1]) assert.equal(lotsToTrade(input({ price })).lots, 0);
    assert.equal(lotsToTrade(input({ target: NaN })).lots, 0);
  });
});
