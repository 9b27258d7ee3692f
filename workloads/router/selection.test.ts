import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { normalFrom, randomFrom } from '../simulator/random.ts';
import { newCalibration, scoreOf, takeSample } from './calibration.ts';
import { choose, type Candidate, type Selection } from './selection.ts';

const RULES = { minConfidence: 0.65, hysteresis: 0.05, minDwellMs: 60_000 };
const candidate = (model: string, confidence: number, more: Partial<Candidate> = {}): Candidate => ({
  model,
  confidence,
  effectiveSamples: 100,
  healthy: true,
  ...more,
});
const at = (now: number, more: { paused?: boolean; resting?: boolean } = {}) => ({
  rules: RULES,
  fallback: 'a',
  paused: false,
  resting: false,
  now,
  ...more,
});
const A: Selection = { model: 'a', since: 0 };

describe('the choice of a model', () => {
  it('starts with the first by priority, and calls that no switch', () => {
    assert.deepEqual(choose(undefined, [candidate('a', 0.1), candidate('b', 0.9)], at(5)), {
      selection: { model: 'a', since: 5 },
    });
  });
  for (const [title, b, moves] of [
    ['surer by the hysteresis', candidate('b', 0.75), true],
    ['surer by less', candidate('b', 0.74), false],
    ['as sure', candidate('b', 0.7), false],
    ['surer, but seen too seldom', candidate('b', 0.9, { effectiveSamples: 29 }), false],
    ['surer, but unhealthy', candidate('b', 0.9, { healthy: false }), false],
  ] as const)
    it(`${moves ? 'switches to' : 'stays over'} one that is ${title}`, () => {
      const choice = choose(A, [candidate('a', 0.7), b], at(60_000));
      assert.equal(choice?.selection.model, moves ? 'b' : 'a');
      assert.equal(choice?.reason, moves ? 'Confidence' : undefined);
    });
  it('needs the least confidence of the rules, also over a hopeless one', () => {
    assert.equal(choose(A, [candidate('a', 0.1), candidate('b', 0.64)], at(60_000))?.selection.model, 'a');
  });
  it('waits for the dwell time', () => {
    assert.equal(choose(A, [candidate('a', 0.5), candidate('b', 0.9)], at(59_999))?.selection.model, 'a');
  });
  it('gives a tie to the lower priority number', () => {
    const choice = choose(A, [candidate('a', 0.5), candidate('c', 0.9), candidate('b', 0.9)], at(60_000));
    assert.equal(choice?.selection.model, 'c');
  });
  it('fails over to the default at once, and returns only after the dwell time', () => {
    const b: Selection = { model: 'b', since: 0 };
    const failed = choose(b, [candidate('a', 0.5), candidate('b', 0.9, { healthy: false })], at(1));
    assert.deepEqual(failed, { selection: { model: 'a', since: 1, failed: 'b' }, reason: 'Failover' });
    assert.equal(choose(failed?.selection, [candidate('a', 0.5), candidate('b', 0.9)], at(2))?.selection.model, 'a');
  });
  it('leaves a model that the rules no longer name', () => {
    assert.equal(choose({ model: 'gone', since: 0 }, [candidate('a', 0.5)], at(1))?.reason, 'RulesChanged');
  });
  it('moves nothing while paused, whatever happens', () => {
    const paused = at(1e6, { paused: true });
    assert.deepEqual(choose(A, [candidate('a', 0, { healthy: false }), candidate('b', 1)], paused), { selection: A });
    assert.deepEqual(choose({ model: 'gone', since: 0 }, [candidate('b', 1)], paused), {
      selection: { model: 'gone', since: 0 },
    });
  });
  it('switches to nobody surer in a market that rests, and still leaves what has failed for the default', () => {
    const resting = at(60_000, { resting: true });
    assert.equal(choose(A, [candidate('a', 0.1), candidate('b', 0.9)], resting)?.reason, undefined);
    const b: Selection = { model: 'b', since: 0 };
    const models = [candidate('a', 0.5), candidate('b', 0.9, { healthy: false })];
    assert.equal(choose(b, models, resting)?.reason, 'Failover');
  });
  it('leaves an unhealthy default for the surest that may be believed, rested, and calls it a failover', () => {
    const sick = candidate('a', 0.9, { healthy: false });
    const others = [candidate('b', 0.7), candidate('c', 0.8), candidate('d', 0.9, { effectiveSamples: 29 })];
    assert.equal(choose(A, [sick, ...others], at(59_999))?.selection.model, 'a');
    assert.deepEqual(choose(A, [sick, ...others], at(60_000)), {
      selection: { model: 'c', since: 60_000, failed: 'a' },
      reason: 'Failover',
    });
    assert.deepEqual(choose(A, [sick, candidate('b', 0.64)], at(60_000)), { selection: A }, 'nobody to believe');
  });
  it('calls it a return when the one that had failed is chosen again, and only then', () => {
    const stand: Selection = { model: 'a', since: 0, failed: 'b' };
    const [a, b, c] = [candidate('a', 0.5), candidate('b', 0.8), candidate('c', 0.9)];
    assert.deepEqual(choose(stand, [a, b], at(60_000)), { selection: { model: 'b', since: 60_000 }, reason: 'Return' });
    assert.deepEqual(choose(stand, [a, c, b], at(60_000)), {
      selection: { model: 'c', since: 60_000 },
      reason: 'Confidence',
    });
  });

  /** Looks at three models (confidence, health), each so many ms after the one before, some after a restart. */
  const look = fc.record({
    afterMs: fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.constantFrom(1, 59_999, 60_000)),
    models: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
      minLength: 3,
      maxLength: 3,
    }),
    restarts: fc.boolean(),
  });
  it('switches at most 1 + T/dwell times on adversarial confidences, and twice that with failovers and restarts', () => {
    fc.assert(
      fc.property(
        fc.array(look, { minLength: 20, maxLength: 200 }),
        fc.constantFrom('a', 'b', 'c'),
        (path, fallback) => {
          let selection: Selection | undefined;
          let [now, total, chosen] = [0, 0, 0];
          for (const { afterMs, models, restarts } of path) {
            now += afterMs;
            if (restarts && selection !== undefined) selection = JSON.parse(JSON.stringify(selection)) as Selection;
            const candidates = models.map(([sure, healthy], j) => candidate('abc'[j]!, sure, { healthy }));
            const choice = choose(selection, candidates, { ...at(now), fallback })!;
            const of = (name: string) => candidates.find(({ model }) => model === name)!;
            const to = of(choice.selection.model);
            if (choice.reason !== undefined) {
              total += 1;
              if (choice.reason !== 'Failover' || to.model !== fallback) chosen += 1;
              assert.ok(to.healthy, 'to one that does not answer');
            }
            const isStuck = selection !== undefined && !to.healthy && of(fallback).healthy;
            assert.ok(!isStuck, 'an unhealthy one is kept though the default is well');
            ({ selection } = choice);
          }
          const bound = 1 + now / RULES.minDwellMs;
          assert.ok(chosen <= bound, `${chosen} > ${bound}`);
          assert.ok(total <= 2 * bound, `${total} > 2 · ${bound}`);
        },
      ),
    );
  });
});

