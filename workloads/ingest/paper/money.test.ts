import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { btcListing } from '../test/listings.ts';
import { feeMicros, feeRate, notionalMicros } from './money.ts';

const { instrument } = btcListing;

describe('paper money', () => {
  it('values 0.5 BTC at 61,837.64 to the micro, where a float product passes 2^53', () => {
    assert.equal(notionalMicros(instrument, 6_183_764, 50_000, 'buy'), 30_918_820_000);
    assert.equal(notionalMicros(instrument, 6_183_764, 3, 'buy'), 1_855_130);
    assert.equal(notionalMicros(instrument, 6_183_764, 3, 'sell'), 1_855_129);
  });

  it('rounds against the account, by less than a micro', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000_000 }), fc.integer({ min: 1, max: 900_000_000 }), (ticks, lots) => {
        const buy = notionalMicros(instrument, ticks, lots, 'buy');
        const sell = notionalMicros(instrument, ticks, lots, 'sell');
        assert.ok(Number.isSafeInteger(buy) && buy - sell >= 0 && buy - sell <= 1);
      }),
    );
  });

  it('takes fees in thousandths of a basis point, rounded up', () => {
    assert.equal(feeMicros(1_000_000, feeRate(3)), 300);
    assert.equal(feeMicros(1_000_001, feeRate(3)), 301);
    assert.equal(feeMicros(1_000_000, feeRate(0.125)), 13);
    assert.equal(feeMicros(1_000_000, feeRate(0)), 0);
    assert.throws(() => feeRate(-1), /feeBps must be/);
    assert.throws(() => feeRate(Number.NaN), /feeBps must be/);
  });
});
