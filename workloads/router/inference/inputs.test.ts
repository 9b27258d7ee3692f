import assert from 'node:assert/strict';
import { INFERENCE_FEATURES } from '@tradewind/crds/schema/router-rules.ts';
import { features } from '../test/desk.ts';
import { inputsOf } from './inputs.ts';

const SEEN = features(1, {
  mid: 100,
  microPrice: 100.01,
  pressure: 0.4,
  tradeImbalance: -0.2,
  spreadBps: 0.3,
  returnsBps: { s5: 1, s30: 2, s60: 3, s300: 4 },
});

describe('what a model server is asked with', () => {
  it('are the features that it names, in its order', () => {
    assert.deepEqual(inputsOf(['return_300s_bps', 'pressure'], SEEN), [4, 0.4]);
    const all = inputsOf(INFERENCE_FEATURES, SEEN) ?? [];
    assert.deepEqual(all.map((value) => Math.round(value * 1e6) / 1e6), [0.4, -0.2, 0.3, 1, 1, 2, 3, 4]); // prettier-ignore
  });
  it('is nothing while one of them is not known', () => {
    const young = { ...SEEN, returnsBps: { s5: 1 } };
    assert.equal(inputsOf(['pressure', 'return_30s_bps'], young), undefined);
    assert.deepEqual(inputsOf(['pressure', 'return_5s_bps'], young), [0.4, 1]);
    assert.equal(inputsOf(['micro_price_bps'], { ...SEEN, mid: 0 }), undefined);
  });
});
