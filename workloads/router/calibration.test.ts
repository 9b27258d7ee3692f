import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { normalFrom, randomFrom } from '../simulator/random.ts';
import { interrupt, newCalibration, observe, scoreOf, takeSample, type Calibration } from './calibration.ts';

const RULES = { isEnabled: true, priorSamples: 50, defaultConfidence: 0.5 };

/** A calibration after `count` samples of a model whose claims x are worth slope·x in noise of sd `noise`. */
function after(slope: number, { count = 2_000, noise = 5, seed = 1 } = {}): Calibration {
  const normal = normalFrom(randomFrom(seed));
  const calibration = newCalibration();
  for (let i = 0; i < count; i++) {
    const x = 10 * normal();
    takeSample(calibration, x, slope * x + noise * normal());
  }
  return calibration;
}

describe('calibration', () => {
  for (const slope of [0, 0.1, 0.5, 0.9])
    it(`finds a planted slope of ${slope}, less what the prior of 1 keeps`, () => {
      const calibration = after(slope);
      const { beta, effectiveSamples } = scoreOf(calibration, RULES);
      const expected = (50 + effectiveSamples * slope) / (50 + effectiveSamples);
      assert.ok(Math.abs(beta - expected) < 0.1, `${beta} for ${expected}`);
    });
  it('is unsure of noise: confidence within [.12, .88] nine times of ten', () => {
    const confidences = Array.from(
      { length: 200 },
      (_, seed) => scoreOf(after(0, { count: 300, seed }), RULES).confidence,
    );
    const within = confidences.filter((confidence) => confidence > 0.12 && confidence < 0.88).length;
    assert.ok(within >= 180, `${within} of 200`);
  });
  it('is sure that a sign-flipped model is none', () => assert.ok(scoreOf(after(-0.5), RULES).confidence < 0.3));
  it('stays within its bounds whatever it sees, and never answers NaN', () => {
    const returns = fc.double({ min: -500, max: 500, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(returns, returns), { maxLength: 60 }), (samples) => {
        const calibration = newCalibration();
        for (const [x, y] of samples) takeSample(calibration, x, y);
        const { beta, confidence } = scoreOf(calibration, RULES);
        assert.ok(beta >= 0 && beta <= 1, `beta ${beta}`);
        assert.ok(confidence >= 0 && confidence <= 1, `confidence ${confidence}`);
      }),
    );
  });
  it('starts from the defaults, and believes the claim itself where it is off', () => {
    assert.deepEqual(scoreOf(newCalibration(), RULES), {
      beta: 1,
      confidence: 0.5,
      sampleCount: 0,
      effectiveSamples: 0,
    });
    assert.equal(scoreOf(after(0), { ...RULES, isEnabled: false }).beta, 1);
  });
});

describe('samples', () => {
  const claim = { edgeBps: 10, horizonMs: 60_000 };
  it('never overlap: one matures before the next is taken', () => {
    const calibration = newCalibration();
    for (let t = 0; t <= 600_000; t += 1_000) observe(calibration, claim, { mid: 100, now: t });
    assert.equal(calibration.samples, 10);
  });
  it('are scored with what came after them, never before', () => {
    const calibration = newCalibration();
    observe(calibration, claim, { mid: 100, now: 0 });
    observe(calibration, { ...claim, edgeBps: -99 }, { mid: 101, now: 60_000 });
    assert.equal(calibration.samples, 1);
    assert.ok(Math.abs(calibration.sxy - 10 * 100) < 1e-9, 'the first claim against the return of 100 bps');
  });
  it('are dropped where the feed stalled in between', () => {
    const calibration = newCalibration();
    observe(calibration, claim, { mid: 100, now: 0 });
    observe(calibration, claim, { mid: 150, now: 90_000 });
    assert.equal(calibration.samples, 0);
    interrupt(calibration);
    observe(calibration, claim, { mid: 150, now: 150_000 });
    assert.equal(calibration.samples, 0);
  });
});
