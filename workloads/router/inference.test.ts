// Model servers as the core sees them: what is asked when, what an answer does, and what is left of a server that fails.
import assert from 'node:assert/strict';
import { parseSaved, savedFields } from './saved.ts';
import { newState, type Event, type Output, type State } from './state.ts';
import { standingOf } from './standing.ts';
import { step } from './step.ts';
import { aRouter, features, give, policyOf, signalIn, T0 } from './test/desk.ts';

const BTC = 'BTC-USD';
const PRESSURE = 'order_book_pressure';
const SERVER = {
  type: 'OpenInference',
  url: 'http://models:8080/',
  timeoutMs: 100,
  maxLatencyMs: 50,
  minAccuracy: 0,
  parameters: {},
};
const rulesOf = (server: object = {}) => ({
  models: {
    [PRESSURE]: { type: 'OrderBookPressure', parameters: {}, minAccuracy: 0 },
    edge: { ...SERVER, ...server },
  },
  rules: [{ name: 'btc', match: { symbols: ['BTC-*'], horizon: { max: '2m' } }, model: 'edge', priority: 1 }],
});
const KNOWN = { returnsBps: { s5: 1, s30: 2, s60: 3, s300: 4 } };

/** A router whose server `edge` has passed its checks. */
function ready(server: object = {}): State {
  const state = aRouter(rulesOf(server));
  step(state, { kind: 'server', model: 'edge', ready: true });
  return state;
}
const asks = (outputs: readonly Output[]) => outputs.flatMap((output) => (output.kind === 'ask' ? [output] : []));
const answer = (more: Partial<Extract<Event, { kind: 'answer' }>> = {}): Event => ({
  kind: 'answer',
  model: 'edge',
  symbol: BTC,
  askedAt: T0 + 51,
  answer: { edgeBps: 12 },
  latencyMs: 20,
  now: T0 + 71,
  ...more,
});
const activeAt60 = (state: State): string | undefined => state.symbols.get(BTC)!.selections.get(60)?.model;
const confidence = (state: State, now: number): number => {
  const policy = state.policy!;
  const [spec, model] = [policy.models.get('edge')!, state.symbols.get(BTC)!.models.get('edge')!];
  return standingOf({ state, policy, spec, model, now }).confidence;
};

