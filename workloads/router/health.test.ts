// What an unhealthy model costs: its edge, whatever the selection can do about it; and what too many switches cost.
import assert from 'node:assert/strict';
import { randomFrom } from '../simulator/random.ts';
import { takeSample } from './calibration.ts';
import type { Output, State } from './state.ts';
import { step } from './step.ts';
import { aRouter, features, give, policyOf, rules, signalIn, T0 } from './test/desk.ts';

const BTC = 'BTC-USD';
const PRESSURE = 'order_book_pressure';

/** Both models are candidates at 60 s and need a confidence of .6. */
const STRICT = {
  models: Object.fromEntries(
    Object.entries(rules().rules.models).map(([name, model]) => [name, { ...model, minAccuracy: 0.6 }]),
  ),
  rules: [
    { name: 'a', match: {}, model: PRESSURE, priority: 1 },
    { name: 'b', match: {}, model: 'momentum', priority: 2 },
  ],
};

/** Makes a model's record one of claims that came true (slope 1), or of the opposite. */
function know(state: State, model: string, slope: 1 | -1): void {
  const { calibration } = state.symbols.get(BTC)!.models.get(model)!;
  Object.assign(calibration, { n: 0, sxx: 0, sxy: 0, sxxyy: 0 });
  for (let i = 0; i < 60; i++) takeSample(calibration, 10, slope * 10 + (i % 2));
}
const activeAt60 = (state: State): string | undefined => state.symbols.get(BTC)!.selections.get(60)?.model;
const edgesOf = (outputs: readonly Output[]): string[] => signalIn(outputs)!.edges.map(({ model }) => model);
/** A grid on which momentum has a claim from the start. */
const withGrid = (state: State): void => {
  const first = Math.floor(T0 / 5_000) - 40;
  const { grid } = state.symbols.get(BTC)!;
  grid.points = Array.from({ length: 40 }, (_, i) => ({ index: first + i, mid: 60_000 + i }));
};

describe('an unhealthy model', () => {
  it('has no edge while it is active and cannot be left', () => {
    const state = aRouter(STRICT);
    assert.deepEqual(edgesOf(give(state, features(1))), [], 'nothing known: .5 is below .6');
    assert.equal(activeAt60(state), PRESSURE);
    know(state, PRESSURE, 1);
    assert.deepEqual(edgesOf(give(state, features(2))), [PRESSURE]);
  });
  it('has no edge while it is frozen, and is kept', () => {
    const state = aRouter(STRICT);
    know(state, PRESSURE, 1);
    give(state, features(1));
    step(state, { kind: 'paused', paused: true });
    assert.deepEqual(edgesOf(give(state, features(2))), [PRESSURE]);
    know(state, PRESSURE, -1);
    know(state, 'momentum', 1);
    assert.deepEqual(edgesOf(give(state, features(3))), []);
    assert.equal(activeAt60(state), PRESSURE);
  });
  it('is left, the default too, and no signal ever carries the edge of one, whatever their health does', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomFrom(seed);
      const state = aRouter(STRICT);
      withGrid(state);
      const seen = new Set<string>();
      let [switches, chosen] = [0, 0];
      for (let i = 1; i <= 400; i++) {
        const sick = [PRESSURE, 'momentum'].filter((model) => {
          const slope = random() < 0.5 ? 1 : -1;
          know(state, model, slope);
          return slope < 0;
        });
        const outputs = give(state, features(i * 20)); // once a second
        const made = outputs.flatMap((one) =>
          one.kind === 'switch' && one.switch.horizonSeconds === 60 ? one.switch : [],
        );
        switches += made.length;
        chosen += made.filter(({ to }) => to !== PRESSURE).length;
        const edges = edgesOf(outputs);
        assert.deepEqual(
          sick.filter((model) => edges.includes(model)),
          [],
          `seed ${seed}`,
        );
        edges.forEach((model) => seen.add(model));
      }
      assert.deepEqual([...seen].sort(), ['momentum', PRESSURE], `seed ${seed}`);
      const bound = 1 + 400 / 60;
      assert.ok(chosen > 2 && chosen <= bound && switches <= 2 * bound, `seed ${seed}: ${chosen} of ${switches}`);
    }
  });
});

