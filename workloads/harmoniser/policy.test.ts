import assert from 'node:assert/strict';
import { compilePolicy } from './policy.ts';
import { shardOf } from '../contract/shards.ts';
import { aDocument, CONFIG, PARAMS } from './test/builders.ts';

const policyOf = (params: Partial<typeof PARAMS>, assetClass = 'crypto') => {
  const symbols = CONFIG.symbols.map((symbol) => ({ ...symbol, assetClass }));
  return compilePolicy(aDocument({}, { ...PARAMS, ...params }), { ...CONFIG, symbols }, 0);
};

const OF_MAJORS: Readonly<Record<number, number>> = { 1: 0, 4: shardOf('majors', 4) };

describe('the policy', () => {
  for (const [floors, assetClass, floor] of [
    [{}, 'crypto', 0.02],
    [{ forex: 1 }, 'crypto', 0.02],
    [{ crypto: 3 }, 'crypto', 0.03],
    [{ crypto: 3 }, 'forex', 0.005],
    [{ forex: 1 }, 'forex', 0.01],
  ] as const)
    it(`has a floor of ${100 * floor} % a day for ${assetClass} where ${JSON.stringify(floors)} is given`, () => {
      const policy = policyOf({ volatility: { ...PARAMS.volatility, floorPctPerDay: floors } }, assetClass);
      assert.equal(policy.symbols.get('BTC-USD')!.volatility.floorPerDay, floor);
    });
  it('has a slice of every bound of the whole system, as no shard sees the others; bounds of a symbol are whole', () => {
    const [whole, slice] = [1, 4].map((shards) =>
      compilePolicy(aDocument(), { ...CONFIG, shards }, OF_MAJORS[shards]!),
    );
    const sliced = (of: typeof whole) => {
      const { target, limit, breaker } = of!.var;
      return [target, limit, breaker, of!.maxDailyTurnover, of!.symbols.get('BTC-USD')!.classCap];
    };
    assert.deepEqual(sliced(slice), sliced(whole).map((bound) => bound / 4)); // prettier-ignore
    const ofSymbol = (of: typeof whole) => {
      const { maxQuantity, maxOrderQuantity, maxOrderNotionalUsd, maxOrdersPerMinute, maxOpenOrders } = of!.symbols.get('BTC-USD')!; // prettier-ignore
      return [maxQuantity, maxOrderQuantity, maxOrderNotionalUsd, maxOrdersPerMinute, maxOpenOrders];
    };
    assert.deepEqual(ofSymbol(slice), ofSymbol(whole));
  });
  it('names what the document lacks', () => {
    const { hardLimits } = aDocument();
    const document = aDocument({ hardLimits: { ...hardLimits, symbols: {} } });
    assert.throws(() => compilePolicy(document, CONFIG, 0), /hardLimits\.symbols\.BTC-USD is missing/);
  });
});
