import assert from 'node:assert/strict';
import { approve } from './gates.ts';
import { gateView } from './order.ts';
import { look } from './seen.ts';
import { Desk } from './test/desk.ts';

const [BTC, ETH] = ['BTC-USD', 'ETH-USD'] as const;

describe('what the gates are told', () => {
  /** 20 % in ETH, an order for 5 % of BTC under way. */
  const view = () => {
    const desk = new Desk().open({ cash: 8e11, positions: { [ETH]: 8_000_000 } });
    desk.signal({ symbol: ETH, mid: 2_500, edges: [] });
    desk.signal({ edges: [] });
    const order = {
      symbol: BTC,
      side: 'buy',
      limitTicks: 6_000_000,
      reduceOnly: false,
      sentAt: 0,
      filledLots: 0,
    } as const;
    desk.state.account.working['o'] = { id: 'o', lots: 83_333, ...order };
    const symbol = desk.state.symbols.get(BTC)!;
    return gateView(desk.state, symbol, look(desk.state, symbol, desk.now)!);
  };
  /** BTC at f, ETH at .2, σ .6 a year each, ρ .7. */
  const varAt = (f: number): number => 1.6448536 * (0.6 / Math.sqrt(365)) * Math.sqrt(f * f + 0.04 + 2 * 0.7 * f * 0.2);

  it('is the worst VaR now and with the order, by the figure', () => {
    const { varNow, varWith } = view();
    assert.ok(Math.abs(varNow - varAt(0.05)) < 1e-6);
    assert.ok(Math.abs(varWith(83_333) - varAt(0.1)) < 1e-6);
    assert.ok(Math.abs(varWith(-83_333) - varAt(0)) < 1e-6);
  });
  it('refuses what sizing by a fault let through: VaR beyond the target', () => {
    const refused = approve(view(), { side: 'buy', lots: 100_000, limitTicks: 6_000_600 });
    const passed = approve(view(), { side: 'buy', lots: 10_000, limitTicks: 6_000_600 });
    assert.deepEqual('refused' in refused ? refused.refused.map(({ code }) => code) : [], ['VarLimit']);
    assert.ok('order' in passed);
  });
});
