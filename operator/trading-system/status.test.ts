import assert from 'node:assert/strict';
import type { Condition } from '@tradewind/crds/schema/status.ts';
import { tradingSystemStatus } from '@tradewind/crds/schema/trading-system-status.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import {
  aHold,
  aPod,
  aTradingSystem,
  carryOut,
  KEY,
  live,
  NOW,
  planFor,
  reported,
  seenIn,
  statusOf as statusOfPass,
  theDemo,
  theUnreadableDemo,
} from '../test/builders.ts';
import { holdStatus } from './holds.ts';
import { revisionOf, type Known } from './observe.ts';
import { planUnreadable } from './plan.ts';
import { PUBLISHED_AT } from './proof.ts';
import { SETTLE_MS, settledAt, statusAfter, type OwnStatus } from './status.ts';

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
  return statusOfPass(seen, planFor(seen));
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
  it('is Ready with one acknowledgement of each shard where the stages are fused, and not with one less', () => {
    const spec = { topology: 'Fused', shards: 2 };
    const ready = (acked: number) => {
      const stores = runningDemo({ spec });
      const { runtime } = stores.systems.get('trading/demo')?.status ?? {};
      const acks = { ...runtime!.acks!, acked, expected: acked, pending: [] };
      stores.systems.put(aTradingSystem(spec, { ...statusOf(stores), runtime: { ...runtime!, acks } }));
      return of(statusOf(stores), 'Ready');
    };
    assert.equal(ready(2)?.status, 'True');
    assert.deepEqual([ready(1)?.status, ready(1)?.reason], ['False', 'Propagating']);
  });
  it('is not Ready while one pod has not acknowledged, and names it', () => {
    const ready = of(statusOf(runningDemo({ acked: 2 })), 'Ready');
    assert.equal(ready?.reason, 'Propagating');
    assert.match(ready?.message ?? '', /demo-router-x/);
  });
  it('is not Ready while the pod of a standby is missing, which nobody waits for by name', () => {
    const spec = { standby: 1 };
    const stores = runningDemo({ spec });
    const { components } = statusOf(stores);
    for (const [acked, reason] of [
      [3, 'Propagating'],
      [4, 'Ready'],
    ] as const) {
      const { published } = seenIn(stores);
      const { runtime } = reported(published!, 3);
      const acks = { ...runtime!.acks!, acked, expected: acked };
      stores.systems.put(aTradingSystem(spec, { components: components ?? [], runtime: { ...runtime!, acks } }));
      assert.equal(of(statusOf(stores), 'Ready')?.reason, reason);
    }
  });
  it('is not Ready when the acknowledgements are of an older document', () => {
    const stores = runningDemo();
    stores.holds.put(aHold());
    assert.equal(of(statusOf(stores), 'Ready')?.reason, 'Propagating');
  });
  it('fits its schema also where the system is as large as one may be', () => {
    const { conditions: _, ...status } = statusOf(runningDemo({ spec: { shards: 64, standby: 2 } }));
    assert.equal(status.components?.length, 64 * 5 + 4);
    const { success, error } = tradingSystemStatus.safeParse(status);
    assert.ok(success, error?.message);
  });
  it('is not Ready while parts are not, and was Starting', () => {
    const status = statusOf(runningDemo({ isUp: false }));
    assert.equal(of(status, 'Ready')?.reason, 'ComponentsNotReady');
    assert.equal(status.phase, 'Starting');
  });
  it('is Stalled where the user must change it, Reconciling where others must', () => {
    assert.equal(threeOf(statusOf(theDemo(aTradingSystem({ topology: 'Fused', standby: 1 })))), 'False False True');
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
  it('does not call data flowing where books are late, and names them; where none flows that counts', () => {
    const flowing = (change: object) => {
      const stores = runningDemo();
      const { runtime } = stores.systems.get(KEY)?.status ?? {};
      stores.systems.put(
        aTradingSystem({}, { ...statusOf(stores), runtime: { ...runtime!, dataFlowing: true, ...change } }),
      );
      return of(statusOf(stores), 'DataFlowing');
    };
    assert.deepEqual([flowing({})?.status, flowing({})?.reason], ['True', 'Flowing']);
    const late = flowing({ late: ['BTC-USD', 'ETH-USD'] });
    assert.deepEqual([late?.status, late?.reason], ['False', 'FeedLate']);
    assert.equal(late?.message, 'behind their venue by more than 2 s, nothing is opened on them: BTC-USD, ETH-USD');
    assert.equal(flowing({ late: ['BTC-USD'], dataFlowing: false })?.reason, 'NotFlowing');
    const stores = theDemo(); // without a param server
    const { runtime } = runningDemo().systems.get(KEY)?.status ?? {};
    stores.systems.put(aTradingSystem({}, { runtime: { ...runtime!, dataFlowing: true, late: ['BTC-USD'] } }));
    assert.equal(of(statusOf(stores), 'DataFlowing')?.reason, 'NoReport');
  });
  it('is the same a second time, so that nothing is written', () => {
    const stores = runningDemo();
    const first = statusOf(stores);
    const seen = seenIn(stores);
    stores.systems.put(aTradingSystem({}, { ...seen.system.status, ...first }));
    const again = seenIn(stores);
    assert.deepEqual(statusOfPass(again, planFor(again), NOW + 60_000), first);
  });
  it('does not call in force what could not be published', () => {
    const stores = runningDemo();
    stores.systems.put(aTradingSystem({ trading: 'Stopped' }, stores.systems.get(KEY)?.status));
    const seen = seenIn(stores);
    const refused = { who: 'others', reason: 'Forbidden', message: 'desired document: quota' } as const;
    const status = statusAfter(
      seen,
      planFor(seen),
      { document: seen.published, blockers: [refused], commands: [] },
      NOW,
    );
    assert.deepEqual([status.trading, of(status, 'Ready')?.reason], ['Enabled', 'Forbidden']);
    assert.match(of(status, 'Ready')?.message ?? '', /quota/);
  });
  it('is Stalled where the API server refuses a child for what the spec says', () => {
    const seen = seenIn(runningDemo());
    const refused = { who: 'user', reason: 'Refused', message: 'StatefulSet demo-redis: no' } as const;
    const status = statusAfter(
      seen,
      planFor(seen),
      { document: seen.published, blockers: [refused], commands: [] },
      NOW,
    );
    assert.equal(threeOf(status), 'False False True');
  });
  it('shows a stop and what runs also while the spec cannot be read', () => {
    const stores = runningDemo();
    const known = theUnreadableDemo(stores, { capitalUsd: 'much', trading: 'Stopped' });
    const status = statusOfPass(known, planUnreadable(known, [], { epoch: 1, now: NOW }));
    assert.deepEqual([status.trading, status.ready, threeOf(status)], ['Stopped', '7/7', 'False False True']);
    assert.equal(of(status, 'TradingEnabled')?.reason, 'StoppedBySpec');
  });
  it('counts holds in Redis, and says how they are lifted', () => {
    const stores = runningDemo();
    const { runtime } = stores.systems.get(KEY)?.status ?? {};
    const holds = [{ id: 'sighup', effect: 'PauseRouter', by: 'pod', reason: 'SIGHUP' }] as const;
    stores.systems.put(aTradingSystem({}, { runtime: { ...runtime!, holds: [...holds] } }));
    const status = statusOf(stores);
    assert.equal(status.router, 'Paused');
    assert.match(of(status, 'RouterActive')?.message ?? '', /HDEL holds:\{demo\} sighup in Redis/);
    assert.deepEqual(status.holds?.map(({ name }) => name), ['sighup']); // prettier-ignore
  });
  it('keeps within what the schema takes: 65 Holds, and a maker with a long name', () => {
    const stores = runningDemo();
    for (let i = 0; i < 65; i++) stores.holds.put(aHold({ reason: 'r'.repeat(256) }, `stop-${i}`));
    const by = live(aHold({}, 'long'), {}) as ReturnType<typeof aHold>;
    stores.holds.put({ ...by, metadata: { ...by.metadata, annotations: { 'tradewind.io/by': 'x'.repeat(1_000) } } });
    const status = statusOf(stores);
    assert.deepEqual(tradingSystemStatus.safeParse(status).error?.issues, undefined);
    const long = stores.holds.get('trading/long')!;
    assert.equal(holdStatus({ ...base, document: undefined, hold: long }).by?.length, 256);
  });
});

