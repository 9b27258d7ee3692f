// Each gate as it is wired: a desk in the one state that it is about, through `step`. What the gates themselves say is in
// gates.test.ts.
import assert from 'node:assert/strict';
import type { Policy } from './policy.ts';
import { GATES } from './gates.ts';
import { step } from './step.ts';
import { aDocument, aPolicy, FREE, inSession, PARAMS, STOPPED } from './test/builders.ts';
import { Desk, orders, T } from './test/desk.ts';

const BTC = 'BTC-USD';
type Limits = ReturnType<typeof aDocument>['hardLimits'];

const limited = (change: Partial<Limits>, own: Partial<Limits['symbols'][string]> = {}): Policy => {
  const { hardLimits } = aDocument();
  const symbols = Object.fromEntries(Object.entries(hardLimits.symbols).map(([name, of]) => [name, { ...of, ...own }]));
  return aPolicy({ hardLimits: { ...hardLimits, symbols, ...change } });
};
const control = (desk: Desk, change: object): void =>
  void step(desk.state, { kind: 'control', restraint: FREE, readable: true, now: desk.now, ...change });
const btc = (desk: Desk) => desk.state.symbols.get(BTC)!;
/** One order under way or, filled, in the position. */
const afterOneOrder = (policy: Policy, { filled }: { filled: boolean }): Desk => {
  const desk = new Desk().open({}, policy);
  const [order] = orders(desk.signal());
  assert.ok(order !== undefined, 'the first one passes');
  if (filled) desk.fill(order);
  desk.now += 250;
  return desk;
};
/** VaR and caps so wide that only cash is short: 900,000 in ETH, 50,000 in cash. */
const shortOfCash = (): Desk => {
  const params = {
    ...PARAMS,
    limits: {
      ...PARAMS.limits,
      var: { ...PARAMS.limits.var, targetPct: 50, gatePct: 60, alertPct: 70, limitPct: 80 },
      concentration: { singleAssetPct: 100, assetClassPct: 300 },
    },
    circuitBreaker: { ...PARAMS.circuitBreaker, varPct: 90 },
  };
  const desk = new Desk().open({ cash: 50_000e6, positions: { 'ETH-USD': 36_000_000 } }, aPolicy({}, params));
  desk.signal({ symbol: 'ETH-USD', mid: 2_500, edges: [] });
  return desk;
};

