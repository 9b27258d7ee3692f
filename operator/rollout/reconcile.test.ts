import assert from 'node:assert/strict';
import { aTradingSystem, KEY, live, theDemo } from '../test/builders.ts';
import type { Revisioned } from '../kinds.ts';
import { followedBy, RISK_PARAMS_KIND } from './reconcile.ts';

describe('the RiskParams that a system concerns', () => {
  const stores = theDemo();
  const old = stores.riskParams.get(KEY)!;
  const told = (name: string, system: string): Revisioned => {
    const systems = [{ name: system, stage: 'Active' as const, acked: 3, expected: 3 }];
    return live({ ...old, metadata: { name } }, { status: { systems } });
  };
  stores.riskParams.put(told('former', 'demo'));
  stores.riskParams.put(told('foreign', 'another'));
  it('are the one that it refers to, and those whose status still names it', () => {
    assert.deepEqual(followedBy(RISK_PARAMS_KIND, KEY, stores), ['trading/demo', 'trading/former']);
  });
  it('are those whose status names it, when it is gone', () => {
    stores.systems.drop(aTradingSystem());
    assert.deepEqual(followedBy(RISK_PARAMS_KIND, KEY, stores), ['trading/former']);
  });
});
