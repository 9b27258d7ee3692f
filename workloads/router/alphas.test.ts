// Signal providers as the router's core sees them: what came with the features is scored like a model's claim and blended beside it.
import assert from 'node:assert/strict';
import type { AlphaClaim, Features, Signal } from '../contract/messages.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import { aDocument, CONFIG } from '../harmoniser/test/builders.ts';
import { compilePolicy } from './policy.ts';
import { parseSaved, savedFields } from './saved.ts';
import { newState, type State } from './state.ts';
import { routerStatus } from './status.ts';
import { step } from './step.ts';
import { features, give, rules, signalIn, T0 } from './test/desk.ts';

const BTC = 'BTC-USD';
const SOURCES = [
  { name: 'vertex', type: 'alpha', symbols: { [BTC]: 'XBT' }, options: {} },
] as unknown as SystemConfig['sources'];
const policyWith = (change: object = {}, sources = SOURCES) =>
  compilePolicy(aDocument({ rules: rules(change) }), { ...CONFIG, sources }, 0);
function aRouter(change: object = {}): State {
  const state = newState('boot');
  step(state, { kind: 'policy', policy: policyWith(change), now: T0 });
  return state;
}
const alpha = (more: Partial<AlphaClaim> = {}): AlphaClaim => ({
  source: 'vertex',
  edgeBps: 20,
  horizonSeconds: 30,
  ageMs: 0,
  ...more,
});
const withAlpha = (seq: number, more: Partial<AlphaClaim> = {}, change: Partial<Features> = {}): Features =>
  features(seq, { ...change, alphas: [alpha(more)] });
const edgeOf = (signal: Signal | undefined) => signal?.edges.find(({ model }) => model === 'vertex');
const stateOf = (state: State) => state.symbols.get(BTC)!.models.get('vertex')!;
const status = (state: State, now: number) =>
  routerStatus({ pod: 'p', shard: 0, state, ready: true, desired: undefined, at: now, now }).symbols[BTC]!.models;

describe('an alpha in the router', () => {
  it('is blended beside the active models, at its own horizon, as old as it is by now', () => {
    const state = aRouter();
    const signal = signalIn(give(state, withAlpha(1, { ageMs: 400, confidence: 0.9 }), 7));
    assert.deepEqual(signal?.active, { 60: 'order_book_pressure', 300: 'momentum' });
    assert.deepEqual(
      signal?.edges.map(({ model }) => model),
      ['order_book_pressure', 'vertex'],
    );
    const { t, ...edge } = edgeOf(signal)!;
    assert.deepEqual(edge, {
      model: 'vertex',
      horizonSeconds: 30,
      edgeBps: 20,
      confidence: 0.5,
      beta: 1,
      sampleCount: 0,
    });
    assert.equal(signal.t - t, 407);
  });
  it('is none, and spoils no record, where it is no number', () => {
    const state = aRouter();
    const given = [NaN, Infinity].map((edgeBps, i) => give(state, withAlpha(i + 1, { edgeBps })));
    assert.deepEqual(
      given.map((outputs) => edgeOf(signalIn(outputs))),
      [undefined, undefined],
    );
    for (let i = 3; i <= 1_300; i++) give(state, withAlpha(i));
    const { samples, sxx, sxy, sxxyy } = stateOf(state).calibration;
    assert.ok(samples > 0 && [sxx, sxy, sxxyy].every(Number.isFinite), `${samples}: ${sxx} ${sxy} ${sxxyy}`);
  });
  it('is no candidate: it never becomes active, whatever its record', () => {
    const state = aRouter();
    const record = stateOf(state).calibration;
    Object.assign(record, { n: 500, sxx: 5e4, sxy: 5e4, sxxyy: 1.5e7, samples: 500 });
    for (let i = 1; i < 3_000; i++) give(state, withAlpha(i));
    assert.ok(status(state, T0 + 150_000)['vertex']!.confidence > 0.9);
    assert.equal(state.symbols.get(BTC)!.selections.get(60)?.model, 'order_book_pressure');
  });
  it('is of the symbols that its source lists only', () => {
    const signal = signalIn(give(aRouter(), { ...withAlpha(1), symbol: 'ETH-USD' }));
    assert.equal(edgeOf(signal), undefined);
  });
  it('goes on while the router is paused', () => {
    const state = aRouter();
    step(state, { kind: 'paused', paused: true });
    assert.equal(edgeOf(signalIn(give(state, withAlpha(1))))?.edgeBps, 20);
  });
  it('has no edge once its horizon is over, or when the features have none: the others go on', () => {
    const state = aRouter();
    for (const one of [withAlpha(1, { ageMs: 29_999 }), features(2)]) {
      const signal = signalIn(give(state, one));
      assert.deepEqual(
        signal?.edges.map(({ model }) => model),
        ['order_book_pressure'],
      );
      assert.equal(status(state, T0)['vertex']?.unhealthyBy, 'NoClaim');
    }
    assert.equal(edgeOf(signalIn(give(state, withAlpha(3, { ageMs: NaN })))), undefined);
  });
  it('is left out where a model of the rules has its name, which is used', () => {
    const models = { ...rules().rules.models, vertex: { type: 'Momentum', parameters: {}, minAccuracy: 0 } };
    const policy = policyWith({ models });
    assert.equal(policy.models.get('vertex')?.type, 'Momentum');
    assert.match(policy.leftOut.get('vertex') ?? '', /also in rules\.models/);
    const state = aRouter({ models });
    assert.equal(edgeOf(signalIn(give(state, withAlpha(1)))), undefined);
  });
  it('is no model that a rule or the default may name', () => {
    assert.throws(
      () => policyWith({ defaultModel: 'vertex' }),
      /defaultModel: found vertex, which is not among models/,
    );
    const named = policyWith({ rules: [{ name: 'x', match: {}, model: 'vertex', priority: 1 }] });
    assert.deepEqual(named.symbols.get(BTC)?.candidates.get(60), ['order_book_pressure']);
  });
  it('shows what its provider says of it, and decides nothing by it', () => {
    const state = aRouter();
    give(state, withAlpha(1, { confidence: 0.9 }));
    const { confidence, ownConfidence } = status(state, T0)['vertex']!;
    assert.deepEqual([confidence, ownConfidence], [0.5, 0.9]);
  });
});

