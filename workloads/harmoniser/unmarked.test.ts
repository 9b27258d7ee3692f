// A position whose symbol has never had a book: what it stops, and what it must not.
import assert from 'node:assert/strict';
import { riskView, shownVar } from './risk.ts';
import { decisions, Desk, orders, statusOf } from './test/desk.ts';
import { aPolicy } from './test/builders.ts';
import { withinVar } from './var.ts';

const BTC = 'BTC-USD';
/** Holds both; only BTC has a book. */
const aDesk = (lots = 150_000): Desk => new Desk().open({ cash: 8e11, positions: { [BTC]: lots, 'ETH-USD': 100_000 } });

describe('a position without a mark', () => {
  it('lets the others be reduced', () => {
    const desk = aDesk();
    const [order] = orders(desk.signal({ edges: [{ edgeBps: -60, confidence: 1 }] }));
    assert.deepEqual([order?.side, order?.reduceOnly], ['sell', true]);
  });
  it('lets nothing be opened, and says why', () => {
    const desk = aDesk(0);
    assert.deepEqual(orders(desk.signal({ edges: [{ edgeBps: 60, confidence: 1 }] })), []);
    assert.ok(desk.blocked().includes('VarLimit'));
    desk.now += 250;
    desk.signal({ symbol: 'ETH-USD', mid: 2_500, seq: 99 });
    desk.now += 250;
    assert.equal(orders(desk.signal({ edges: [{ edgeBps: 60, confidence: 1 }] })).length, 1, 'with its mark it may');
  });
  it('sells nothing by itself: neither cut nor breaker', () => {
    const desk = aDesk();
    for (let i = 0; i < 40; i++) {
      desk.signal();
      assert.deepEqual(orders(desk.tick()), []);
    }
    assert.deepEqual([desk.state.cut, desk.state.breaker.state], [undefined, 'CLOSED']);
  });
  it('does not keep the forced cut from what is marked', () => {
    const desk = aDesk(900_000); // 54 % of the capital
    desk.signal();
    desk.tick();
    assert.ok(desk.state.cut !== undefined);
    desk.tick(2_000);
    assert.equal(desk.state.breaker.state, 'CLOSED', 'the breaker wants every mark');
  });
  it('is shown as the worst that its account can hold, in status and in decisions, never as 0', () => {
    const desk = aDesk(0);
    const [decision] = decisions(desk.signal({ edges: [] }));
    const worst = 100 * 1.6448536 * 0.15;
    assert.ok(Math.abs(decision!.varPct - worst) < 1e-4, `${decision!.varPct}`);
    const status = statusOf(desk);
    assert.ok(Math.abs(status.varPct - worst) < 1e-4);
    assert.ok(Math.abs(status.symbols['ETH-USD']!.varPct - worst) < 1e-4);
  });
  it('adds to what the marked positions risk', () => {
    const desk = aDesk();
    desk.signal();
    const view = riskView(desk.state, aPolicy(), desk.now);
    const known = view.z * (view.sigmas[0] ?? 0) * (view.filled[0] ?? 0);
    assert.ok(Math.abs(shownVar(view, view.filled) - (known + view.z * 0.15)) < 1e-12);
  });
});

describe('VaR’s bound where the risk of the rest is unknown', () => {
  const unknown = { least: NaN, within: undefined };
  for (const [held, wanted, allowed] of [
    [0.2, 0.1, 0.1],
    [0.2, 0, 0],
    [0.2, -0.1, 0],
    [0.2, 0.3, 0.2],
    [-0.2, -0.1, -0.1],
    [-0.2, 0.1, 0],
    [-0.2, -0.3, -0.2],
    [0, 0.1, 0],
  ] as const)
    it(`goes from ${held} toward ${wanted} as far as ${allowed}`, () => {
      assert.equal(withinVar(held, wanted, unknown), allowed);
    });
});
