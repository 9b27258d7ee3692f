import assert from 'node:assert/strict';
import type { OrderRequest } from '../contract/messages.ts';
import { newState, savedOf, type Output } from './state.ts';
import { step } from './step.ts';
import { aDocument, aPolicy, FREE, STOPPED, SYMBOLS, type SignalOptions } from './test/builders.ts';
import { decisions, Desk, IDENTITY, orders, requests, T } from './test/desk.ts';
import { restraintOf } from '../contract/restraint.ts';

const LAST: Omit<SignalOptions, 't'> = { seq: 1e6 };

describe('step: opening', () => {
  it('decides and orders on the first signal once everything is in place', () => {
    const desk = new Desk().open();
    const outputs = desk.signal();
    assert.deepEqual(
      outputs.map(({ kind }) => kind),
      ['decision', 'order'],
    );
    const [order] = orders(outputs);
    assert.equal(order!.side, 'buy');
    assert.equal(order!.id, 'demo-BTCUSD-7-3');
    assert.equal(order!.reduceOnly, false);
    assert.equal(order!.lots, 100_000); // the largest order: 1 BTC
    assert.equal(order!.limitTicks, 6_000_010 + 600); // the ask and 1 bps
    assert.deepEqual(decisions(outputs)[0]!.notes, ['SizeClipped']);
  });

  it('asks the venue for each symbol before it opens, and again where no answer comes', () => {
    const desk = new Desk();
    step(desk.state, { kind: 'policy', policy: aPolicy(), now: T });
    step(desk.state, { kind: 'control', restraint: FREE, readable: true, now: T });
    assert.deepEqual(step(desk.state, { kind: 'redis', connected: true, now: T }), [], 'who waits asks nothing');
    const asked = requests(step(desk.state, { kind: 'lease', epoch: 7, now: T }));
    assert.deepEqual(
      asked.map(({ kind, symbol }) => [kind, symbol]),
      SYMBOLS.map((symbol) => ['reconcile', symbol]),
    );
    assert.deepEqual(orders(desk.signal()), []);
    assert.ok(desk.blocked().includes('Unreconciled'));
    assert.deepEqual(requests(desk.tick(4_999)), []);
    assert.deepEqual(
      requests(desk.tick(1)).map(({ symbol }) => symbol),
      SYMBOLS,
    );
  });

  it('does nothing without a policy, nor for a symbol that is not its own', () => {
    const desk = new Desk();
    assert.deepEqual(desk.signal(), []);
    assert.deepEqual(desk.open().signal({ symbol: 'SOL-USD' }), []);
  });

  it('drops signals that are old, repeated or overtaken', () => {
    const desk = new Desk().open();
    desk.signal({ seq: 49 });
    desk.now += 300;
    assert.equal(decisions(desk.signal({ seq: 50, t: desk.now - 2_000 })).length, 1);
    desk.now += 300;
    assert.deepEqual(desk.signal({ seq: 51, t: desk.now - 2_001 }), []);
    assert.deepEqual(desk.signal({ seq: 50 }), []);
    assert.deepEqual(desk.signal({ seq: 49 }), []);
    assert.equal(desk.state.staleSignals, 3);
  });

  it('decides at most every 250 ms a symbol', () => {
    const desk = new Desk().open();
    let count = 0;
    for (let i = 0; i < 100; i++) {
      desk.now += 20;
      count += decisions(desk.signal()).length;
      count += decisions(step(desk.state, { kind: 'tick', now: desk.now })).length;
    }
    assert.equal(count, 8); // at 20, 280, 540 … ms of 2 s
  });
});

