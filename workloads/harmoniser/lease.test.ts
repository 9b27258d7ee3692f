// Who acts for a shard, as the core sees it: what it does with the lease, without it, and when it changes hands.
import assert from 'node:assert/strict';
import { handoverOf, parseHandover, takeHandover, type Handover } from './handover.ts';
import { newState, savedOf, type State } from './state.ts';
import { step } from './step.ts';
import { aPolicy, FREE, SYMBOLS } from './test/builders.ts';
import { decisions, Desk, IDENTITY, orders, requests, T } from './test/desk.ts';

const BTC = 'BTC-USD';
const lease = (desk: Desk, epoch: number | undefined, left?: { epoch: number; handover: Handover }) =>
  step(desk.state, { kind: 'lease', epoch, ...(left === undefined ? {} : { left }), now: desk.now });
/** Everything in place but the lease. */
const aStandby = (): Desk => {
  const desk = new Desk();
  step(desk.state, { kind: 'policy', policy: aPolicy(), now: T });
  step(desk.state, { kind: 'control', restraint: FREE, readable: true, now: T });
  assert.deepEqual(step(desk.state, { kind: 'redis', connected: true, now: T }), []);
  return desk;
};
const account = (epoch: number, openOrders: readonly string[] = [], requestId = 'of-another') =>
  ({ kind: 'account', requestId, cashMicros: 1e12, positions: {}, openOrders, epoch }) as const;

describe('a harmoniser without the lease', () => {
  it('decides, so that it is warm, but sends nothing, not even a question', () => {
    const desk = aStandby();
    const outputs = [...desk.signal(), ...desk.tick(250), ...desk.tick(6_000)];
    assert.ok(decisions(outputs).length > 0);
    assert.ok(desk.blocked().includes('NoLease'));
    assert.deepEqual([orders(outputs), requests(outputs)], [[], []]);
  });
  it('sends no reduction and no cancel', () => {
    const desk = new Desk().open({ positions: { [BTC]: 100_000 } });
    lease(desk, undefined);
    const outputs = desk.signal({ edges: [{ edgeBps: -60, confidence: 0.9 }] });
    assert.deepEqual([orders(outputs), requests(outputs)], [[], []]);
    const stop = { ...FREE, tradingStopped: true };
    assert.deepEqual(step(desk.state, { kind: 'control', restraint: stop, readable: true, now: desk.now }), []);
  });
  it('knows what the other has traded', () => {
    const desk = aStandby();
    desk.report(BTC, account(3));
    const trade = { orderId: 'x', tradeId: 'x.0', side: 'buy', lots: 70, ticks: 1, notionalMicros: 7, feeMicros: 0 };
    desk.report(BTC, { kind: 'fill', ...trade } as Parameters<Desk['report']>[1]);
    assert.equal(desk.state.account.lots[BTC], 70);
  });
});

describe('a harmoniser that takes the lease', () => {
  it('asks the venue about every symbol under its epoch before it opens anything', () => {
    const desk = aStandby();
    const asked = lease(desk, 9);
    assert.deepEqual(
      requests(asked).map(({ kind, symbol, epoch }) => [kind, symbol, epoch]),
      SYMBOLS.map((symbol) => ['reconcile', symbol, 9]),
    );
    assert.deepEqual(orders(desk.signal()), []);
    desk.answer(asked);
    desk.now += 250;
    const [order] = orders(desk.signal());
    assert.equal(order?.epoch, 9);
    assert.match(order?.id ?? '', /^demo-BTCUSD-9-/);
  });
  it('asks anew under another epoch, though it held the one before', () => {
    const desk = new Desk().open();
    assert.equal(requests(lease(desk, 8)).length, SYMBOLS.length);
  });
  it('waits for the end of an order of the one before, and asks again', () => {
    const desk = aStandby();
    const [first] = requests(lease(desk, 9));
    desk.report(BTC, account(9, ['demo-BTCUSD-8-4'], first!.id));
    assert.deepEqual(orders(desk.signal()), []);
    assert.ok(desk.blocked().includes('Unreconciled'));
    const [again] = requests(desk.tick(250)).filter(({ symbol }) => symbol === BTC);
    desk.report(BTC, account(9, [], again!.id));
    assert.equal(desk.state.symbols.get(BTC)!.reconciliation.state, 'Done');
  });
  it('learns from the venue that its epoch is old, as where Redis has lost its data', () => {
    const desk = aStandby();
    const [asked] = requests(lease(desk, 1));
    desk.report(BTC, account(5, [], asked!.id));
    assert.equal(desk.state.knownEpoch, 5);
    assert.equal(savedOf(desk.state).knownEpoch, 5, 'and keeps it');
  });
});

describe('a harmoniser that lost the lease', () => {
  it('counts its orders as over once another has asked the venue, unless they are open there', () => {
    const desk = new Desk().open();
    const [order] = orders(desk.signal());
    lease(desk, undefined);
    desk.report(BTC, account(7));
    assert.ok(desk.state.account.working[order!.id] !== undefined, 'an answer to a question of its own time');
    desk.report(BTC, account(8, [order!.id]));
    assert.ok(desk.state.account.working[order!.id] !== undefined);
    desk.report(BTC, account(8));
    assert.deepEqual(desk.state.account.working, {});
  });
  it('forgets an order that it never handed over', () => {
    const desk = new Desk().open();
    const [order] = orders(desk.signal());
    step(desk.state, { kind: 'unsent', id: order!.id });
    assert.deepEqual(desk.state.account.working, {});
  });
});