/** For each gate a desk that only it stops; `signal` is what it is then given. */
const STOPPED_BY: Readonly<Record<string, () => { desk: Desk; signal?: Parameters<Desk['signal']>[0] }>> = {
  RedisAway: () => {
    const desk = new Desk().open();
    step(desk.state, { kind: 'redis', connected: false, now: desk.now });
    return { desk };
  },
  NoLease: () => {
    const desk = new Desk().open();
    step(desk.state, { kind: 'lease', epoch: undefined, now: desk.now });
    return { desk };
  },
  Halted: () => ({ desk: new Desk().open(), signal: { features: { halted: 'BREAK' } } }),
  Collar: () => ({ desk: new Desk().open({}, limited({ collarBps: 0.5 })) }),
  TradingStopped: () => {
    const desk = new Desk().open();
    control(desk, { restraint: STOPPED });
    return { desk };
  },
  ControlUnreadable: () => {
    const desk = new Desk().open();
    control(desk, { readable: false });
    return { desk };
  },
  Unreconciled: () => {
    const desk = new Desk().open();
    desk.venue.bootId = 'venue-2';
    desk.report('ETH-USD', { kind: 'accepted', orderId: 'x' });
    return { desk };
  },
  BookInvalid: () => {
    const desk = new Desk().open();
    desk.signal({ edges: [] });
    desk.now += 250;
    return { desk, signal: { features: { valid: false } } };
  },
  BookStale: () => ({ desk: new Desk().open(), signal: { features: { heardAt: T - 2_001 } } }),
  BookLate: () => ({ desk: new Desk().open(), signal: { features: { lagMs: 2_001 } } }),
  Session: () => ({ desk: new Desk().open({}, inSession({ marketHoursOnly: true }, 'stocks')) }),
  Liquidity: () => ({ desk: new Desk().open({}, inSession({ marketHoursOnly: false, minVolume: 1 })) }),
  BreakerOpen: () => {
    const desk = new Desk().open();
    desk.state.breaker = { state: 'OPEN', tripSeq: 1, overSince: T };
    return { desk };
  },
  VarCut: () => {
    const desk = new Desk().open();
    desk.state.cut = { since: T, ceilings: { 'ETH-USD': 1 } };
    return { desk };
  },
  VarLimit: () => ({ desk: new Desk().open({ cash: 1e12, positions: { 'ETH-USD': 1 } }) }),
  Drawdown: () => {
    const desk = new Desk().open();
    desk.state.equity.highWaterUsd = 1_000_000 / 0.94;
    return { desk };
  },
  DailyLoss: () => {
    const desk = new Desk().open();
    desk.state.equity.dayStartUsd = 1_000_000 / 0.975;
    return { desk };
  },
  PositionQuantity: () => ({ desk: afterOneOrder(limited({}, { maxQuantity: 1.5 }), { filled: true }) }),
  OrdersPerMinute: () => ({ desk: afterOneOrder(limited({}, { maxOrdersPerMinute: 1 }), { filled: true }) }),
  OpenOrders: () => ({ desk: afterOneOrder(limited({}, { maxOpenOrders: 1 }), { filled: false }) }),
  DailyTurnover: () => ({ desk: afterOneOrder(limited({ maxDailyTurnover: 0.1 }), { filled: true }) }),
  Cash: () => ({ desk: shortOfCash() }),
};
/** Sizing clips to them, so that no order of ours can break them: they guard against a fault of sizing itself. */
const NEVER_REACHED = ['OrderQuantity', 'OrderNotional'];

describe('each gate, as the core wires it', () => {
  it('has a desk that it stops', () => {
    const codes = GATES.map(({ code }) => code);
    assert.deepEqual([...Object.keys(STOPPED_BY), ...NEVER_REACHED].sort(), codes.sort());
  });
  for (const [code, build] of Object.entries(STOPPED_BY))
    it(`${code} alone stops an order that passes without it`, () => {
      const { desk, signal } = build();
      assert.deepEqual(orders(desk.signal(signal)), []);
      assert.deepEqual(desk.blocked(), [code]);
    });
  it('lets the same order through where none stops it', () => {
    const desk = new Desk().open();
    assert.equal(orders(desk.signal()).length, 1);
    assert.deepEqual(desk.blocked(), []);
    assert.equal(orders(afterOneOrder(aPolicy(), { filled: true }).signal()).length, 1);
  });
  it('remembers a halted day when the market comes back, until the next day', () => {
    const desk = new Desk().open({ cash: 940_000e6, positions: { [BTC]: 100_000 } });
    desk.signal({ edges: [] });
    desk.tick(0);
    const start = desk.state.equity.dayStartUsd;
    assert.ok(Math.abs(start - 1_000_000) < 1);
    for (const mid of [38_000, 60_000]) {
      desk.now += 250;
      desk.signal({ mid, edges: [] });
      desk.tick(0);
    }
    assert.ok(Math.abs(desk.state.equity.usd! - start) < 1, 'nothing is lost any more');
    assert.ok(desk.blocked().includes('DailyLoss'));
    desk.now += 86_400_000;
    desk.tick(0);
    desk.signal({ edges: [] });
    assert.ok(!desk.blocked().includes('DailyLoss'));
  });
  it('counts the orders of the last minute only, and no time that is to come as later than now', () => {
    const desk = afterOneOrder(limited({}, { maxOrdersPerMinute: 1 }), { filled: true });
    desk.now += 60_000;
    assert.equal(orders(desk.signal()).length, 1);
    desk.now += 250;
    btc(desk).sentAt = [desk.now + 3_600_000];
    desk.signal();
    desk.now += 60_001;
    desk.signal();
    assert.ok(!desk.blocked().includes('OrdersPerMinute'));
  });
});
