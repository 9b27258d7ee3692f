// Three clocks: ours, the router's, ingest's. Ages never subtract two of them, and a silent source makes everything old.
import assert from 'node:assert/strict';
import { BOOK_FRESH_MS, type Signal } from '../contract/messages.ts';
import { step } from './step.ts';
import { aSignal } from './test/builders.ts';
import { decisions, Desk, T } from './test/desk.ts';

const BTC = 'BTC-USD';
const HOUR = 3_600_000;

const heardAt = ({ state }: Desk): number => state.symbols.get(BTC)!.heardAt;

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
        const [now, ageMs, featuresAgeMs] = [T + i * 300, (i % 7) * 10, (i % 5) * 7];
        const signal = aSignal({ seq: i, t: now - ageMs, featuresAgeMs, edges: [{ edgeBps: 12, t: now - 200 }] });
        const shifted = offBy(signal, clocks);
        const expected = decisions(step(near.state, { kind: 'signal', signal, ageMs, now }));
        assert.deepEqual(decisions(step(away.state, { kind: 'signal', signal: shifted, ageMs, now })), expected);
        assert.equal(heardAt(away), heardAt(near));
      }
    });
  for (const offset of [-HOUR, 0, HOUR]) {
    const clocks = { router: offset, ingest: -offset };
    it(`find a signal that was long on its way, also the first, ${offset / HOUR} h off`, () => {
      const { state } = new Desk().open();
      const give = (seq: number, ageMs: number): number => {
        const now = T + seq * 300;
        const signal = offBy(aSignal({ seq, t: now - ageMs }), clocks);
        return decisions(step(state, { kind: 'signal', signal, ageMs, now })).length;
      };
      assert.deepEqual([give(1, 2_001), give(2, 5), give(3, 2_000), give(4, 2_001)], [0, 1, 1, 0]);
    });
    it(`find a book that grew old on its whole way, ${offset / HOUR} h off`, () => {
      const blockedAt = (sourceMs: number): readonly string[] => {
        const desk = new Desk().open();
        const made = { t: T - 700, featuresAgeMs: 600, features: { heardAt: T - 700 - sourceMs } };
        step(desk.state, { kind: 'signal', signal: offBy(aSignal(made), clocks), ageMs: 700, now: T });
        assert.equal(heardAt(desk), T - 700 - 600 - sourceMs);
        return desk.blocked();
      };
      assert.deepEqual([blockedAt(700), blockedAt(701)], [[], ['BookStale']]);
    });
  }
});

describe('the age of a claim', () => {
  it('goes on while its signal is on its way', () => {
    const edgeAfter = (ageMs: number): number => {
      const desk = new Desk().open();
      const signal = offBy(aSignal({ t: T, edges: [{ t: T - 1_500 + ageMs }] }), { router: HOUR, ingest: -HOUR });
      return decisions(step(desk.state, { kind: 'signal', signal, ageMs, now: T }))[0]!.edgeBps;
    };
    assert.equal(edgeAfter(1_500), edgeAfter(0));
    assert.notEqual(edgeAfter(1_500), decisions(new Desk().open().signal())[0]!.edgeBps);
  });
});

describe('a message without an age', () => {
  const none = undefined as unknown as number;
  for (const [title, ageMs, signal] of [
    ['of its own', NaN, aSignal({ t: T })],
    ['that is finite', Infinity, aSignal({ t: T })],
    ['at all', none, aSignal({ t: T })],
    ['of its features', 0, { ...aSignal({ t: T }), featuresAgeMs: none }],
    ['of its features that is finite', 0, JSON.parse(JSON.stringify(aSignal({ t: T, featuresAgeMs: NaN }))) as Signal],
    ['of its book', 0, aSignal({ t: T, features: { heardAt: NaN } })],
  ] as const)
    it(`counts as old: none ${title}`, () => {
      const { state } = new Desk().open();
      assert.deepEqual(step(state, { kind: 'signal', signal, ageMs, now: T }), []);
      assert.equal(state.staleSignals, 1);
    });
});

describe('a source that is late', () => {
  const lateBy = (lagMs: number, silentMs = 0): Desk => {
    const desk = new Desk().open();
    desk.signal({ edges: [], features: { heardAt: T - silentMs, lagMs } });
    return desk;
  };
  it('makes the book late when lag and silence are more than 2 s together, and says how much is lag', () => {
    assert.deepEqual(lateBy(BOOK_FRESH_MS - 500, 500).blocked(), []);
    assert.deepEqual(lateBy(BOOK_FRESH_MS - 499, 500).blocked(), ['BookLate']);
    assert.deepEqual(lateBy(30_000, BOOK_FRESH_MS + 1).blocked(), ['BookStale']);
  });
  it('makes its mark as old as it is', () => {
    assert.equal(lateBy(700, 100).state.symbols.get(BTC)!.quote!.at, T - 800);
  });
  it('leaves the blend unscored', () => {
    const open = (lagMs: number): unknown => {
      const desk = new Desk().open();
      desk.signal({ features: { lagMs } });
      return desk.state.symbols.get(BTC)!.excess.open;
    };
    assert.ok(open(BOOK_FRESH_MS) !== undefined);
    assert.equal(open(BOOK_FRESH_MS + 1), undefined);
  });
  it('is not believed where its lag is no number, or of a time to come', () => {
    for (const lagMs of [Number.NaN, -1]) {
      const desk = new Desk().open();
      desk.signal({ features: { lagMs } });
      assert.equal(desk.state.staleSignals, 1);
    }
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
