import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { blend, type BlendRules, type Claim } from './blend.ts';

const RULES: BlendRules = {
  minConfidence: 0.3,
  maxModels: 5,
  priorEdgeBps: 0,
  shrinkage: 0.1,
  penalties: {},
  decayFactors: { pressure: 0.3 },
};
const aClaim = (change: Partial<Claim> = {}): Claim => ({
  model: 'pressure',
  edgeBps: 10,
  beta: 1,
  horizonSeconds: 60,
  ageSeconds: 0,
  confidence: 0.65,
  ...change,
});

const claim = fc.record({
  model: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'pressure'),
  edgeBps: fc.double({ min: -120, max: 120, noNaN: true }),
  beta: fc.double({ min: 0, max: 1, noNaN: true }),
  horizonSeconds: fc.constantFrom(5, 60, 300),
  ageSeconds: fc.double({ min: 0, max: 400, noNaN: true }),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
});
const rules = fc.record({
  minConfidence: fc.constant(0.3),
  maxModels: fc.integer({ min: 1, max: 5 }),
  priorEdgeBps: fc.double({ min: -5, max: 5, noNaN: true }),
  shrinkage: fc.double({ min: 0, max: 0.9, noNaN: true }),
  penalties: fc.constant({ b: 0.5 }),
  decayFactors: fc.constant({ a: 1, pressure: 0.3 }),
});
const claims = fc.array(claim, { maxLength: 7 });
const RUNS = { numRuns: 500 };

/** The edge a claim contributes, written down once more. */
const contribution = ({ beta, edgeBps, horizonSeconds: h, ageSeconds }: Claim, H: number): number =>
  (beta * edgeBps * Math.min(H, h - ageSeconds)) / h;

