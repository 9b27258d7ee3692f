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
  it('is not misled by noise that claims much when prices move much, and still finds what is there', () => {
    const sure = (slope: number): number =>
      Array.from({ length: 400 }, (_, seed) => {
        const normal = normalFrom(randomFrom(seed));
        const calibration = newCalibration();
        for (let i = 0, volatility = 1; i < 300; i++) {
          volatility = volatility ** 0.95 * Math.exp(0.3 * normal());
          const x = 10 * volatility * normal();
          takeSample(calibration, x, slope * x + 10 * volatility * normal());
        }
        return scoreOf(calibration, RULES).confidence;
      }).filter((confidence) => confidence > 0.85).length;
    assert.ok(sure(0) <= 32, `${sure(0)} of 400`);
    assert.ok(sure(0.3) >= 260, `${sure(0.3)} of 400`);
  });
  it('is sure that a sign-flipped model is none', () => assert.ok(scoreOf(after(-0.5), RULES).confidence < 0.3));
  it('has its t to the figure: shrunk by √(n/(n+30)), with weights that halve in 500 samples', () => {
    const samples = [
      [10, 4],
      [-6, 1],
      [8, 9],
    ] as const;
    const calibration = newCalibration();
    for (const [x, y] of samples) takeSample(calibration, x, y);
    const weights = [0.5 ** (2 / 500), 0.5 ** (1 / 500), 1];
    const sum = (of: (x: number, y: number) => number): number =>
      samples.reduce((total, [x, y], i) => total + weights[i]! * of(x, y), 0);
    const n = sum(() => 1);
    const [sxx, sxy, squares] = [sum((x) => x * x), sum((x, y) => x * y), sum((x, y) => (x * y) ** 2)];
    const t = (sxy / Math.sqrt(squares)) * Math.sqrt(n / (n + 30));
    const { confidence, beta, effectiveSamples } = scoreOf(calibration, RULES);
    assert.ok(Math.abs(effectiveSamples - n) < 1e-12);
    assert.ok(Math.abs(confidence - (0.5 + (0.5 * t) / Math.sqrt(2 + t * t))) < 1e-12);
    const prior = (50 * sxx) / n;
    assert.ok(Math.abs(beta - (prior + sxy) / (prior + sxx)) < 1e-12);
  });
  it('forgets by halves: 500 samples weigh half of what comes after them', () => {
    const calibration = newCalibration();
    takeSample(calibration, 1, 1);
    for (let i = 0; i < 500; i++) takeSample(calibration, 0, 0);
    assert.ok(Math.abs(calibration.sxx - 0.5) < 1e-12);
    for (let i = 0; i < 20_000; i++) takeSample(calibration, 1, 0);
    assert.ok(Math.abs(calibration.n - 721.85) < 0.01, `${calibration.n}`);
  });
  it('loses its confidence when the outcomes are shuffled', () => {
    const normal = normalFrom(randomFrom(8));
    const samples = Array.from({ length: 600 }, () => {
      const x = 10 * normal();
      return [x, 0.3 * x + 10 * normal()] as const;
    });
    const confidenceOf = (outcomes: readonly number[]): number => {
      const calibration = newCalibration();
      samples.forEach(([x], i) => takeSample(calibration, x, outcomes[i]!));
      return scoreOf(calibration, RULES).confidence;
    };
    const outcomes = samples.map(([, y]) => y);
    assert.ok(confidenceOf(outcomes) > 0.95);
    const shuffled = Array.from({ length: 40 }, (_, seed) => {
      const random = randomFrom(seed);
      return confidenceOf(
        outcomes
          .map((y) => [random(), y] as const)
          .sort(([a], [b]) => a - b)
          .map(([, y]) => y),
      );
    }).sort((a, b) => a - b);
    assert.ok(shuffled[20]! > 0.2 && shuffled[20]! < 0.8, `median ${shuffled[20]}`);
    assert.ok(shuffled.filter((c) => c > 0.95).length <= 6);
  });
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
  it('know nothing of what comes later: a path cut anywhere gives the same up to there', () => {
    const step = fc.record({
      edgeBps: fc.integer({ min: -30, max: 30 }),
      move: fc.integer({ min: -50, max: 50 }),
      ms: fc.integer({ min: 1, max: 40_000 }),
    });
    const walk = (steps: readonly { edgeBps: number; move: number; ms: number }[]): Calibration[] => {
      const calibration = newCalibration();
      let [now, mid] = [0, 10_000];
      return steps.map(({ edgeBps, move, ms }) => {
        now += ms;
        mid += move;
        observe(calibration, { ...claim, edgeBps }, { mid, now });
        return structuredClone(calibration);
      });
    };
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 2, maxLength: 40 }),
        fc.array(step, { maxLength: 20 }),
        fc.nat(),
        (path, other, at) => {
          const cut = at % path.length;
          const before = walk(path).slice(0, cut);
          assert.deepEqual(walk([...path.slice(0, cut), ...other]).slice(0, cut), before);
        },
      ),
    );
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
