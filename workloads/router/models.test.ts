import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { claimOf, gridOf, takeGrid, type GridPoints, type Memory, type RuledModel, type ServerSpec } from './models.ts';
import { features, T0 } from './test/desk.ts';

const REVERSION: RuledModel = {
  name: 'b',
  type: 'MeanReversion',
  horizonSeconds: 180,
  parameters: {},
  minAccuracy: 0,
};
const LAST = Math.floor(T0 / 5_000) - 1;
/** A grid whose newest cell ended at T0. */
const gridOfMids = (mids: readonly number[]): GridPoints =>
  gridOf(mids.map((mid, i) => ({ index: LAST - mids.length + 1 + i, mid })));
const reversion = (mid: number, grid: GridPoints, spec: RuledModel = REVERSION) =>
  claimOf(spec, {}, { features: features(0, { mid }), grid, now: T0, ageMs: 0 });
/** 36 cells that go up and down by 1 about 100. */
const ZIGZAG = gridOfMids(Array.from({ length: 36 }, (_, i) => 100 + (i % 2 === 0 ? 0.5 : -0.5)));

describe('mean reversion', () => {
  it('claims −5 bps for each σ_5s·√(long/5) that the mid is away from its mean', () => {
    // m_l = 100, σ_5s = 1, √36 = 6
    assert.equal(reversion(103, ZIGZAG)?.edgeBps, -2.5);
    assert.equal(reversion(97, ZIGZAG)?.edgeBps, 2.5);
    assert.deepEqual(reversion(106, ZIGZAG), { edgeBps: -5, horizonSeconds: 180, t: T0 });
    assert.equal(reversion(103, ZIGZAG, { ...REVERSION, parameters: { gainBps: 8 } })?.edgeBps, -4);
  });
  it('stays within two of them, whatever the price', () => {
    assert.equal(reversion(1e9, ZIGZAG)?.edgeBps, -10);
    assert.equal(reversion(1e-9, ZIGZAG)?.edgeBps, 10);
  });
  it('scales with the price, and is odd about the mean', () => {
    const path = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 36, maxLength: 36 });
    fc.assert(
      fc.property(
        path,
        fc.integer({ min: -200, max: 200 }),
        fc.constantFrom(0.001, 1, 60_000),
        (steps, away, scale) => {
          const mids = steps.map((step) => scale * (1_000 + step));
          const mean = mids.reduce((sum, mid) => sum + mid, 0) / mids.length;
          const up = reversion(mean + scale * away, gridOfMids(mids));
          const down = reversion(mean - scale * away, gridOfMids(mids));
          if (up === undefined || down === undefined)
            return assert.equal(new Set(steps).size, 1, 'something has moved');
          assert.ok(Math.abs(up.edgeBps + down.edgeBps) < 1e-6);
          assert.ok(up.edgeBps * away <= 1e-9, 'toward the mean');
        },
      ),
    );
  });
  for (const [title, grid] of [
    ['before it has seen its long window', gridOfMids(ZIGZAG.points.slice(1).map(({ mid }) => mid))],
    ['where nothing moves', gridOfMids(Array.from({ length: 36 }, () => 100))],
    ['on a window with too many holes', gridOf(ZIGZAG.points.filter((_, i) => i % 4 !== 1))],
    ['on a grid that ended long ago', gridOf(ZIGZAG.points.map(({ index, mid }) => ({ index: index - 4, mid })))],
    ['without a grid', gridOf([])],
  ] as const)
    it(`claims nothing ${title}`, () => assert.equal(reversion(103, grid), undefined));
  it('takes steps between neighbours only, so that a hole is no jump', () => {
    const mids = Array.from({ length: 36 }, (_, i) => 100 + i);
    const holed = gridOf(gridOfMids(mids).points.filter((_, i) => i % 12 !== 6));
    const { edgeBps = NaN } = reversion(117.5 + 6, holed) ?? {};
    const mean = holed.points.reduce((sum, { mid }) => sum + mid, 0) / holed.points.length;
    assert.ok(Math.abs(edgeBps + (5 * (117.5 + 6 - mean)) / 6) < 1e-9, `${edgeBps}: σ is 1`);
  });
});

describe('the grid', () => {
  it('keeps as much as is wanted, each cell once, and starts anew where it went back', () => {
    const grid = gridOf([]);
    for (const index of [1, 2, 2, 3, 9]) takeGrid(grid, { index, mid: index }, 30);
    assert.deepEqual(grid.points.map(({ index }) => index), [3, 9]); // prettier-ignore
    takeGrid(grid, { index: 4, mid: 4 }, 30);
    assert.deepEqual(grid.points, [{ index: 4, mid: 4 }]);
  });
  it('is looked at anew with each new point', () => {
    const grid = gridOfMids(Array.from({ length: 36 }, (_, i) => 100 + (i % 2)));
    const before = reversion(103, grid);
    assert.deepEqual(reversion(103, grid), before);
    takeGrid(grid, { index: LAST + 1, mid: 110 }, 180);
    assert.deepEqual(reversion(103, grid), reversion(103, gridOf(grid.points)));
    assert.notDeepEqual(reversion(103, grid), before);
  });
});

describe('what a server claims', () => {
  const server = { intervalMs: 250, timeoutMs: 100 } as ServerSpec;
  const spec: RuledModel = { ...REVERSION, type: 'OpenInference', server };
  const claim = (memory: Memory) =>
    claimOf(spec, memory, { features: features(0), grid: gridOf([]), now: T0, ageMs: 0 });
  it('is its last answer, as old as the question', () => {
    assert.deepEqual(claim({ answered: { bps: 7, t: T0 - 300 } }), { edgeBps: 7, horizonSeconds: 180, t: T0 - 300 });
  });
  it('ends 2 s after the next one should have come', () => {
    assert.ok(claim({ answered: { bps: 7, t: T0 - 2_350 } }));
    assert.equal(claim({ answered: { bps: 7, t: T0 - 2_351 } }), undefined);
    assert.equal(claim({ answered: { bps: 7, t: T0 + 1 } }), undefined, 'of an earlier boot’s clock');
    assert.equal(claim({}), undefined);
  });
});
