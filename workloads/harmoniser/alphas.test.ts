// What a signal provider's edge may do at the harmoniser: no more than a model's.
import assert from 'node:assert/strict';
import { step } from './step.ts';
import { FREE, STOPPED } from './test/builders.ts';
import { decisions, Desk, orders } from './test/desk.ts';

const VERTEX = { model: 'vertex', edgeBps: 40, horizonSeconds: 60, confidence: 0.9, beta: 1, sampleCount: 900 };
const ONLY_ALPHA = { edges: [VERTEX] };

describe('an alpha alone', () => {
  it('opens, where every gate lets it', () => assert.equal(orders(new Desk().open().signal(ONLY_ALPHA)).length, 1));
  for (const [what, control, code] of [
    ['the control state is unknown', { restraint: FREE, readable: false }, 'ControlUnreadable'],
    ['trading is stopped', { restraint: STOPPED, readable: true }, 'TradingStopped'],
  ] as const)
    it(`opens nothing while ${what}`, () => {
      const desk = new Desk().open();
      step(desk.state, { kind: 'control', ...control, now: desk.now });
      assert.deepEqual(orders(desk.signal(ONLY_ALPHA)), []);
      assert.ok(desk.blocked().includes(code));
    });
  it('opens nothing while the book is out, whatever it says', () => {
    const desk = new Desk().open();
    desk.signal({ edges: [] });
    desk.now += 300;
    assert.deepEqual(orders(desk.signal({ ...ONLY_ALPHA, features: { valid: false } })), []);
    assert.ok(desk.blocked().includes('BookInvalid'));
  });
  for (const [what, edge] of [
    ['whose horizon is over', { horizonSeconds: 1e-3 }],
    ['that nothing is known of beyond doubt', { confidence: 0.3 }],
    ['beyond what an edge may be', { edgeBps: 100.1 }],
    ['that is no number', { edgeBps: NaN }],
  ] as const)
    it(`has no weight ${what}, and the model beside it decides as if it were not there`, () => {
      const model = { model: 'order_book_pressure', edgeBps: 20, horizonSeconds: 60, confidence: 0.8, beta: 1 };
      const decided = (edges: readonly object[]) => {
        const desk = new Desk().open();
        const made = desk.now - 5;
        const [decision] = decisions(desk.signal({ edges: edges.map((one) => ({ ...one, t: made })) }));
        return [decision!.edgeBps, decision!.target];
      };
      assert.deepEqual(decided([model, { ...VERTEX, ...edge }]), decided([model]));
      assert.notDeepEqual(decided([model, VERTEX]), decided([model]));
    });
});