describe('an alpha’s record', () => {
  it('is of what was left of each claim when it was looked at', () => {
    const state = aRouter();
    give(state, withAlpha(1, { ageMs: 14_999 }, { mid: 100 })); // half of 30 s is left, so half of 20 bps
    assert.equal(stateOf(state).calibration.pending?.horizonMs, 15_000);
    for (let i = 2; i < 301; i++) give(state, features(i, { mid: 100 }));
    assert.equal(stateOf(state).calibration.samples, 0);
    give(state, features(301, { mid: 100.1 }));
    const { samples, sxx, sxy } = stateOf(state).calibration;
    assert.deepEqual([samples, Math.round(sxx), Math.round(sxy)], [1, 100, 100]);
  });
  it('grows also where claims come later than their horizon is long', () => {
    const state = aRouter();
    for (let i = 1; i <= 6_000; i++) give(state, i % 1_500 === 1 ? withAlpha(i) : features(i)); // one each 75 s, for 30 s
    assert.equal(stateOf(state).calibration.samples, 4);
  });
  it('stays the same when a provider changes its horizon: who was wrong at one is not new at the next', () => {
    const state = aRouter();
    for (let i = 1; i <= 3_000; i++) give(state, withAlpha(i, { horizonSeconds: i % 2 === 0 ? 10 : 30 }));
    assert.ok(stateOf(state).calibration.samples >= 4);
  });
  it('is not another provider’s: one with another address, or of another instrument, starts anew', () => {
    const from = (url: string, XBT: string, more = {}) =>
      [
        { name: 'vertex', type: 'alpha', url, symbols: { [BTC]: XBT, ...more }, options: {} },
      ] as unknown as typeof SOURCES;
    const state = newState('boot');
    const put = (sources: typeof SOURCES) => {
      step(state, { kind: 'policy', policy: policyWith({}, sources), now: T0 });
      const { samples } = stateOf(state).calibration;
      stateOf(state).calibration.samples = 7;
      return samples;
    };
    assert.deepEqual(
      [
        put(from('wss://a', 'XBT')),
        put(from('wss://a', 'XBT', { 'ETH-USD': 'ETH' })),
        put(from('wss://b', 'XBT')),
        put(from('wss://b', 'ETH')),
      ],
      [0, 7, 0, 0],
    );
  });
  it('is kept over a restart', () => {
    const state = aRouter();
    for (let i = 1; i <= 1_500; i++) give(state, withAlpha(i));
    const restored = newState('another', parseSaved(savedFields(state, [BTC])));
    step(restored, { kind: 'policy', policy: policyWith(), now: T0 });
    assert.equal(stateOf(state).calibration.samples, 2);
    assert.deepEqual(stateOf(restored).calibration, stateOf(state).calibration);
  });
});
