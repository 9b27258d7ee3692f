import assert from 'node:assert/strict';
import { compilePolicy } from './policy.ts';
import { aDocument, CONFIG, PARAMS } from './test/builders.ts';

const policyOf = (params: Partial<typeof PARAMS>, assetClass = 'crypto') => {
  const symbols = CONFIG.symbols.map((symbol) => ({ ...symbol, assetClass }));
  return compilePolicy(aDocument({}, { ...PARAMS, ...params }), { ...CONFIG, symbols }, 0);
};

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
  it('names what the document lacks', () => {
    const { hardLimits } = aDocument();
    const document = aDocument({ hardLimits: { ...hardLimits, symbols: {} } });
    assert.throws(() => compilePolicy(document, CONFIG, 0), /hardLimits\.symbols\.BTC-USD is missing/);
  });
});
