import assert from 'node:assert/strict';
import type { Condition } from '@tradewind/crds/schema/status.ts';
import { aHold, aPod, aTradingSystem, carryOut, NOW, planFor, reported, seenIn, theDemo } from '../test/builders.ts';
import { revisionOf } from './observe.ts';
import { statusAfter, type OwnStatus } from './status.ts';
import { holdStatus } from './holds.ts';

const of = (status: { conditions?: readonly Condition[] | undefined }, type: string): Condition | undefined =>
  status.conditions?.find((condition) => condition.type === type);
const threeOf = (status: OwnStatus): string =>
  ['Ready', 'Reconciling', 'Stalled'].map((type) => of(status, type)?.status).join(' ');

/** The demo with everything up and `acked` of 3 pods having acknowledged. */
function runningDemo({ acked = 3, isUp = true, spec = {} } = {}) {
  const stores = theDemo(aTradingSystem(spec));
  const first = planFor(seenIn(stores));
  carryOut(stores, first, isUp);
  stores.pods.put(aPod('param-server'));
  stores.systems.put(aTradingSystem(spec, reported(first.document!, acked)));
  return stores;
}
function statusOf(stores: ReturnType<typeof theDemo>): OwnStatus {
  const seen = seenIn(stores);
  return statusAfter(seen, planFor(seen), NOW);
}

describe('the status of a trading system', () => {
  it('is Ready when every part is up and every pod has acknowledged the very document', () => {
    const status = statusOf(runningDemo());
    assert.equal(threeOf(status), 'True False False');
    assert.deepEqual(
      [status.phase, status.ready, status.trading, status.router],
      ['Running', '7/7', 'Enabled', 'Active'],
    );
  });
  it('is not Ready while one pod has not acknowledged, and names it', () => {
    const ready = of(statusOf(runningDemo({ acked: 2 })), 'Ready');
    assert.equal(ready?.reason, 'Propagating');
    assert.match(ready?.message ?? '', /demo-router-x/);
  });
  it('is not Ready when the acknowledgements are of an older document', () => {
    const stores = runningDemo();
    stores.holds.put(aHold());
    assert.equal(of(statusOf(stores), 'Ready')?.reason, 'Propagating');
  });
  it('is not Ready while parts are not, and was Starting', () => {
    const status = statusOf(runningDemo({ isUp: false }));
    assert.equal(of(status, 'Ready')?.reason, 'ComponentsNotReady');
    assert.equal(status.phase, 'Starting');
  });
  it('is Stalled where the user must change it, Reconciling where others must', () => {
    assert.equal(threeOf(statusOf(theDemo(aTradingSystem({ topology: 'Fused' })))), 'False False True');
    assert.equal(threeOf(statusOf(theDemo(aTradingSystem(), ['RiskParams']))), 'False True False');
  });
  it('says who holds trading, and how it is lifted', () => {
    const stores = runningDemo();
    stores.holds.put(aHold({ reason: 'fat finger' }));
    const status = statusOf(stores);
    assert.equal(status.trading, 'Held');
    assert.match(of(status, 'TradingEnabled')?.message ?? '', /deleting Hold stop/);
    assert.deepEqual(status.holds?.map(({ name, reason }) => [name, reason]), [['stop', 'fat finger']]); // prettier-ignore
  });
  it('tells a pause from a stop', () => {
    const stores = runningDemo();
    stores.holds.put(aHold({ effect: 'PauseRouter' }));
    const status = statusOf(stores);
    assert.deepEqual([status.trading, status.router], ['Enabled', 'Paused']);
  });
  it('does not know the breaker while no param server is there to tell', () => {
    assert.equal(of(statusOf(theDemo()), 'BreakerClosed')?.status, 'Unknown');
  });
  it('is the same a second time, so that nothing is written', () => {
    const stores = runningDemo();
    const first = statusOf(stores);
    const seen = seenIn(stores);
    stores.systems.put(aTradingSystem({}, { ...seen.system.status, ...first }));
    const again = seenIn(stores);
    assert.deepEqual(statusAfter(again, planFor(again), NOW + 60_000), first);
  });
});

describe('the status of a Hold', () => {
  const base = { system: 'found', proven: true, now: NOW } as const;
  it('is Ready when every pod runs it, with who and since when', () => {
    const status = holdStatus({ ...base, hold: aHold() });
    assert.equal(of(status, 'Ready')?.reason, 'InForce');
    assert.equal(status.effectiveSince, new Date(NOW).toISOString());
    assert.equal(status.by, 'unknown');
  });
  it('says that it holds nothing where its system is not there', () => {
    assert.equal(of(holdStatus({ ...base, system: 'missing', hold: aHold() }), 'Ready')?.reason, 'SystemNotFound');
  });
  it('is over after its time', () => {
    const hold = aHold({ until: new Date(NOW - 1).toISOString() });
    assert.equal(of(holdStatus({ ...base, hold }), 'Ready')?.reason, 'Over');
  });
});

it('a revision is the same for the same content, whatever the order of its fields', () => {
  assert.equal(revisionOf({ a: 1, b: 2 }), revisionOf({ b: 2, a: 1 }));
});