describe('a market that rests', () => {
  const CLOSED = { session: { marketHoursOnly: true, calendar: 'XNYS' } }; // at T0 it is 17:13 in New York
  const OPEN = { session: { marketHoursOnly: true, calendar: '24x7' } };
  /** 130 s in which pressure, which starts, shows nothing, and momentum is known to be worth something. */
  const after = (session: object, more: object = {}): State => {
    const state = aRouter({ rules: STRICT.rules, ...session });
    withGrid(state);
    for (let i = 1; i <= 130; i++) {
      know(state, 'momentum', 1);
      give(state, features(i * 20, more));
    }
    return state;
  };
  const samples = (state: State): number => state.symbols.get(BTC)!.models.get(PRESSURE)!.calibration.samples;

  it('sees no switch for more confidence: closed, without trades, too wide, or halted', () => {
    assert.equal(activeAt60(after(OPEN)), 'momentum');
    assert.equal(activeAt60(after(CLOSED)), PRESSURE);
    assert.equal(activeAt60(after(OPEN, { trades: 5 })), PRESSURE, 'no trade for 60 s');
    assert.equal(activeAt60(after(OPEN, { halted: 'BREAK' })), PRESSURE, 'halted');
    const wide = { session: { ...OPEN.session, maxSpreadBps: 1 } };
    assert.equal(activeAt60(after(wide, { spreadBps: 2 })), PRESSURE, 'too wide for 30 s');
    assert.equal(activeAt60(after({ session: { marketHoursOnly: false, calendar: 'XNYS' } })), 'momentum');
  });
  it('is not what models are scored on while it is closed', () => {
    const scored = (session: object): number => {
      const state = aRouter(session);
      for (let i = 1; i <= 130; i++) give(state, features(i * 20));
      return samples(state);
    };
    assert.deepEqual([scored(OPEN), scored(CLOSED)], [2, 0]);
  });
  it('has no sample that begins before it opens', () => {
    const opens = Date.parse('2023-11-15T14:30:00Z');
    const state = aRouter(CLOSED);
    for (let i = -30; i <= 70; i++) {
      const t = opens + i * 1_000;
      give(state, features(100 + i, { t, heardAt: t, mid: i < 0 ? 60_000 : 66_000 }));
    }
    const { sxx, sxxyy } = state.symbols.get(BTC)!.models.get(PRESSURE)!.calibration;
    assert.deepEqual([samples(state), sxx > 0, sxxyy], [1, true, 0], 'the jump of the night is in none');
  });
});

describe('too many switches', () => {
  const excessIn = (outputs: readonly Output[]) => outputs.filter(({ kind }) => kind === 'excess');
  /** One more than may be, just now. */
  const switching = (onExcess: 'Pause' | 'Alert'): State => {
    const state = aRouter({ switching: { windowSeconds: 300, max: 20, onExcess } });
    state.switches = Array.from({ length: 33 }, () => T0);
    return state;
  };
  it('are those beyond the rules’ bound, and beyond 8 for each symbol and horizon', () => {
    const max = (of: number): number =>
      policyOf({ switching: { windowSeconds: 300, max: of, onExcess: 'Pause' } }).excess.max;
    assert.deepEqual([max(20), max(50)], [32, 50]); // two symbols at two horizons
    const state = switching('Pause');
    state.switches.pop();
    assert.deepEqual(excessIn(give(state, features(1))), []);
  });
  it('ask for a pause until there is one', () => {
    const state = switching('Pause');
    assert.deepEqual(excessIn(give(state, features(1))), [{ kind: 'excess', switches: 33, pause: true }]);
    assert.deepEqual(excessIn(give(state, features(100))), [], 'not twice within 5 s');
    assert.equal(excessIn(give(state, features(102))).length, 1, 'the pause did not come into force');
    step(state, { kind: 'paused', paused: true });
    assert.deepEqual(excessIn(give(state, features(300))), []);
    step(state, { kind: 'paused', paused: false });
    assert.deepEqual(excessIn(give(state, features(500))), [], 'whoever ends the pause knows');
  });
  it('are told once where they pause nothing', () => {
    const state = switching('Alert');
    assert.deepEqual(excessIn(give(state, features(1))), [{ kind: 'excess', switches: 33, pause: false }]);
    assert.deepEqual(excessIn(give(state, features(200))), []);
  });
});
