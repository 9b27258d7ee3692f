import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { closeCells, emptyGrid, knownReturns, lastPoint, returnBps } from './grid.ts';

describe('grid', () => {
  it('has no point before a cell closed', () => {
    const grid = emptyGrid();
    assert.equal(closeCells(grid, 12_000, 100, 12_000), false);
    assert.equal(closeCells(grid, 14_999, 100, 14_999), false);
    assert.equal(lastPoint(grid), undefined);
  });

  it('takes the last mid before the end of the cell, under the index floor(t / 5000)', () => {
    const grid = emptyGrid();
    closeCells(grid, 12_000, 100, 12_000);
    assert.equal(closeCells(grid, 15_000, 101, 14_000), true);
    assert.deepEqual(lastPoint(grid), { index: 2, mid: 101 });
  });

  it('leaves a hole where the mid was last valid 15 s or more before, and keeps the last point', () => {
    const grid = emptyGrid();
    closeCells(grid, 1_000, 100, 1_000);
    closeCells(grid, 5_000, 100, 4_000);
    closeCells(grid, 40_000, 100, 4_000);
    // Cells that end at 10 s and 15 s still see a mid of 6 s and 11 s; the one at 20 s sees 16 s.
    assert.deepEqual(lastPoint(grid), { index: 2, mid: 100 });
    assert.equal(returnBps(grid, 5), undefined);
  });

  it('gives returns over full windows only', () => {
    const grid = emptyGrid();
    closeCells(grid, 0, 100, 0);
    for (let cell = 0; cell < 13; cell++) closeCells(grid, (cell + 1) * 5_000, 100 + cell, (cell + 1) * 5_000 - 1);
    assert.ok(Math.abs((returnBps(grid, 5) ?? 0) - 1e4 * (112 / 111 - 1)) < 1e-9);
    assert.ok(Math.abs((returnBps(grid, 60) ?? 0) - 1e4 * (112 / 100 - 1)) < 1e-9);
    assert.equal(returnBps(grid, 300), undefined);
  });

  it('covers 300 s when the ring has turned over several times', () => {
    const grid = emptyGrid();
    closeCells(grid, 0, 1, 0);
    for (let cell = 0; cell < 200; cell++) closeCells(grid, (cell + 1) * 5_000, 1_000 + cell, (cell + 1) * 5_000 - 1);
    assert.ok(Math.abs((returnBps(grid, 300) ?? 0) - 1e4 * (1_199 / 1_139 - 1)) < 1e-9);
  });

  it('knows the returns of all windows after each cell, also after a hole', () => {
    const grid = emptyGrid();
    closeCells(grid, 0, 100, 0);
    for (let cell = 0; cell < 80; cell++) {
      const end = (cell + 1) * 5_000;
      closeCells(grid, end, 100 + cell, cell > 65 && cell < 70 ? end - 20_000 : end - 1);
      const windows = { s5: 5, s30: 30, s60: 60, s300: 300 };
      const expected = Object.entries(windows).map(([window, seconds]) => [window, returnBps(grid, seconds)]);
      assert.deepEqual(knownReturns(grid), Object.fromEntries(expected.filter(([, bps]) => bps !== undefined)));
      assert.equal(knownReturns(grid), grid.returns);
    }
  });

  it('survives a pause longer than itself', () => {
    const grid = emptyGrid();
    closeCells(grid, 0, 100, 0);
    closeCells(grid, 5_000, 100, 4_999);
    closeCells(grid, 10_000_000, 100, 9_999_999);
    assert.equal(lastPoint(grid)?.index, 1_999);
  });
});
