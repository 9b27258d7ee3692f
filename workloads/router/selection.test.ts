import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { choose, type Candidate, type Selection } from './selection.ts';

const RULES = { minConfidence: 0.65, hysteresis: 0.05, minDwellMs: 60_000 };
const candidate = (model: string, confidence: number, more: Partial<Candidate> = {}): Candidate => ({
  model,
  confidence,
  effectiveSamples: 100,
  healthy: true,
  ...more,
});
const at = (now: number, more: { paused?: boolean } = {}) => ({
  rules: RULES,
  fallback: 'a',
  paused: false,
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
    assert.deepEqual(failed, { selection: { model: 'a', since: 1 }, reason: 'Failover' });
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
  it('leaves an unhealthy default for the surest that may be believed, rested, and calls it a failover', () => {
    const sick = candidate('a', 0.9, { healthy: false });
    const others = [candidate('b', 0.7), candidate('c', 0.8), candidate('d', 0.9, { effectiveSamples: 29 })];
    assert.equal(choose(A, [sick, ...others], at(59_999))?.selection.model, 'a');
    assert.deepEqual(choose(A, [sick, ...others], at(60_000)), {
      selection: { model: 'c', since: 60_000 },
      reason: 'Failover',
    });
    assert.deepEqual(choose(A, [sick, candidate('b', 0.64)], at(60_000)), { selection: A }, 'nobody to believe');
  });
  it('switches at most 1 + T/dwell times on adversarial confidences, and at most twice that with failovers', () => {
    const model = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean());
    const looks = fc.array(fc.tuple(model, model, model), { minLength: 50, maxLength: 200 });
    fc.assert(
      fc.property(looks, (path) => {
        let selection: Selection | undefined;
        let total = 0;
        let toOthers = 0;
        path.forEach((look, i) => {
          const models = look.map(([sure, healthy], j) => candidate('abc'[j]!, sure, { healthy }));
          const choice = choose(selection, models, at(i * 5_000));
          const to = models.find((one) => one.model === choice?.selection.model)!;
          if (choice?.reason !== undefined) {
            total += 1;
            if (to.model !== 'a') toOthers += 1;
            assert.ok(to.healthy, 'to one that does not answer');
          }
          const isStuck = !to.healthy && models[0]!.healthy;
          assert.ok(!isStuck, 'an unhealthy one is kept though the default is well');
          selection = choice?.selection;
        });
        const bound = 1 + (path.length * 5_000) / RULES.minDwellMs;
        assert.ok(toOthers <= bound, `${toOthers} > ${bound}`);
        assert.ok(total <= 2 * bound);
      }),
    );
  });
});