describe('step: restraint', () => {
  it('cancels working opens when trading stops, once, and opens nothing', () => {
    const desk = new Desk().open();
    const [order] = orders(desk.signal());
    const outputs = step(desk.state, { kind: 'control', restraint: STOPPED, readable: true, now: desk.now });
    assert.deepEqual(
      requests(outputs).map(({ kind, id }) => [kind, id]),
      [['cancel', order!.id]],
    );
    assert.deepEqual(step(desk.state, { kind: 'control', restraint: STOPPED, readable: true, now: desk.now }), []);
    desk.now += 250;
    assert.deepEqual(orders(desk.signal()), []);
    assert.ok(desk.blocked().includes('TradingStopped'));
  });

  it('still reduces while trading is stopped', () => {
    const desk = new Desk().open();
    desk.fill(orders(desk.signal())[0]!);
    step(desk.state, { kind: 'control', restraint: STOPPED, readable: true, now: desk.now });
    desk.now += 250;
    const [order] = orders(desk.signal({ edges: [{ edgeBps: -30 }] }));
    assert.equal(order!.side, 'sell');
    assert.equal(order!.reduceOnly, true);
  });

  it('opens nothing while control cannot be read', () => {
    const desk = new Desk().open();
    step(desk.state, { kind: 'control', restraint: FREE, readable: false, now: desk.now });
    assert.deepEqual(orders(desk.signal()), []);
    assert.ok(desk.blocked().includes('ControlUnreadable'));
  });

  it('takes the tighter of the Kelly fraction and what holds cap it to', () => {
    const hold = { id: 'h', effect: 'CapKelly', kellyFraction: 0.1, reason: 'r', by: 'me' } as const;
    const desk = new Desk().open();
    const capped = restraintOf(aDocument({ holds: [hold] }), [], T);
    step(desk.state, { kind: 'control', restraint: capped, readable: true, now: T });
    const [decision] = decisions(desk.signal());
    assert.equal(decision!.kellyFraction, 0.1);
    const free = new Desk().open();
    const [full] = decisions(free.signal());
    assert.ok(Math.abs(decision!.hi / full!.hi - 0.5) < 1e-12);
  });
});

describe('step: Redis and the venue', () => {
  it('sends nothing while Redis is away; asks again before it opens when it is back', () => {
    const desk = new Desk().open();
    step(desk.state, { kind: 'redis', connected: false, now: desk.now });
    assert.deepEqual(orders(desk.signal()), []);
    assert.ok(desk.blocked().includes('RedisAway'));
    assert.deepEqual(requests(desk.tick()), []);
    const back = step(desk.state, { kind: 'redis', connected: true, now: desk.now });
    assert.equal(requests(back).length, 2);
    desk.now += 250;
    assert.deepEqual(orders(desk.signal()), []);
    desk.answer(back);
    desk.now += 250;
    assert.equal(orders(desk.signal()).length, 1);
  });

  it('reconciles an order without an answer after 5 s, and never sends it again', () => {
    const desk = new Desk().open();
    const [order] = orders(desk.signal());
    const held = { edges: [] };
    let asked: OrderRequest[] = [];
    for (let i = 0; i < 20 && asked.length === 0; i++) {
      desk.signal(held);
      asked = requests(desk.tick());
    }
    assert.deepEqual(
      asked.map(({ kind, symbol }) => [kind, symbol]),
      [['reconcile', 'BTC-USD']],
    );
    assert.ok(desk.now - T >= 5_000);
    assert.deepEqual(Object.keys(desk.state.account.working), [order!.id]);
    desk.answer(asked.map((request) => ({ kind: 'request', request }) as Output));
    assert.deepEqual(desk.state.account.working, {});
    const again = orders(desk.tick());
    assert.ok(again.every(({ id }) => id !== order!.id));
  });

  it('keeps an order of the same moment as a question: the question went first', () => {
    const desk = new Desk().open();
    desk.venue.bootId = 'venue-2';
    desk.report('BTC-USD', { kind: 'accepted', orderId: 'x' });
    const asked = desk.tick();
    const [order] = orders([...asked, ...desk.signal({ edges: [{ edgeBps: 30 }] })]);
    assert.equal(order, undefined, 'nothing is opened before the answer');
    desk.state.account.working['o'] = {
      id: 'o',
      symbol: 'BTC-USD',
      side: 'sell',
      lots: 1,
      limitTicks: 1,
      reduceOnly: true,
      sentAt: desk.now,
      filledLots: 0,
    };
    desk.answer(asked);
    assert.deepEqual(Object.keys(desk.state.account.working), ['o']);
  });

  it('measures an answer by its own clock, not by the venue’s', () => {
    const desk = new Desk();
    step(desk.state, { kind: 'redis', connected: true, now: desk.now });
    const [question] = requests(step(desk.state, { kind: 'lease', epoch: 7, now: desk.now }));
    const body = { requestId: question!.id, cashMicros: 1, positions: {}, openOrders: [], epoch: 7 };
    const report = desk.venue.make('BTC-USD', T + 3_600_000, { kind: 'account', ...body });
    step(desk.state, { kind: 'report', report, now: T + 7 });
    assert.deepEqual(desk.state.symbols.get('BTC-USD')!.reconciliation, { state: 'Done', at: T + 7 });
  });

  it('asks again when the venue restarted, and when a report is missing', () => {
    const desk = new Desk().open();
    desk.venue.bootId = 'venue-2';
    desk.report('BTC-USD', { kind: 'accepted', orderId: 'x' });
    assert.equal(desk.state.symbols.get('BTC-USD')!.reconciliation.state, 'Needed');
    desk.answer(desk.tick());
    assert.equal(desk.state.symbols.get('BTC-USD')!.reconciliation.state, 'Done');
    desk.venue.seq += 1;
    desk.report('BTC-USD', { kind: 'accepted', orderId: 'y' });
    assert.equal(requests(desk.tick(1_000)).length, 0);
    assert.equal(requests(desk.tick(1_000)).length, 2);
  });

  it('takes the venue’s word for what is held', () => {
    const desk = new Desk();
    step(desk.state, { kind: 'policy', policy: aPolicy(), now: T });
    step(desk.state, { kind: 'redis', connected: true, now: T });
    desk.answer(step(desk.state, { kind: 'lease', epoch: 7, now: T }), {
      cash: 900_000e6,
      positions: { 'BTC-USD': 150_000 },
    });
    desk.signal({ edges: [] });
    desk.tick();
    assert.deepEqual(desk.state.account.lots, { 'BTC-USD': 150_000 });
    assert.ok(Math.abs(desk.state.equity.usd! - (900_000 + 1.5 * 59_999.9)) < 1);
  });

  it('notes a rejected order', () => {
    const desk = new Desk().open();
    const [order] = orders(desk.signal());
    const [note] = desk.report('BTC-USD', { kind: 'rejected', orderId: order!.id, reason: 'LotSize: 1' });
    assert.deepEqual(note, {
      kind: 'note',
      code: 'OrderRejected',
      symbol: 'BTC-USD',
      numbers: { reason: 'LotSize: 1' },
    });
    assert.deepEqual(desk.state.account.working, {});
  });

  it('is not moved by a stale book, but closes nothing either', () => {
    const desk = new Desk().open();
    desk.fill(orders(desk.signal())[0]!);
    desk.now += 3_000;
    step(desk.state, { kind: 'tick', now: desk.now });
    assert.ok(desk.blocked().includes('BookStale'));
    desk.now += 250;
    const silent = desk.signal({ ...LAST, features: { valid: false, bidTicks: 0 } });
    assert.ok(decisions(silent)[0]!.blockedBy.includes('BookInvalid'));
  });
});