describe('what is left to the next one', () => {
  const aState = (): State => newState(IDENTITY, SYMBOLS);
  const left = (more: Partial<Handover> = {}): Handover => ({
    breaker: { state: 'CLOSED', tripSeq: 0 },
    equity: { highWaterUsd: 0, day: 5, dayStartUsd: 0, turnoverUsd: 0, dayHalted: false },
    sentAt: {},
    ...more,
  });

  it('is read back as it was stored; what is nothing of the kind is not', () => {
    const desk = new Desk().open();
    desk.signal();
    desk.state.cut = { since: T, ceilings: { [BTC]: 5 } };
    const handover = handoverOf(desk.state);
    assert.deepEqual(parseHandover(JSON.stringify(handover)), handover);
    assert.equal(handover.sentAt[BTC]?.length, 1);
    for (const text of ['', '{', '{}', '[]', JSON.stringify({ ...handover, breaker: { state: 'AJAR', tripSeq: 1 } })])
      assert.equal(parseHandover(text), undefined, text);
  });
  it('counts where somebody acted later than we did, and not where it is our own', () => {
    const open = left({ breaker: { state: 'OPEN', tripSeq: 1 } });
    for (const [epoch, state] of [
      [8, 'OPEN'],
      [7, 'CLOSED'],
    ] as const) {
      const desk = new Desk().open();
      lease(desk, undefined);
      lease(desk, 9, { epoch, handover: open });
      assert.equal(desk.state.breaker.state, state);
    }
  });
  for (const [title, own, leftOne, expected] of [
    ['opened by the other', ['CLOSED', 0], ['OPEN', 1], ['OPEN', 1]],
    ['opened by ourselves since', ['OPEN', 2], ['CLOSED', 1], ['OPEN', 2]],
    ['reset by the other since', ['OPEN', 1], ['CLOSED', 1], ['CLOSED', 1]],
  ] as const)
    it(`has the breaker of the later trip: ${title}`, () => {
      const state = aState();
      state.breaker = { state: own[0], tripSeq: own[1], overSince: undefined };
      takeHandover(state, left({ breaker: { state: leftOne[0], tripSeq: leftOne[1] } }));
      assert.deepEqual([state.breaker.state, state.breaker.tripSeq], expected);
    });
  it('has the lower ceiling of each symbol of a cut, and a cut that only one knows', () => {
    const state = aState();
    const cut = { since: T, ceilings: { [BTC]: 5, 'ETH-USD': 9 } };
    takeHandover(state, left({ cut }));
    assert.deepEqual(state.cut, cut);
    takeHandover(state, left({ cut: { since: T + 1, ceilings: { [BTC]: 7, 'ETH-USD': 2 } } }));
    assert.deepEqual(state.cut, { since: T, ceilings: { [BTC]: 5, 'ETH-USD': 2 } });
    takeHandover(state, left());
    assert.deepEqual(state.cut?.ceilings[BTC], 5);
  });
  it('has the orders of the last minute, each once', () => {
    const state = aState();
    state.symbols.get(BTC)!.sentAt = [T + 1, T + 3];
    takeHandover(state, left({ sentAt: { [BTC]: [T, T + 3] } }));
    assert.deepEqual(state.symbols.get(BTC)!.sentAt, [T, T + 1, T + 3]);
  });
  for (const [title, own, leftOne, expected] of [
    [
      'of the same day: the most turned over, and a halt of either',
      { day: 5, turnoverUsd: 9, dayHalted: true },
      { turnoverUsd: 7 },
      { turnoverUsd: 9, dayHalted: true, dayStartUsd: 50 },
    ],
    [
      'of a day that we were not there for: all of the other',
      { day: 4, turnoverUsd: 9, dayHalted: true },
      { turnoverUsd: 7 },
      { day: 5, turnoverUsd: 7, dayHalted: false, dayStartUsd: 50 },
    ],
    [
      'of yesterday: ours',
      { day: 6, turnoverUsd: 1, dayStartUsd: 60 },
      { turnoverUsd: 7, dayHalted: true },
      { day: 6, turnoverUsd: 1, dayHalted: false, dayStartUsd: 60 },
    ],
  ] as const)
    // prettier-ignore
    it(`has the bounds of the day, ${title}`, () => {
      const state = aState();
      Object.assign(state.equity, own);
      takeHandover(state, left({ equity: { ...left().equity, dayStartUsd: 50, ...leftOne } }));
      for (const [name, value] of Object.entries(expected))
        assert.equal(state.equity[name as keyof State['equity']], value, name);
    });
  it('has the high-water mark of the other, or what the account is worth now', () => {
    for (const [usd, expected] of [
      [90, 100],
      [110, 110],
      [undefined, 100],
    ] as const) {
      const state = aState();
      Object.assign(state.equity, { usd, highWaterUsd: 1e9 });
      takeHandover(state, left({ equity: { ...left().equity, highWaterUsd: 100 } }));
      assert.equal(state.equity.highWaterUsd, expected, 'not what a volume remembers that was away for long');
    }
  });
});
