// Three clocks: ours, the router's, ingest's. Ages never subtract two of them, and a silent source makes everything old.
import assert from 'node:assert/strict';
import type { Signal } from '../contract/messages.ts';
import { step } from './step.ts';
import { aSignal } from './test/builders.ts';
import { decisions, Desk, T } from './test/desk.ts';

const BTC = 'BTC-USD';
const HOUR = 3_600_000;

/** Puts the router's and ingest's clocks off. */
function offBy(signal: Signal, { router, ingest }: { router: number; ingest: number }): Signal {
  const { features, edges } = signal;
  return {
    ...signal,
    t: signal.t + router,
    edges: edges.map((edge) => ({ ...edge, t: edge.t + router })),
    features: { ...features, t: features.t + ingest, heardAt: features.heardAt + ingest },
  };
}

describe('clocks of other pods', () => {
  for (const clocks of [
    { router: HOUR, ingest: -HOUR },
    { router: -HOUR, ingest: HOUR },
  ])
    it(`change no decision: router ${clocks.router / HOUR} h, ingest ${clocks.ingest / HOUR} h off`, () => {
      const [near, away] = [new Desk().open(), new Desk().open()];
      for (let i = 1; i <= 40; i++) {
        const now = T + i * 300;
        const signal = aSignal({ seq: i, t: now - (i % 7) * 10, edges: [{ edgeBps: 12, t: now - 200 }] });
        const expected = decisions(step(near.state, { kind: 'signal', signal, now }));
        assert.deepEqual(decisions(step(away.state, { kind: 'signal', signal: offBy(signal, clocks), now })), expected);
      }
    });
  for (const offset of [-HOUR, 0, HOUR])
    it(`find a signal that was long on its way, ${offset / HOUR} h off`, () => {
      const { state } = new Desk().open();
      const give = (seq: number, late: number): number => {
        const now = T + seq * 300;
        const signal = offBy(aSignal({ seq, t: now - late }), { router: offset, ingest: offset });
        return decisions(step(state, { kind: 'signal', signal, now })).length;
      };
      assert.deepEqual([give(1, 5), give(2, 2_000), give(3, 2_006)], [1, 1, 0]);
    });
});

describe('a silent source', () => {
  /** Signals go on, four a second, but nothing was heard since T. */
  const silentFor = (seconds: number, desk = new Desk().open()): Desk => {
    for (let i = 0; i <= seconds * 4; i++) {
      desk.signal({ edges: [], features: { heardAt: T } });
      desk.tick();
    }
    return desk;
  };
  it('makes the book stale after 2 s', () => {
    assert.ok(!silentFor(1).blocked().includes('BookStale'));
    assert.ok(silentFor(3).blocked().includes('BookStale'));
  });
  it('makes the mark old: no grid point after 15 s, worst case after 60 s', () => {
    const desk = silentFor(30);
    const outputs = desk.tick(5_000);
    assert.deepEqual(
      outputs.filter(({ kind }) => kind === 'volatility'),
      [],
    );
    const { at } = desk.state.symbols.get(BTC)!.quote!;
    assert.equal(at, T);
  });
  it('leaves the blend unscored', () => {
    const desk = new Desk().open();
    desk.signal();
    assert.ok(desk.state.symbols.get(BTC)!.excess.open !== undefined);
    silentFor(3, desk);
    assert.equal(desk.state.symbols.get(BTC)!.excess.open, undefined);
    assert.equal(desk.state.symbols.get(BTC)!.excess.samples, 0);
  });
});