describe('blend', () => {
  it('weighs one claim', () => {
    const { edgeBps, confidence } = blend([aClaim()], 60, RULES);
    const w = 0.5;
    assert.ok(Math.abs(edgeBps - (w * 10) / (w + 1 / 9)) < 1e-12);
    assert.ok(Math.abs(confidence - (w * 0.65) / (w + 1 / 9)) < 1e-12);
  });

  it('weighs a longer claim by its share of the horizon', () => {
    const slow = aClaim({ model: 'momentum', horizonSeconds: 300, confidence: 1 });
    const { edgeBps } = blend([slow], 60, RULES);
    assert.ok(Math.abs(edgeBps - (0.2 * 2) / (0.2 + 1 / 9)) < 1e-12);
  });

  it('takes a penalty off the weight, of the model that it names', () => {
    const rules = { ...RULES, penalties: { pressure: 0.4, other: 0.9 } };
    const w = 0.5 * (1 - 0.4);
    assert.ok(Math.abs(blend([aClaim()], 60, rules).edgeBps - (w * 10) / (w + 1 / 9)) < 1e-12);
  });

  it('lets a weight decay with age by 1/(1 + d·age/h), beside the edge that is left', () => {
    const { edgeBps, confidence } = blend([aClaim({ ageSeconds: 30 })], 60, RULES);
    const w = 0.5 / (1 + 0.3 * 0.5);
    assert.ok(Math.abs(edgeBps - (w * 5) / (w + 1 / 9)) < 1e-12);
    assert.ok(Math.abs(confidence - (w * 0.65) / (w + 1 / 9)) < 1e-12);
    const steady = blend([aClaim({ model: 'unnamed', ageSeconds: 30 })], 60, RULES);
    assert.ok(Math.abs(steady.edgeBps - (0.5 * 5) / (0.5 + 1 / 9)) < 1e-12);
  });

  it('fades a weight to 0 over the last tenth of a claim’s life (ADR 11)', () => {
    const w = (0.5 / (1 + 0.3 * 0.95)) * 0.5;
    const { edgeBps } = blend([aClaim({ ageSeconds: 57 })], 60, RULES);
    assert.ok(Math.abs(edgeBps - (w * 0.5) / (w + 1 / 9)) < 1e-12);
  });

  it('gives the prior without claims', () => {
    assert.deepEqual(blend([], 60, { ...RULES, priorEdgeBps: 2 }), { edgeBps: 2, confidence: 0, models: [] });
    assert.equal(blend([], 60, { ...RULES, shrinkage: 0, priorEdgeBps: 1 }).edgeBps, 1);
    assert.equal(blend([aClaim()], 60, { ...RULES, shrinkage: 1, priorEdgeBps: 1 }).edgeBps, 1);
  });

  it('stays between the contributions and the prior', () => {
    fc.assert(
      fc.property(claims, rules, (some, rule) => {
        const { edgeBps } = blend(some, 60, rule);
        const usable = some.filter((c) => c.confidence > 0.3 && c.ageSeconds < c.horizonSeconds);
        const edges = [rule.priorEdgeBps, ...usable.map((c) => contribution(c, 60))];
        assert.ok(edgeBps >= Math.min(...edges) - 1e-12 && edgeBps <= Math.max(...edges) + 1e-12);
        assert.ok(Math.abs(edgeBps) <= 100);
      }),
      RUNS,
    );
  });

  it('is odd and scales with the claims where the prior is 0', () => {
    fc.assert(
      fc.property(claims, rules, fc.double({ min: 0.1, max: 0.8, noNaN: true }), (some, rule, scale) => {
        const odd = { ...rule, priorEdgeBps: 0 };
        const small = some.filter((c) => Math.abs(c.edgeBps) <= 100);
        const edge = blend(small, 60, odd).edgeBps;
        const mirrored = blend(
          small.map((c) => ({ ...c, edgeBps: -c.edgeBps })),
          60,
          odd,
        );
        assert.ok(Math.abs(edge + mirrored.edgeBps) < 1e-9);
        const scaled = blend(
          small.map((c) => ({ ...c, edgeBps: scale * c.edgeBps })),
          60,
          odd,
        );
        assert.ok(Math.abs(scaled.edgeBps - scale * edge) < 1e-9);
      }),
      RUNS,
    );
  });

  it('does not depend on the order of the claims, to the bit', () => {
    fc.assert(
      fc.property(claims, rules, fc.integer(), (some, rule, turn) => {
        const rotated = some.map((_, i) => some[(i + (turn >>> 0)) % some.length]!);
        assert.deepEqual(blend(rotated, 60, rule), blend(some, 60, rule));
        assert.deepEqual(blend(some.toReversed(), 60, rule), blend(some, 60, rule));
      }),
      RUNS,
    );
  });

  it('never falls when a claim rises', () => {
    fc.assert(
      fc.property(claims, claim, rules, fc.double({ min: 0, max: 50, noNaN: true }), (some, one, rule, more) => {
        fc.pre(Math.abs(one.edgeBps) <= 100 && Math.abs(one.edgeBps + more) <= 100);
        const before = blend([...some, one], 60, { ...rule, maxModels: 9 }).edgeBps;
        const after = blend([...some, { ...one, edgeBps: one.edgeBps + more }], 60, { ...rule, maxModels: 9 }).edgeBps;
        assert.ok(after >= before - 1e-12);
      }),
      RUNS,
    );
  });

  it('is continuous where a claim stops counting', () => {
    fc.assert(
      fc.property(claims, claim, rules, (others, one, rule) => {
        fc.pre(Math.abs(one.edgeBps) <= 100 && rule.shrinkage > 0.01);
        const with9 = { ...rule, maxModels: 9 };
        const without = blend(others, 60, with9).edgeBps;
        const atMinimum = { ...one, ageSeconds: 0, confidence: 0.3 + 1e-9 };
        assert.ok(Math.abs(blend([...others, atMinimum], 60, with9).edgeBps - without) < 1e-4);
        const atEnd = { ...one, confidence: 0.9, ageSeconds: one.horizonSeconds * (1 - 1e-9) };
        assert.ok(Math.abs(blend([...others, atEnd], 60, with9).edgeBps - without) < 1e-4);
      }),
      RUNS,
    );
  });

  it('moves toward a claim that is repeated, within bounds', () => {
    fc.assert(
      fc.property(claims, claim, rules, (others, one, rule) => {
        fc.pre(Math.abs(one.edgeBps) <= 100 && one.confidence > 0.31 && one.ageSeconds < one.horizonSeconds * 0.99);
        const wide = { ...rule, maxModels: 99 };
        const x = contribution(one, 60);
        const once = blend([...others, one], 60, wide).edgeBps;
        const twice = blend([...others, one, one], 60, wide).edgeBps;
        assert.ok(Math.abs(twice - x) <= Math.abs(once - x) + 1e-9);
        assert.ok((twice - x) * (once - x) >= -1e-9);
      }),
      RUNS,
    );
  });

  it('keeps the heaviest models only, ties by name', () => {
    const five = ['e', 'd', 'c', 'b', 'a', 'z'].map((model) => aClaim({ model }));
    assert.deepEqual(blend(five, 60, RULES).models, ['a', 'b', 'c', 'd', 'e']);
    assert.deepEqual(blend([aClaim({ model: 'a' }), aClaim({ model: 'b', confidence: 0.9 })], 60, RULES).models, [
      'b',
      'a',
    ]);
  });

  it('never lets a value that is not finite, or an extreme, reach the result', () => {
    const wild = [NaN, Infinity, -Infinity, 1e308, -1e308, Number.MIN_VALUE];
    for (const value of wild)
      for (const field of ['edgeBps', 'beta', 'horizonSeconds', 'ageSeconds', 'confidence'] as const) {
        const { edgeBps, confidence } = blend([aClaim(), aClaim({ model: 'wild', [field]: value })], 60, RULES);
        assert.ok(Number.isFinite(edgeBps) && Math.abs(edgeBps) <= 100 && Number.isFinite(confidence), field);
      }
  });

  it('gives the same result a thousand times', () => {
    const some = [aClaim(), aClaim({ model: 'momentum', horizonSeconds: 300, edgeBps: -7, ageSeconds: 3 })];
    const first = blend(some, 60, RULES);
    for (let i = 0; i < 1_000; i++) assert.deepEqual(blend(some, 60, RULES), first);
  });
});
