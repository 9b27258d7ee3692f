// A market that its venue halts, in the harmoniser: nothing is sent, not even a reduction, and the decision says why.
import assert from 'node:assert/strict';
import { Desk, orders } from './test/desk.ts';

const HALTED = { valid: false, halted: 'BREAK' };
const strong = [{ edgeBps: 60, confidence: 1 }];

describe('a halted market', () => {
  it('is not opened, and the decision names the halt', () => {
    const desk = new Desk().open();
    desk.signal();
    desk.now += 250;
    assert.deepEqual(orders(desk.signal({ edges: strong, features: HALTED })), []);
    assert.deepEqual(desk.blocked(), ['Halted', 'BookInvalid']);
    desk.now += 250;
    assert.equal(orders(desk.signal({ edges: strong })).length, 1, 'when it trades again');
  });

  it('is not reduced either: no venue would take the order', () => {
    const desk = new Desk().open({ cash: 8e11, positions: { 'BTC-USD': 150_000 } });
    desk.signal({ edges: [] });
    desk.now += 250;
    const down = [{ edgeBps: -60, confidence: 1 }];
    assert.deepEqual(orders(desk.signal({ edges: down, features: HALTED })), []);
    for (let i = 0; i < 8; i++) assert.deepEqual(orders(desk.tick()), []);
    desk.now += 250;
    const [order] = orders(desk.signal({ edges: down }));
    assert.deepEqual([order?.side, order?.reduceOnly], ['sell', true]);
  });

  it('is opened on a valid book only, also in the moment after', () => {
    const desk = new Desk().open();
    desk.signal({ features: HALTED });
    desk.now += 250;
    assert.deepEqual(orders(desk.signal({ edges: strong, features: { valid: false } })), []);
    desk.now += 250;
    assert.equal(orders(desk.signal({ edges: strong })).length, 1);
  });

  it('scores no blend across the halt', () => {
    const desk = new Desk().open();
    desk.signal();
    assert.ok(desk.state.symbols.get('BTC-USD')!.excess.open !== undefined);
    desk.now += 250;
    desk.signal({ features: HALTED });
    assert.equal(desk.state.symbols.get('BTC-USD')!.excess.open, undefined);
  });
});