const base = { system: 'found', proven: true, now: NOW } as const;

describe('the status of a Hold', () => {
  /** A document that carries `hold`. */
  const documentWith = (hold: ReturnType<typeof aHold>): DesiredDocument => {
    const stores = theDemo();
    stores.holds.put(hold);
    return planFor(seenIn(stores)).document!;
  };
  const document = documentWith(aHold());
  it('is Ready when every pod runs it, with who and since when', () => {
    const status = holdStatus({ ...base, document, hold: aHold() });
    assert.equal(of(status, 'Ready')?.reason, 'InForce');
    assert.equal(status.effectiveSince, new Date(NOW).toISOString());
    assert.equal(status.by, 'unknown');
  });
  it('says that it holds nothing where its system is not there', () => {
    const status = holdStatus({ ...base, document: undefined, system: 'missing', hold: aHold() });
    assert.equal(of(status, 'Ready')?.reason, 'SystemNotFound');
  });
  it('is over after its time', () => {
    const hold = aHold({ until: new Date(NOW - 1).toISOString() });
    assert.equal(of(holdStatus({ ...base, document, hold }), 'Ready')?.reason, 'Over');
  });
  for (const [title, seen] of [
    ['there is no document', { hold: aHold(), document: undefined }],
    ['the document that every pod runs does not carry it', { hold: aHold({}, 'other'), document }],
    ['the document carries a predecessor of its name', { hold: aHold({ effect: 'PauseRouter' }), document }],
    ['not every pod has acknowledged', { hold: aHold(), document, proven: false }],
  ] as const)
    it(`is not in force while ${title}`, () => {
      assert.equal(of(holdStatus({ ...base, ...seen }), 'Ready')?.reason, 'Propagating');
    });
  it('says that nothing is flattened yet', () => {
    const hold = aHold({ effect: 'Flatten' });
    const ready = of(holdStatus({ ...base, document: documentWith(hold), hold }), 'Ready');
    assert.match(ready?.message ?? '', /no new positions, but nothing is flattened yet/);
  });
});

