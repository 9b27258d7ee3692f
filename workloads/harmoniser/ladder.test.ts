import assert from 'node:assert/strict';
import { watchBreaker, watchCut } from './ladder.ts';
import { newState, savedOf, type Output, type State } from './state.ts';
import { aPolicy, SYMBOLS } from './test/builders.ts';
import { Desk, IDENTITY, orders, requests, T } from './test/desk.ts';

const [BTC, ETH] = ['BTC-USD', 'ETH-USD'] as const;
const policy = aPolicy();
const codes = (outputs: readonly Output[]): string[] =>
  outputs.flatMap((output) => (output.kind === 'note' ? [output.code] : []));

/** Long 10 BTC and 100 ETH less the odd lot, both marked: 600,000 and 250,000 of 1,000,000. */
function aBook(): State {
  const desk = new Desk().open({ cash: 150_000e6, positions: { [BTC]: 999_999, [ETH]: 9_999_999 } });
  desk.signal({ edges: [] });
  desk.signal({ symbol: ETH, mid: 2_500, edges: [] });
  return desk.state;
}

describe('the forced cut', () => {
  it('starts above the limit, with ceilings of target over V for every position, in whole lots down', () => {
    const state = aBook();
    assert.deepEqual(watchCut(state, policy, { V: 0.02, now: T }), []);
    assert.equal(state.cut, undefined);
    assert.deepEqual(codes(watchCut(state, policy, { V: 0.027, now: T })), ['VarCutStarted']);
    assert.deepEqual(state.cut, { since: T, ceilings: { [BTC]: 499_999, [ETH]: 4_999_999 } });
  });
  it('keeps its first ceilings while it is under way, and ends when all are kept', () => {
    const state = aBook();
    watchCut(state, policy, { V: 0.027, now: T });
    const { cut } = state;
    assert.deepEqual(watchCut(state, policy, { V: 0.05, now: T + 1 }), []);
    assert.equal(state.cut, cut);
    state.account.lots[BTC] = 499_999;
    assert.deepEqual(watchCut(state, policy, { V: 0.015, now: T + 2 }), [], 'ETH is still above its ceiling');
    state.account.lots[ETH] = 4_999_999;
    assert.deepEqual(codes(watchCut(state, policy, { V: 0.0135, now: T + 3 })), ['VarCutDone']);
    assert.equal(state.cut, undefined);
  });
  it('is not held up by what is too small to be sold', () => {
    const state = aBook();
    watchCut(state, policy, { V: 0.027, now: T });
    Object.assign(state.account.lots, { [BTC]: 499_999 + 16, [ETH]: 4_999_999 }); // 9.60 USD above
    assert.deepEqual(codes(watchCut(state, policy, { V: 0.0135, now: T + 1 })), ['VarCutDone']);
  });
  it('brings a book down to its ceilings, whatever the models claim, and opens nothing meanwhile', () => {
    const desk = new Desk().open({ cash: 800_000e6, positions: { [BTC]: 166_667, [ETH]: 4_000_000 } });
    const signals = (edgeBps: number): Output[] => {
      const edges = [{ edgeBps, confidence: 1 }];
      return [...desk.signal({ edges }), ...desk.signal({ symbol: ETH, mid: 2_500, edges })];
    };
    assert.deepEqual(orders(signals(0)), []);
    for (const own of desk.state.volatilities.values())
      Object.assign(own, { slowVariance: 0.0144, fastVariance: 0.0144 });
    const cutStarted = desk.tick();
    assert.ok(codes(cutStarted).includes('VarCutStarted'));
    const { ceilings } = desk.state.cut!;
    assert.ok(ceilings[BTC]! < 0.4 * 166_667, 'below the cap that sizing alone would trim to');
    const notes: string[] = [];
    for (let outputs = cutStarted; !notes.includes('VarCutDone'); outputs = [...signals(60), ...desk.tick()]) {
      assert.ok(desk.now - T < 5_000, 'it must end');
      notes.push(...codes(outputs));
      for (const order of orders(outputs)) {
        assert.equal(order.side, 'sell');
        desk.fill(order);
      }
    }
    for (const [name, lots] of Object.entries(desk.state.account.lots)) {
      const usd = ((lots - ceilings[name]!) / 1e5) * (name === BTC ? 60_000 : 2_500);
      assert.ok(usd < 10 && lots > 0, `${name}: ${lots} lots, at most ${ceilings[name]}`);
    }
  });
});

describe('the breaker', () => {
  const look = (state: State, V: number, at: number): string[] =>
    codes(watchBreaker(state, policy, { V, now: T + at }));
  it('trips on two looks above its threshold a second apart', () => {
    const state = aBook();
    assert.deepEqual(look(state, 0.026, 0), []);
    assert.deepEqual(look(state, 0.026, 999), []);
    assert.deepEqual(look(state, 0.026, 1_000), ['BreakerOpen']);
    assert.deepEqual([state.breaker.state, state.breaker.tripSeq], ['OPEN', 1]);
    assert.deepEqual(look(state, 0.09, 2_000), [], 'once');
  });
  it('trips at once on one far above it', () => {
    assert.deepEqual(look(aBook(), 0.03, 0), []);
    assert.deepEqual(look(aBook(), 0.0301, 0), ['BreakerOpen']);
  });
  it('does not trip on two spikes with calm between them', () => {
    const state = aBook();
    look(state, 0.026, 0);
    look(state, 0.025, 500);
    assert.deepEqual(look(state, 0.026, 1_500), []);
  });
  it('cancels what could add to a position, and lets reductions go on', () => {
    const state = aBook();
    for (const [id, reduceOnly] of [
      ['open', false],
      ['close', true],
    ] as const)
      state.account.working[id] = {
        id,
        symbol: BTC,
        side: 'buy',
        lots: 1,
        limitTicks: 1,
        reduceOnly,
        sentAt: T,
        filledLots: 0,
      };
    const cancelled = requests(watchBreaker(state, policy, { V: 0.05, now: T }));
    assert.deepEqual(cancelled, [{ kind: 'cancel', id: 'open', symbol: BTC, epoch: 7, t: T }]);
  });
  it('opens on a book far above it, seen through the core, and only with every mark fresh', () => {
    const desk = new Desk().open({ cash: 150_000e6, positions: { [BTC]: 1_000_000, [ETH]: 10_000_000 } });
    desk.signal({ edges: [] });
    desk.signal({ symbol: ETH, mid: 2_500, edges: [] });
    desk.now += 59_000;
    desk.signal({ edges: [] });
    desk.tick(1_001);
    assert.equal(desk.state.breaker.state, 'CLOSED', 'the mark of ETH is older than 60 s');
    desk.signal({ symbol: ETH, mid: 2_500, edges: [], seq: 99 });
    desk.tick();
    assert.equal(desk.state.breaker.state, 'OPEN');
    assert.ok(desk.blocked().includes('BreakerOpen'));
  });
});

describe('what is latched', () => {
  it('is latched over a restart of the pod: breaker, ceilings, orders of the last minute', () => {
    const state = aBook();
    watchCut(state, policy, { V: 0.027, now: T });
    watchBreaker(state, policy, { V: 0.05, now: T });
    state.symbols.get(BTC)!.sentAt = [T - 5, T];
    const saved = JSON.parse(JSON.stringify(savedOf(state))) as ReturnType<typeof savedOf>;
    const next = newState(IDENTITY, SYMBOLS, saved);
    assert.deepEqual(next.breaker, state.breaker);
    assert.deepEqual(next.cut, state.cut);
    assert.deepEqual(next.symbols.get(BTC)!.sentAt, [T - 5, T]);
  });
});
