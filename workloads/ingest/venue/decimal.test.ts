import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { decimalsOfStep, NOT_A_DECIMAL, parseFloored, parseScaled, TOO_FINE } from './decimal.ts';

describe('parseScaled', () => {
  it('equals exact integer arithmetic on any decimal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9_999_999 }),
        fc.integer({ min: 0, max: 8 }),
        fc.nat(99_999_999),
        (whole, decimals, fraction) => {
          const digits = decimals === 0 ? '' : String(fraction % 10 ** decimals).padStart(decimals, '0');
          const text = `${whole}.${digits}`.padEnd(12, '0');
          assert.equal(parseScaled(text, decimals), Number(BigInt(`${whole}${digits}`)));
        },
      ),
    );
  });

  const cases: readonly (readonly [unknown, number, number])[] = [
    ['61837.64000000', 2, 6_183_764],
    ['0.00003000', 5, 3],
    ['0.1', 2, 10],
    ['12', 2, 1_200],
    ['0', 8, 0],
    ['90071992547409.91', 2, Number.MAX_SAFE_INTEGER],
    ['90071992547409.92', 2, NOT_A_DECIMAL],
    ['61837.641', 2, TOO_FINE],
    ['61837.64x', 2, NOT_A_DECIMAL],
    ['61837.641x', 2, NOT_A_DECIMAL],
    ['-1.00', 2, NOT_A_DECIMAL],
    ['1e5', 2, NOT_A_DECIMAL],
    ['1.', 2, NOT_A_DECIMAL],
    ['.5', 2, NOT_A_DECIMAL],
    ['1.2.3', 4, NOT_A_DECIMAL],
    ['', 2, NOT_A_DECIMAL],
    [' 1', 2, NOT_A_DECIMAL],
    [1.5, 2, NOT_A_DECIMAL],
    [undefined, 2, NOT_A_DECIMAL],
    ['9'.repeat(400), 2, NOT_A_DECIMAL],
  ];
  for (const [text, decimals, expected] of cases) {
    it(`reads ${JSON.stringify(text)?.slice(0, 24) ?? 'undefined'} with ${decimals} decimals as ${expected}`, () => {
      assert.equal(parseScaled(text, decimals), expected);
    });
  }

  it('gives a safe integer ≥ 0 or NOT_A_DECIMAL for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 12 }), (text, decimals) => {
        const value = parseScaled(text, decimals);
        assert.ok(value === NOT_A_DECIMAL || value === TOO_FINE || (Number.isSafeInteger(value) && value >= 0));
      }),
    );
  });
});

describe('parseFloored', () => {
  it("rounds down what is finer than a lot, as sizes older than the venue's present step are", () => {
    assert.equal(parseFloored('25.42618900', 5), 2_542_618);
    assert.equal(parseFloored('0.00000900', 5), 0);
    assert.equal(parseFloored('0.0000x', 2), NOT_A_DECIMAL);
    assert.equal(parseFloored('7.50000000', 5), 750_000);
  });
});

describe('decimalsOfStep', () => {
  it('finds the digits that a venue step needs', () => {
    assert.equal(decimalsOfStep('0.01000000'), 2);
    assert.equal(decimalsOfStep('0.00010000'), 4);
    assert.equal(decimalsOfStep('0.05000000'), 2);
    assert.equal(decimalsOfStep('10.00000000'), 0);
    assert.equal(decimalsOfStep('0.00000000'), undefined);
    assert.equal(decimalsOfStep('x'), undefined);
  });
});
