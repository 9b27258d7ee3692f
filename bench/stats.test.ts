import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { quantile, spreadFigures } from './stats.ts';

describe('quantiles', () => {
  it('are by nearest rank, whatever the order of the samples', () => {
    const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((q) => quantile(samples, q)),
      [1, 50, 99, 100],
    );
  });
  it('of nothing are not a number', () => assert.ok(Number.isNaN(quantile([], 0.5))));
  it('are named with their prefix and rounded', () => {
    assert.deepEqual(spreadFigures('xMs', [1.23456]), { xMsP50: 1.235, xMsP90: 1.235, xMsP99: 1.235, xMsMax: 1.235 });
  });
});
