import assert from 'node:assert/strict';
import { BOOK_FRESH_MS } from '../contract/messages.ts';
import { approve, GATES, isReduction, refusals, type Draft, type GateView } from './gates.ts';
import { aPolicy, INSTRUMENT } from './test/builders.ts';
import { randomFrom } from '../simulator/random.ts';

const policy = aPolicy();

const aView = (change: Partial<GateView> = {}): GateView => ({
  policy,
  symbol: policy.symbols.get('BTC-USD')!,
  instrument: INSTRUMENT,
  mid: 60_000,
  redisConnected: true,
  hasLease: true,
  tradingStopped: false,
  controlReadable: true,
  reconciled: true,
  halted: false,
  bookValid: true,
  bookAgeMs: 10,
  bookLagMs: 3,
  now: 0,
  session: { open: true, until: Infinity },
  illiquid: undefined,
  breakerOpen: false,
  cutting: false,
  positionLots: 0,
  workingLots: 0,
  workingOrders: 0,
  ordersLastMinute: 0,
  capitalUsd: 1_000_000,
  turnoverUsd: 0,
  drawdownPct: 0,
  dayLossPct: 0,
  dayHalted: false,
  freeCashUsd: 1_000_000,
  varNow: 0,
  varWith: () => 0.01,
  ...change,
});
const buy = (lots = 100_000, limitTicks = 6_000_600): Draft => ({ side: 'buy', lots, limitTicks });
const sell = (lots = 100_000, limitTicks = 5_999_400): Draft => ({ side: 'sell', lots, limitTicks });

/** For each gate a view and a draft that only it refuses. */
const REFUSED: Readonly<Record<string, readonly [Partial<GateView>, Draft]>> = {
  RedisAway: [{ redisConnected: false }, buy()],
  NoLease: [{ hasLease: false }, buy()],
  Halted: [{ halted: true }, buy()],
  Collar: [{}, buy(100_000, 6_030_100)],
  OrderQuantity: [
    { mid: 100, positionLots: 0 },
    { side: 'buy', lots: 100_001, limitTicks: 10_000 },
  ],
  OrderNotional: [{ mid: 120_000 }, { side: 'buy', lots: 100_000, limitTicks: 12_000_000 }],
  TradingStopped: [{ tradingStopped: true }, buy()],
  ControlUnreadable: [{ controlReadable: false }, buy()],
  Unreconciled: [{ reconciled: false }, buy()],
  BookInvalid: [{ bookValid: false }, buy()],
  BookStale: [{ bookAgeMs: BOOK_FRESH_MS + 1 }, buy()],
  BookLate: [{ bookAgeMs: 1, bookLagMs: BOOK_FRESH_MS }, buy()],
  Session: [{ session: { open: false, until: 60_000 } }, buy()],
  Liquidity: [{ illiquid: { quietMs: 60_000, quietLimitMs: 60_000 } }, buy()],
  BreakerOpen: [{ breakerOpen: true }, buy()],
  VarCut: [{ cutting: true }, buy()],
  VarLimit: [{ varWith: () => 0.0136 }, buy()],
  Drawdown: [{ drawdownPct: 5 }, buy()],
  DailyLoss: [{ dayLossPct: 2 }, buy()],
  PositionQuantity: [{ positionLots: 450_000 }, buy()],
  OrdersPerMinute: [{ ordersLastMinute: 30 }, buy()],
  OpenOrders: [{ workingOrders: 5 }, buy()],
  DailyTurnover: [{ turnoverUsd: 499_950_000 }, buy()],
  Cash: [{ freeCashUsd: 60_000 }, buy()],
};

describe('gates', () => {
  it('pass an order that breaks nothing', () => {
    assert.deepEqual(approve(aView(), buy()), { order: buy() });
  });

  for (const { code } of GATES)
    it(`${code} refuses, alone, with the numbers that it compared`, () => {
      const [change, draft] = REFUSED[code]!;
      const view = aView(change);
      if (code === 'OrderNotional') assert.ok(draft.lots / INSTRUMENT.quantityScale <= view.symbol.maxOrderQuantity);
      const found = refusals(view, draft);
      assert.deepEqual(
        found.map((refusal) => refusal.code),
        [code],
      );
      for (const number of Object.values(found[0]!.numbers)) assert.ok(Number.isFinite(number));
    });

  it('let a reduction pass whatever stops openings, but not without Redis, collar and order size', () => {
    const everything = Object.entries(REFUSED)
      .filter(([code]) => GATES.find((gate) => gate.code === code)!.of === 'Opens')
      .reduce((all, [, [change]]) => ({ ...all, ...change }), {});
    const view = aView({ ...everything, positionLots: 100_000 });
    assert.ok('order' in approve(view, sell()));
    assert.ok(refusals(view, buy()).length >= 13);
    assert.ok('refused' in approve({ ...view, redisConnected: false }, sell()));
    assert.ok('refused' in approve(view, sell(100_000, 5_900_000)));
  });

  it('name every gate that refuses, not the first', () => {
    const view = aView({ tradingStopped: true, bookAgeMs: 5_000, ordersLastMinute: 30 });
    assert.deepEqual(
      refusals(view, undefined).map(({ code }) => code),
      ['TradingStopped', 'BookStale', 'OrdersPerMinute'],
    );
  });

  it('refuse where a figure is unknown', () => {
    assert.ok('refused' in approve(aView({ varWith: () => NaN }), buy()));
    assert.ok('refused' in approve(aView({ mid: NaN }), buy()));
    assert.ok('refused' in approve(aView({ freeCashUsd: undefined }), buy()));
    assert.ok('refused' in approve(aView({ turnoverUsd: NaN }), buy()));
  });

  it('never call an order a reduction that could turn the position, whatever is under way', () => {
    const random = randomFrom(9);
    for (let i = 0; i < 20_000; i++) {
      const positionLots = Math.round((random() - 0.5) * 200);
      const workingLots = Math.round((random() - 0.5) * 200);
      const draft: Draft = {
        side: random() < 0.5 ? 'buy' : 'sell',
        lots: 1 + Math.floor(random() * 150),
        limitTicks: 1,
      };
      if (!isReduction(aView({ positionLots, workingLots }), draft)) continue;
      const change = draft.side === 'buy' ? draft.lots : -draft.lots;
      const reductions = workingLots * positionLots < 0 ? workingLots : 0;
      assert.ok((positionLots + reductions + change) * positionLots >= 0);
      assert.ok(change * positionLots < 0);
    }
  });
});
