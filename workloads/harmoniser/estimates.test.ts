import assert from 'node:assert/strict';
import { step } from './step.ts';
import { seededVolatility } from './volatility.ts';
import { aPolicy } from './test/builders.ts';
import { Desk, T } from './test/desk.ts';

const DAY = 86_400;
const TODAY = Math.floor(T / 1_000 / DAY) * DAY;
const closes = Array.from({ length: 90 }, (_, i): [number, number] => [TODAY - (90 - i) * DAY, 100 + (i % 2)]);
const bars = { kind: 'bars', symbol: 'BTC-USD', closes, now: T } as const;

describe('daily closes that come', () => {
  it('stand in for the class’s default, once, and the fast clock keeps what is more', () => {
    const { state } = new Desk().open();
    const before = state.volatilities.get('BTC-USD');
    assert.equal(before?.source, 'ClassDefault');
    before.last = { index: 7, mid: 5 };
    const [note] = step(state, bars);
    assert.equal(note?.kind === 'note' && note.code, 'VolatilityFromBars');
    const after = state.volatilities.get('BTC-USD');
    assert.ok(after !== undefined && Math.abs(Math.sqrt(after.slowVariance) - 0.01) < 0.0005);
    assert.deepEqual([after.source, after.last], ['DailyBars', { index: 7, mid: 5 }]);
    assert.equal(after.fastVariance, before.fastVariance);
    assert.equal(state.volatilities.get('ETH-USD')?.source, 'ClassDefault');
    assert.deepEqual(step(state, bars), []);
  });
  it('change nothing where the start was warmer, they say nothing, or the symbol is not there', () => {
    const { state } = new Desk().open();
    assert.deepEqual(step(state, { ...bars, closes: closes.slice(40) }), []);
    assert.deepEqual(step(state, { ...bars, symbol: 'X-USD' }), []);
    const stored = seededVolatility(0.05, 'Stored', T);
    state.volatilities.set('BTC-USD', stored);
    step(state, bars);
    assert.equal(state.volatilities.get('BTC-USD'), stored);
  });
  it('survive a policy that comes after', () => {
    const { state } = new Desk().open();
    step(state, bars);
    step(state, { kind: 'policy', policy: aPolicy(), now: T + 1 });
    assert.equal(state.volatilities.get('BTC-USD')?.source, 'DailyBars');
  });
});
