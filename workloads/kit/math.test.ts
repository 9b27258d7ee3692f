import assert from 'node:assert/strict';
import { clamp, exponential, integerPower, naturalLog, normalQuantile, power, sat } from './math.ts';

const near = (actual: number, expected: number, relative: number): void =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.max(1e-300, Math.abs(expected)), `${actual} ≠ ${expected}`);

describe('math', () => {
  it('agrees with the platform on log, exp and powers', () => {
    for (let i = 1; i < 2_000; i++) {
      const x = Math.pow(10, (i - 1000) / 50);
      assert.ok(Math.abs(naturalLog(x) - Math.log(x)) <= 1e-14 * Math.max(1, Math.abs(Math.log(x))));
      near(exponential((i - 1000) / 10), Math.exp((i - 1000) / 10), 1e-13);
      near(power(0.94, i / 17280), Math.pow(0.94, i / 17280), 1e-14);
    }
    assert.equal(power(0, 2), 0);
    assert.equal(exponential(-1000), 0);
    assert.equal(exponential(1000), Infinity);
    assert.throws(() => naturalLog(0), RangeError);
  });

  it('raises to whole powers', () => {
    for (const n of [0, 1, 2, 7, 17280]) near(integerPower(0.99999, n), Math.pow(0.99999, n), 1e-11);
  });

  it('knows the normal quantiles of the desk', () => {
    near(normalQuantile(0.95), 1.6448536269514722, 2e-9);
    near(normalQuantile(0.99), 2.3263478740408408, 2e-9);
    near(normalQuantile(0.01), -2.3263478740408408, 2e-9);
    near(normalQuantile(0.999), 3.090232306167813, 2e-9);
    assert.equal(normalQuantile(0.5), 0);
    assert.throws(() => normalQuantile(1), RangeError);
  });

  it('saturates without overflow', () => {
    assert.equal(sat(Infinity), 1);
    assert.equal(sat(-1e200), -1);
    assert.equal(sat(0), 0);
    near(sat(1), Math.SQRT1_2, 1e-15);
    assert.equal(clamp(5, 0, 3), 3);
  });
});
