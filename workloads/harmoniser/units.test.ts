// A position that is counted in other lots than its venue counts in since a restart: nothing is sent, and its mark stays.
import assert from 'node:assert/strict';
import { newState, savedOf } from './state.ts';
import { riskView } from './risk.ts';
import { aPolicy, INSTRUMENT, SYMBOLS } from './test/builders.ts';
import { decisions, Desk, IDENTITY, orders } from './test/desk.ts';

const BTC = 'BTC-USD';
const coarser = { instrument: { ...INSTRUMENT, quantityScale: INSTRUMENT.quantityScale / 10 } };
const down = [{ edgeBps: -60, confidence: 1 }];
const up = [{ edgeBps: 60, confidence: 1 }];

/** 1 BTC, held since before a restart. */
function restarted(): Desk {
  const before = new Desk().open({ cash: 9e11 });
  before.signal({ edges: [] });
  const fill = { orderId: 'o', tradeId: 't', side: 'buy', lots: 100_000, ticks: 6_000_000, notionalMicros: 6e10, feeMicros: 0, quantityScale: 100_000 } as const; // prettier-ignore
  before.report(BTC, { kind: 'fill', ...fill });
  const after = new Desk(newState(IDENTITY, SYMBOLS, savedOf(before.state)));
  after.venue.seq = before.venue.seq;
  return after.open({ cash: 8.4e11, positions: { [BTC]: 100_000 } });
}

const heldOf = ({ state, now }: Desk): number => riskView(state, aPolicy(), now).filled[0] ?? NaN;

describe('a position in other units than its venue counts in', () => {
  it('is neither reduced nor added to, and the decision says that the market is closed', () => {
    for (const edges of [down, up]) {
      const desk = restarted();
      for (let i = 0; i < 8; i++) {
        desk.now += 250;
        const outputs = desk.signal({ edges, features: coarser });
        assert.deepEqual(orders(outputs), []);
        assert.equal(decisions(outputs).length, 1);
        assert.ok(desk.blocked().includes('Halted'));
      }
      desk.now += 250;
      assert.equal(orders(desk.signal({ edges: down })).length, 1, 'in its own units again');
    }
  });

  it('is worth what it was, for VaR and for equity', () => {
    const desk = restarted();
    const before = heldOf(desk);
    desk.signal({ edges: down, features: coarser });
    desk.tick();
    assert.ok(before > 0.05 && before < 0.07);
    assert.ok(Math.abs(heldOf(desk) - before) < 1e-5);
    assert.ok(Math.abs((desk.state.equity.usd ?? 0) - 900_000) < 1_000, `${desk.state.equity.usd}`);
  });

  it('is known also by one who has only the venue’s word', () => {
    const desk = new Desk().open();
    desk.report(BTC, { kind: 'account', requestId: 'r', cashMicros: 1, positions: { [BTC]: 5 }, quantityScales: { [BTC]: 100_000 }, openOrders: [], epoch: 1 }); // prettier-ignore
    desk.signal({ features: coarser });
    assert.equal(desk.state.symbols.get(BTC)!.quote, undefined);
    desk.now += 250;
    desk.signal();
    assert.equal(desk.state.symbols.get(BTC)!.quote?.instrument.quantityScale, 100_000);
  });

  it('is none while nothing is held', () => {
    const desk = restarted();
    desk.report(BTC, { kind: 'account', requestId: 'r', cashMicros: 1e12, positions: {}, openOrders: [], epoch: 1 });
    desk.now += 250;
    assert.equal(orders(desk.signal({ edges: up, features: coarser })).length, 1);
  });
});