describe('a model server', () => {
  it('is asked once it is ready, about the symbols of its rules, with the features in order', () => {
    const waiting = aRouter(rulesOf());
    assert.deepEqual(asks(give(waiting, features(1, KNOWN))), []);
    const state = ready({ inference: { features: ['return_60s_bps', 'pressure'], intervalMs: 250 } });
    assert.deepEqual(asks(give(state, features(1, KNOWN))), [
      { kind: 'ask', model: 'edge', symbol: BTC, askedAt: T0 + 51, inputs: [3, 0.5] },
    ]);
    assert.deepEqual(asks(give(state, { ...features(1, KNOWN), symbol: 'ETH-USD' })), []);
  });
  it('is asked each intervalMs at most', () => {
    const state = ready();
    const asked = Array.from({ length: 100 }, (_, i) => asks(give(state, features(i + 1, KNOWN))).length);
    assert.equal(
      asked.reduce((sum, count) => sum + count, 0),
      20,
    ); // 5 s, one each 250 ms
  });
  it('is not asked about a book that is not valid or silent, nor with features that are not known', () => {
    const state = ready();
    assert.deepEqual(asks(give(state, features(1, { ...KNOWN, valid: false }))), []);
    assert.deepEqual(asks(give(state, features(2, { ...KNOWN, heardAt: T0 - 2_000 }))), []);
    assert.deepEqual(asks(give(state, features(3))), []);
    assert.equal(asks(give(state, features(4, KNOWN))).length, 1);
  });
  it('claims what it answered, as old as the question, and is scored like any other', () => {
    const state = ready();
    give(state, features(1, KNOWN));
    step(state, answer());
    const signal = signalIn(give(state, features(2, KNOWN)));
    assert.deepEqual(
      signal?.edges.filter(({ model }) => model === 'edge'),
      [{ model: 'edge', horizonSeconds: 60, edgeBps: 12, t: T0 + 51, confidence: 0.5, beta: 1, sampleCount: 0 }],
    );
    // Each second another answer, which the price then follows: 1 sample a minute.
    for (let i = 3; i <= 20 * 200; i++) {
      const now = T0 + i * 50;
      if (i % 20 === 0) step(state, answer({ askedAt: now - 20, now }));
      give(state, features(i, { ...KNOWN, mid: 60_000 * (1 + (12e-4 * i) / 1_200) }));
    }
    assert.equal(state.symbols.get(BTC)!.models.get('edge')!.calibration.samples, 3);
  });
  it('keeps the answer to the latest question, whichever comes first', () => {
    const state = ready();
    give(state, features(1, KNOWN));
    step(state, answer({ askedAt: T0 + 60, answer: { edgeBps: 5 } }));
    step(state, answer({ askedAt: T0 + 51 }));
    assert.equal(signalIn(give(state, features(2, KNOWN)))?.edges[0]?.edgeBps, 5);
  });
  it('is left for the default at once where it is not ready, and returned to only when rested and believed', () => {
    const state = ready();
    give(state, features(1, KNOWN));
    assert.equal(activeAt60(state), 'edge');
    step(state, { kind: 'server', model: 'edge', ready: false });
    const outputs = give(state, features(2, KNOWN));
    assert.deepEqual(
      outputs.flatMap((output) => (output.kind === 'switch' ? [[output.switch.to, output.switch.reason]] : [])),
      [[PRESSURE, 'Failover']],
    );
    assert.deepEqual(signalIn(outputs)?.edges.map(({ model }) => model), [PRESSURE]); // prettier-ignore
    step(state, { kind: 'server', model: 'edge', ready: true });
    give(state, features(3, KNOWN));
    assert.equal(activeAt60(state), PRESSURE);
  });
  it('waits for its first check before anybody leaves it', () => {
    const state = aRouter(rulesOf());
    assert.deepEqual(signalIn(give(state, features(1, KNOWN)))?.edges.map(({ model }) => model), [PRESSURE]); // prettier-ignore
    assert.equal(activeAt60(state), 'edge');
  });
  for (const [title, events] of [
    ['that fails', Array.from({ length: 5 }, () => answer({ answer: { failure: 'Timeout' } }))],
    ['that is slow', Array.from({ length: 5 }, () => answer({ latencyMs: 51 }))],
  ] as const)
    it(`loses its edge ${title}, and the default takes over`, () => {
      const state = ready();
      give(state, features(1, KNOWN));
      for (const event of events) step(state, event);
      assert.deepEqual(signalIn(give(state, features(2, KNOWN)))?.edges.map(({ model }) => model), [PRESSURE]); // prettier-ignore
    });
  it('loses the confidence of what it does not answer, and all of it while it is not ready', () => {
    const state = ready();
    for (let i = 0; i < 3; i++) step(state, answer());
    step(state, answer({ answer: { failure: 'WrongOutput' } }));
    assert.equal(confidence(state, T0 + 100), 0.5 * 0.75);
    step(state, { kind: 'server', model: 'edge', ready: false });
    assert.equal(confidence(state, T0 + 100), 0);
  });
  it('does not count for others, and nothing comes of one that the rules no longer name', () => {
    const state = ready();
    for (const model of [PRESSURE, 'nobody']) step(state, answer({ model }));
    for (const model of [PRESSURE, 'nobody']) step(state, { kind: 'server', model, ready: false });
    step(state, answer({ symbol: 'nothing' }));
    assert.deepEqual(signalIn(give(state, features(1)))?.edges.map(({ model }) => model), [PRESSURE]); // prettier-ignore
  });
  it('keeps its record over a restart and another timeout, not over another url; its health over neither', () => {
    const state = ready();
    give(state, features(1, KNOWN));
    step(state, answer());
    const learned = state.symbols.get(BTC)!.models.get('edge')!;
    step(state, { kind: 'policy', policy: policyOf(rulesOf({ timeoutMs: 200 })), now: T0 });
    assert.equal(state.symbols.get(BTC)!.models.get('edge'), learned);
    assert.equal(state.servers.get('edge')?.ready, undefined);
    const restored = newState('another', parseSaved(savedFields(state, [BTC])));
    step(restored, { kind: 'policy', policy: policyOf(rulesOf()), now: T0 });
    const again = restored.symbols.get(BTC)!.models.get('edge')!;
    assert.deepEqual([again.of, again.memory], [learned.of, learned.memory]);
    assert.equal(restored.servers.get('edge')?.ready, undefined);
    step(state, { kind: 'policy', policy: policyOf(rulesOf({ url: 'http://other' })), now: T0 });
    assert.notEqual(state.symbols.get(BTC)!.models.get('edge'), learned);
  });
});