describe('step: restart', () => {
  it('keeps position, worth, volatility and order numbers', () => {
    const desk = new Desk().open();
    desk.fill(orders(desk.signal())[0]!);
    for (let i = 0; i < 100; i++) desk.tick();
    const saved = JSON.parse(JSON.stringify(savedOf(desk.state))) as ReturnType<typeof savedOf>;
    const next = new Desk(newState(IDENTITY, SYMBOLS, saved));
    next.venue.seq = desk.venue.seq;
    next.now = desk.now + 10_000;
    assert.deepEqual(next.state.account, desk.state.account);
    assert.deepEqual(next.state.equity, desk.state.equity);
    step(next.state, { kind: 'policy', policy: aPolicy(), now: next.now });
    const [before, after] = [desk.state, next.state].map((state) => state.volatilities.get('BTC-USD')!);
    assert.equal(after!.slowVariance, before!.slowVariance);
    assert.equal(after!.last, undefined);
    assert.deepEqual(orders(next.signal()), []);
    assert.ok(next.blocked().includes('Unreconciled'));
  });

  it('closes a position without a paying edge after the timeout, over a restart too', () => {
    const desk = new Desk().open();
    desk.fill(orders(desk.signal())[0]!);
    desk.now += 3_590_000;
    desk.signal({ edges: [] });
    const saved = savedOf(desk.state);
    const next = new Desk(newState(IDENTITY, SYMBOLS, saved));
    next.venue.seq = desk.venue.seq;
    next.now = desk.now + 9_000;
    next.open({ cash: desk.state.account.cashMicros!, positions: desk.state.account.lots });
    assert.deepEqual(orders(next.signal({ edges: [] })), []);
    next.now += 2_000;
    const outputs = next.signal({ edges: [] });
    assert.deepEqual(decisions(outputs)[0]!.notes, ['EdgeTimeout']);
    assert.equal(decisions(outputs)[0]!.target, 0);
  });
});