describe('models on a market of a day', () => {
  const CALIBRATION = { isEnabled: true, priorSamples: 50, defaultConfidence: 0.5 };
  const MINUTES = 24 * 60;
  /** One sample a minute for each model: its claim of ±10 bps is worth `slopes[i]` of itself in noise of 9 bps (60 % a year). */
  const day = (slopes: readonly number[], seed: number) => {
    const normal = normalFrom(randomFrom(seed));
    const models = slopes.map(() => newCalibration());
    let selection: Selection | undefined;
    const active: string[] = [];
    let switches = 0;
    for (let minute = 0; minute < MINUTES; minute++) {
      const claims = slopes.map(() => 10 * normal());
      const y = 9 * normal() + claims.reduce((sum, x, i) => sum + slopes[i]! * x, 0);
      models.forEach((calibration, i) => takeSample(calibration, claims[i]!, y));
      const candidates = models.map((calibration, i) => {
        const { confidence, effectiveSamples } = scoreOf(calibration, CALIBRATION);
        return candidate('abcde'[i]!, confidence, { effectiveSamples });
      });
      const choice = choose(selection, candidates, at(minute * 60_000))!;
      if (choice.reason !== undefined) switches += 1;
      ({ selection } = choice);
      active.push(selection.model);
    }
    return { active, switches };
  };
  const SEEDS = Array.from({ length: 30 }, (_, seed) => seed + 1);

  it('leave a default of noise for the one that knows something, within hours, and stay', () => {
    for (const seed of SEEDS) {
      const { active } = day([0, 0, 0.3, 0, 0], seed);
      const later = active.slice(6 * 60);
      assert.ok(later.filter((model) => model === 'c').length > 0.95 * later.length, `seed ${seed}`);
    }
  });
  it('do not win by noise over one that knows something', () => {
    const lost = SEEDS.map((seed) => day([0.3, 0, 0, 0, 0], seed).active.filter((model) => model !== 'a').length);
    const mean = lost.reduce((sum, minutes) => sum + minutes, 0) / lost.length;
    assert.ok(mean <= 0.02 * MINUTES && Math.max(...lost) <= 0.15 * MINUTES, `minutes lost: ${lost.join()}`);
  });
  it('of noise alone are switched seldom: 10 times a day at most on average, where the dwell would let 1440', () => {
    const counts = SEEDS.map((seed) => day([0, 0, 0, 0, 0], seed).switches);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    assert.ok(mean <= 10, `${mean}`);
  });
});