it('a revision is the same for the same content, whatever the order of its fields', () => {
  assert.equal(revisionOf({ a: 1, b: 2 }), revisionOf({ b: 2, a: 1 }));
});

describe('when a status is worth writing', () => {
  const ready = (status: string, reason: string): Partial<OwnStatus> => ({
    conditions: [{ type: 'Ready', status, reason, message: '', lastTransitionTime: '' } as Condition],
  });
  const desired = (version: number) => ({ desired: { epoch: 1, version, hash: '0123456789abcdef' } });
  const known = (status: object): Known =>
    ({
      system: { status },
      map: { metadata: { annotations: { [PUBLISHED_AT]: new Date(NOW).toISOString() } } },
    }) as unknown as Known;
  const told = { ...ready('True', 'Ready'), ...desired(4) };
  const next = (version: number, reason = 'Propagating') =>
    ({ ...ready('False', reason), ...desired(version) }) as OwnStatus;

  it('is a moment after a publication, where it would only tell of that', () => {
    assert.equal(settledAt(known(told), next(5), NOW), NOW + SETTLE_MS);
  });
  it('is long past where it was published by a clock that is ahead', () => {
    assert.ok(settledAt(known(told), next(5), NOW - 3_600_000) <= NOW - 3_600_000);
  });
  for (const [title, before, after] of [
    ['a second publication', told, next(6)],
    ['anything else than acknowledgements that are missing', told, next(5, 'ComponentsNotReady')],
    ['what was not Ready before', { ...ready('False', 'ComponentsNotReady'), ...desired(4) }, next(5)],
    ['another epoch', { ...told, desired: { ...desired(4).desired, epoch: 0 } }, next(5)],
    ['a first document', ready('True', 'Ready'), next(1)],
  ] as const)
    it(`is at once for ${title}`, () => assert.equal(settledAt(known(before), after, NOW), 0));
});
