// A router driven by hand, with the rules of the examples. Shared by the tests of this folder.
import type { DesiredDocument } from '../../contract/desired.ts';
import type { Features, Signal } from '../../contract/messages.ts';
import { aDocument, aSignal, CONFIG } from '../../harmoniser/test/builders.ts';
import { compilePolicy } from '../policy.ts';
import { newState, type Output, type State } from '../state.ts';
import { step } from '../step.ts';

export const rules = (change: object = {}): DesiredDocument['rules'] =>
  ({
    revision: 'r',
    rules: {
      models: {
        order_book_pressure: { type: 'OrderBookPressure', parameters: {}, minAccuracy: 0 },
        momentum: { type: 'Momentum', parameters: { shortSeconds: 30, longSeconds: 180 }, minAccuracy: 0 },
      },
      defaultModel: 'order_book_pressure',
      rules: [
        {
          name: 'fast',
          match: { assetClasses: ['crypto'], horizon: { max: '2m' } },
          model: 'order_book_pressure',
          priority: 10,
        },
        {
          name: 'slow',
          match: { assetClasses: ['crypto'], horizon: { min: '2m', max: '2h' } },
          model: 'momentum',
          priority: 20,
        },
        { name: 'any', match: { symbols: ['*'] }, model: 'order_book_pressure', priority: 1000 },
      ],
      confidenceThresholds: { minConfidence: 0.65, switchHysteresis: 0.05, minDwellSeconds: 60 },
      switching: { windowSeconds: 300, max: 20, onExcess: 'Pause' },
      session: { marketHoursOnly: false },
      ...change,
    },
  }) as unknown as DesiredDocument['rules'];
export const policyOf = (change: object = {}) => compilePolicy(aDocument({ rules: rules(change) }), CONFIG, 0);

export const T0 = 1_700_000_000_000;
export const features = (seq: number, more: Partial<Features> = {}): Features => ({
  ...aSignal({ symbol: 'BTC-USD', seq, t: T0 + seq * 50 }).features,
  seq,
  bootId: 'ingest',
  pressure: 0.5,
  t: T0 + seq * 50,
  ...more,
});
export const aRouter = (change: object = {}): State => {
  const state = newState('boot');
  step(state, { kind: 'policy', policy: policyOf(change), now: T0 });
  return state;
};
/** Features that were `ageMs` on their way; ingest's clock is the router's own here. */
export const give = (state: State, one: Features, ageMs = 1): Output[] =>
  step(state, { kind: 'features', features: one, ageMs, now: one.t + ageMs });
export const signalIn = (outputs: readonly Output[]): Signal | undefined =>
  outputs.flatMap((output) => (output.kind === 'signal' ? [output.signal] : []))[0];
