import assert from 'node:assert/strict';
import { parseSaved, savedFields } from './saved.ts';
import { newState } from './state.ts';
import { step } from './step.ts';
import { aRouter, features, give, policyOf, signalIn, T0 } from './test/desk.ts';

describe('what is stored of a symbol and is damaged costs what is damaged', () => {
  const before = aRouter();
  for (let i = 1; i <= 3_000; i++) give(before, features(i, { mid: 60_000 + i, grid: { index: i, mid: 60_000 } }));
  const whole = JSON.parse(savedFields(before, ['BTC-USD'])['BTC-USD']!) as Record<string, Record<string, object>>;
  const pressure = whole['models']!['order_book_pressure'] as Record<string, object>;
  const withModel = (change: object) => ({
    models: { ...whole['models'], order_book_pressure: { ...pressure, ...change } },
  });
  const withRecord = (change: object) => withModel({ calibration: { ...pressure['calibration'], ...change } });
  for (const [title, change, samples] of [
    ['nothing', {}, 2],
    ['the grid', { grid: {} }, 2],
    ['its points', { grid: { points: [null, { index: 1 }, { index: 2, mid: null }] } }, 2],
    ['the selections', { selections: { 60: null, 300: { model: 'momentum' } } }, 2],
    ['all models', { models: [] }, 0],
    ['a model', { models: { ...whole['models'], order_book_pressure: null } }, 0],
    ['its record', withModel({ calibration: null }), 0],
    ['a sum of it, as JSON has NaN', withRecord({ sxx: null }), 0],
    ['what is under observation', withRecord({ pending: { edgeBps: 1, horizonMs: 1, t: T0, mid: null } }), 0],
    ['its memory', withModel({ memory: { smoothed: { bps: 'x', t: T0 } } }), 0],
  ] as const)
    it(`damaged: ${title}`, () => {
      const text = JSON.stringify({ ...whole, ...change });
      const state = newState('another', parseSaved({ 'BTC-USD': text }));
      step(state, { kind: 'policy', policy: policyOf(), now: T0 + 250_000 });
      const signal = signalIn(give(state, features(5_000)));
      assert.equal(signal?.edges[0]?.edgeBps, 12.5);
      assert.deepEqual(signal.active, { 60: 'order_book_pressure', 300: 'momentum' });
      assert.equal(state.symbols.get('BTC-USD')!.models.get('order_book_pressure')!.calibration.samples, samples);
      assert.deepEqual(parseSaved(savedFields(state, ['BTC-USD'])).symbols.get('BTC-USD')?.selections, state.symbols.get('BTC-USD')!.selections); // prettier-ignore
    });
});
