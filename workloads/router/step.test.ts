import assert from 'node:assert/strict';
import { BOOK_FRESH_MS, type Signal } from '../contract/messages.ts';
import { parseSaved, savedFields } from './saved.ts';
import { newState, type State } from './state.ts';
import { step } from './step.ts';
import { aRouter, features, give, policyOf, rules, signalIn, T0 } from './test/desk.ts';

describe('the router', () => {
  it('makes a signal of each features, with the features whole and each active model once', () => {
    const state = aRouter();
    const given = features(1);
    const signal = signalIn(give(state, given, 7));
    assert.deepEqual(signal?.features, given);
    assert.equal(signal?.featuresAgeMs, 7);
    assert.deepEqual(signal?.active, { 60: 'order_book_pressure', 300: 'momentum' });
    assert.deepEqual(signal?.edges.map(({ model }) => model), ['order_book_pressure']); // prettier-ignore
    assert.equal(signal?.horizonSeconds, 60);
    assert.equal(signal?.edges[0]?.edgeBps, 12.5);
  });
  it('takes features once and in order, and drops what is too old to act on', () => {
    const state = aRouter();
    assert.equal(give(state, features(5)).length, 1);
    assert.equal(give(state, features(5)).length, 0);
    assert.equal(give(state, features(4)).length, 0);
    assert.equal(give(state, features(6), 2_001).length, 0);
    assert.equal(state.staleFeatures, 3);
  });
  it('takes features without a finite age for old', () => {
    const state = aRouter();
    for (const ageMs of [NaN, Infinity, undefined as unknown as number])
      assert.deepEqual(step(state, { kind: 'features', features: features(1), ageMs, now: T0 }), []);
    assert.equal(state.staleFeatures, 3);
  });
  it('smooths pressure over 10 s: what is scored is what is traded', () => {
    const state = aRouter();
    give(state, features(1, { pressure: 1 }));
    const signal = signalIn(give(state, features(201, { pressure: -1 })));
    const expected = 25 + (1 - Math.exp(-1)) * -50;
    assert.ok(Math.abs(signal!.edges[0]!.edgeBps - expected) < 1e-9);
  });
  it('claims momentum only when it has seen its long window, and within ±40 bps', () => {
    const state = aRouter();
    const first = Math.floor(T0 / 5_000);
    let last: Signal | undefined;
    for (let i = 0; i < 40; i++) {
      const grid = { index: first + i, mid: 60_000 * (1 + i * 0.001) };
      last = signalIn(give(state, features(i * 100 + 1, { grid })));
      assert.equal(
        last?.edges.some(({ model }) => model === 'momentum'),
        i >= 35,
        `after ${i + 1} cells`,
      );
    }
    assert.equal(last?.edges.find(({ model }) => model === 'momentum')?.edgeBps, 40);
  });
  it('keeps signals going while paused, and says so', () => {
    const state = aRouter();
    step(state, { kind: 'paused', paused: true });
    assert.equal(signalIn(give(state, features(1)))?.routerPaused, true);
  });
  it('leaves out models that cannot be run as they are written, and refuses rules whose default is one', () => {
    const server = { type: 'OpenInference', parameters: {}, minAccuracy: 0 };
    const reversion = { type: 'MeanReversion', parameters: { longSeconds: 1e9 }, minAccuracy: 0 };
    const [noPort, noHost] = ['http://models:80800', 'http://[::1'].map((url) => ({ ...server, url }));
    const models = {
      server,
      noPort,
      noHost,
      reversion,
      momentum: { type: 'Momentum', parameters: {}, minAccuracy: 0 },
    };
    assert.deepEqual([...policyOf({ models, defaultModel: 'momentum', rules: [] }).models.keys()], ['momentum']);
    assert.throws(
      () => policyOf({ models, defaultModel: 'server', rules: [] }),
      /defaultModel: found server, url: found none, which type OpenInference needs/,
    );
    assert.throws(
      () => policyOf({ models, defaultModel: 'noPort', rules: [] }),
      /defaultModel: found noPort, url: found http:..models:80800, expected an address/,
    );
    assert.throws(
      () => policyOf({ models, defaultModel: 'reversion', rules: [] }),
      /parameters.longSeconds: found 1000000000, expected 60 … 21600/,
    );
  });
  it('keeps what a model has learned when the rules change around it, and forgets it when the model changes', () => {
    const state = aRouter();
    give(state, features(1));
    const learned = state.symbols.get('BTC-USD')!.models.get('momentum');
    step(state, {
      kind: 'policy',
      policy: policyOf({ switching: { windowSeconds: 60, max: 1, onExcess: 'Alert' } }),
      now: T0,
    });
    assert.equal(state.symbols.get('BTC-USD')!.models.get('momentum'), learned);
    const models = {
      ...rules().rules.models,
      momentum: { type: 'Momentum', parameters: { longSeconds: 300 }, minAccuracy: 0 },
    };
    step(state, { kind: 'policy', policy: policyOf({ models }), now: T0 });
    assert.notEqual(state.symbols.get('BTC-USD')!.models.get('momentum'), learned);
  });
  it('goes on after a restart where it was: calibration, dwell and grid', () => {
    const state = aRouter();
    for (let i = 1; i <= 3_000; i++) give(state, features(i, { mid: 60_000 + i }));
    const saved = (of: State) => savedFields(of, of.symbols.keys());
    const fields = saved(state);
    assert.deepEqual(Object.keys(fields).sort(), ['BTC-USD', 'ETH-USD', 'switches']);
    const restored = newState('another', parseSaved(fields));
    step(restored, { kind: 'policy', policy: policyOf(), now: T0 });
    assert.deepEqual(saved(restored), fields);
    const [before, after] = [state, restored].map((of) => of.symbols.get('BTC-USD')!);
    assert.deepEqual(after!.selections, before!.selections);
    assert.deepEqual(after!.grid.points, before!.grid.points);
    const record = (symbol: typeof before) => symbol!.models.get('order_book_pressure')!.calibration;
    assert.equal(record(after).samples, 2);
    assert.deepEqual(record(after), record(before));
  });
  it('leaves out what is damaged or of another format, and goes on with the rest', () => {
    const state = aRouter();
    give(state, features(1));
    const fields = savedFields(state, ['BTC-USD']);
    for (const text of ['nonsense', 'null', '[]', '{"format":1}']) {
      const { symbols, switches } = parseSaved({ ...fields, 'ETH-USD': text, switches: text });
      assert.deepEqual([[...symbols.keys()], switches], [['BTC-USD'], []], text);
    }
    assert.equal(parseSaved({}).symbols.size, 0);
  });
  for (const offset of [-3_600_000, 3_600_000])
    it(`works the same with ingest’s clock ${offset / 3_600_000} h from its own`, () => {
      const away = aRouter();
      const near = aRouter();
      for (let i = 1; i <= 3_000; i++) {
        const one = features(i, { mid: 60_000 + i });
        const shifted = { ...one, t: one.t + offset, heardAt: one.heardAt + offset };
        const expected = signalIn(give(near, one));
        const signal = signalIn(step(away, { kind: 'features', features: shifted, ageMs: 1, now: one.t + 1 }));
        assert.deepEqual(signal?.edges, expected?.edges);
      }
      const late = features(3_001);
      const stale = { ...late, t: late.t + offset, heardAt: late.heardAt + offset };
      assert.deepEqual(step(away, { kind: 'features', features: stale, ageMs: 2_001, now: late.t + 2_001 }), []);
    });
  it('scores nothing across a stall, of the feed or of its own', () => {
    const samples = (silent: (i: number) => boolean, more: (i: number) => object): number => {
      const state = aRouter();
      for (let i = 1; i <= 2_500; i++) if (!silent(i)) give(state, features(i, more(i)));
      return state.symbols.get('BTC-USD')!.models.get('order_book_pressure')!.calibration.samples;
    };
    const none = () => false;
    assert.equal(
      samples(none, () => ({})),
      2,
    ); // 125 s of features, horizon 60 s
    assert.equal(
      samples(
        (i) => i > 900 && i < 965,
        () => ({}),
      ),
      1,
    ); // nothing for 3.2 s
    const heardAt = T0 + 900 * 50;
    assert.equal(
      samples(none, (i) => (i > 900 && i < 950 ? { heardAt } : {})),
      1,
    ); // silent source, 2.5 s
    assert.equal(
      samples(none, (i) => (i === 900 ? { lagMs: BOOK_FRESH_MS + 1 } : { lagMs: BOOK_FRESH_MS })),
      1,
    ); // one book that was late
  });
  it('scores nothing across a halt, however the market opens again', () => {
    const ofHalt = (i: number) => (i > 900 && i < 910 ? { valid: false, halted: 'BREAK' } : {});
    const run = (more: (i: number) => object) => {
      const state = aRouter();
      for (let i = 1; i <= 2_500; i++) give(state, features(i, more(i)));
      return state.symbols.get('BTC-USD')!.models.get('order_book_pressure')!.calibration;
    };
    const jumped = (i: number) => ({ ...ofHalt(i), ...(i >= 910 ? { mid: 30_000 } : {}) });
    const { samples, sxx, sxxyy } = run(jumped);
    assert.deepEqual([samples, sxx > 0, sxxyy], [1, true, 0], 'the jump is in none');
    assert.equal(run(ofHalt).samples, 1);
  });
  for (const [title, more] of [
    ['pressure', { pressure: NaN }],
    ['pressure, beyond all numbers', { pressure: Infinity }],
    ['mid', { mid: Infinity }],
  ] as const)
    it(`is itself again after features whose ${title} is no number`, () => {
      const state = aRouter();
      let last: Signal | undefined;
      for (let i = 1; i <= 3_000; i++) {
        const bad = i === 5 || i === 1_201;
        last = signalIn(give(state, features(i, { mid: 60_000 + i, ...(bad ? more : {}) })));
        for (const { edgeBps, beta, confidence } of last!.edges)
          assert.ok([edgeBps, beta, confidence].every(Number.isFinite), `${i}: ${edgeBps} ${beta} ${confidence}`);
      }
      const { samples, sxx, sxy, sxxyy } = state.symbols.get('BTC-USD')!.models.get('order_book_pressure')!.calibration;
      assert.ok(samples > 0 && [sxx, sxy, sxxyy].every(Number.isFinite), `${samples}: ${sxx} ${sxy} ${sxxyy}`);
      assert.equal(last?.edges[0]?.edgeBps, 12.5);
    });
  it('scores nothing while the book is not valid', () => {
    const state = aRouter();
    for (let i = 1; i <= 2_000; i++) give(state, features(i, { valid: false }));
    assert.equal(state.symbols.get('BTC-USD')!.models.get('order_book_pressure')!.calibration.samples, 0);
  });
});

describe('rules', () => {
  const candidates = (match: object): readonly string[] =>
    policyOf({ rules: [{ name: 'x', match, model: 'momentum', priority: 1 }] })
      .symbols.get('BTC-USD')!
      .candidates.get(300)!;
  for (const [match, hit] of [
    [{}, true],
    [{ symbols: ['BTC-*'] }, true],
    [{ symbols: ['BTC-US?'] }, true],
    [{ symbols: ['ETH-*'] }, false],
    [{ symbols: ['BTC.USD'] }, false],
    [{ assetClasses: ['crypt*'] }, true],
    [{ assetClasses: ['forex'] }, false],
    [{ horizon: { min: '5m' } }, true],
    [{ horizon: { max: '5m' } }, false],
    [{ horizon: { min: '1m', max: '301s' } }, true],
  ] as const)
    // prettier-ignore
    it(`${hit ? 'match' : 'do not match'} BTC-USD at 300 s by ${JSON.stringify(match)}`, () => {
      assert.deepEqual(candidates(match), hit ? ['momentum', 'order_book_pressure'] : ['order_book_pressure']);
    });
});
