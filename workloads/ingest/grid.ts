// The 5 s previous-tick grid of a symbol's mid (docs/trading.md): sampling at every tick understates variance 3–4 times.
// Pure; written by market.ts, read by features.ts.

import type { Features } from '../contract/messages.ts';

export const GRID_MS = 5_000;
/** A mid that was last known valid this long before a cell's end is no point: the cell stays a hole. */
export const MAX_MID_AGE_MS = 15_000;

/** 300 s of points and the one to compare with. */
const POINTS = 300_000 / GRID_MS + 1;

/** Changed in place. */
export interface Grid {
  /** Epoch ms at which the cell in progress ends; 0 before the first event. */
  cellEnd: number;
  /** Index of the last closed cell that has a point; −1 = none yet. Index i covers [5000·i, 5000·(i+1)). */
  lastIndex: number;
  /** Mid by index modulo its length; 0 = hole. */
  readonly points: Float64Array;
  /** As knownReturns gives them; undefined where cells were closed since. */
  returns: Features['returnsBps'] | undefined;
}

export const emptyGrid = (): Grid => ({
  cellEnd: 0,
  lastIndex: -1,
  points: new Float64Array(POINTS),
  returns: undefined,
});

/**
 * Closes every cell that ended at or before `t` with `mid`, the last valid mid, known valid at `midAt` (0: never). To be
 * called before the event at `t` changes the mid. Returns whether a point was added.
 */
export function closeCells(grid: Grid, t: number, mid: number, midAt: number): boolean {
  if (t < grid.cellEnd) return false;
  if (grid.cellEnd === 0) {
    grid.cellEnd = (Math.floor(t / GRID_MS) + 1) * GRID_MS;
    return false;
  }
  grid.returns = undefined;
  const before = grid.lastIndex;
  const oldestKept = t - POINTS * GRID_MS;
  if (grid.cellEnd < oldestKept) {
    grid.points.fill(0);
    grid.cellEnd = Math.floor(oldestKept / GRID_MS) * GRID_MS;
  }
  for (; grid.cellEnd <= t; grid.cellEnd += GRID_MS) {
    const index = grid.cellEnd / GRID_MS - 1;
    const isPoint = mid > 0 && grid.cellEnd - midAt < MAX_MID_AGE_MS;
    grid.points[index % POINTS] = isPoint ? mid : 0;
    if (isPoint) grid.lastIndex = index;
  }
  return grid.lastIndex !== before;
}

/** The last point; undefined until there is one. */
export function lastPoint(grid: Grid): { readonly index: number; readonly mid: number } | undefined {
  if (grid.lastIndex < 0) return undefined;
  const mid = grid.points[grid.lastIndex % POINTS] ?? 0;
  return mid > 0 ? { index: grid.lastIndex, mid } : undefined;
}

/**
 * Return over `seconds` (a multiple of 5, at most 300) up to the last closed cell, in bps. Undefined where either end is
 * a hole or the grid is not that long yet.
 */
export function returnBps(grid: Grid, seconds: number): number | undefined {
  const lastClosed = grid.cellEnd / GRID_MS - 2;
  const span = (seconds * 1_000) / GRID_MS;
  if (grid.lastIndex !== lastClosed || span >= POINTS) return undefined;
  const now = grid.points[grid.lastIndex % POINTS] ?? 0;
  const then = grid.points[(grid.lastIndex - span + POINTS) % POINTS] ?? 0;
  return now > 0 && then > 0 ? 1e4 * (now / then - 1) : undefined;
}

const WINDOWS = [
  ['s5', 5],
  ['s30', 30],
  ['s60', 60],
  ['s300', 300],
] as const;

/** The returns that there are, of all windows: made once for each cell, not for each emission. */
export function knownReturns(grid: Grid): Features['returnsBps'] {
  if (grid.returns !== undefined) return grid.returns;
  const returns: { -readonly [Window in keyof Features['returnsBps']]: number } = {};
  for (const [window, seconds] of WINDOWS) {
    const bps = returnBps(grid, seconds);
    if (bps !== undefined) returns[window] = bps;
  }
  grid.returns = returns;
  return returns;
}
