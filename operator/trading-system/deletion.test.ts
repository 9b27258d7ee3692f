import assert from 'node:assert/strict';
import type { Pod, TradingSystem } from '../kinds.ts';
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
  statusOf,
  theDemo,
} from '../test/builders.ts';
import { deletionAfter, planDeletion, type Facts } from './deletion.ts';
import { FINALIZER, observe } from './observe.ts';
import type { Plan } from './plan.ts';
import { statusAfter } from './status.ts';

const LIMITS = { drainSeconds: 10, timeoutSeconds: 300 };
const NOTHING: Facts = { isAlone: false, isStopped: false, isDrained: false };
const at = (ms: number): string => new Date(NOW + ms).toISOString();
const STOPPING = { step: 'Stopping', since: at(0), deadline: at(300_000) } as const;
const DRAINING = { step: 'Draining', since: at(0), deadline: at(10_000) } as const;
const over = (reason: string) => ({ step: 'Over', reason });

describe('the steps of a deletion', () => {
  for (const [title, before, facts, afterMs, expected] of [
    ['begins with stopping', undefined, {}, 0, STOPPING],
    ['stops as long as somebody may trade', STOPPING, {}, 299_999, STOPPING],
    ['is over when nobody answers in time', STOPPING, {}, 300_000, over('NotStopped')],
    ['is over when no pod that trades is left', STOPPING, { isAlone: true }, 1, over('NobodyLeft')],
    ['is over at once where there never was one', undefined, { isAlone: true }, 0, over('NobodyLeft')],
    ['drains once it has stopped', STOPPING, { isStopped: true }, 0, DRAINING],
    ['is over when it is drained', STOPPING, { isStopped: true, isDrained: true }, 5, over('Drained')],
    ['drains as long as something may be open', DRAINING, { isStopped: true }, 9_999, DRAINING],
    ['does not stop again when a pod comes back meanwhile', DRAINING, {}, 9_999, DRAINING],
    ['is over when it has drained', DRAINING, { isStopped: true, isDrained: true }, 1, over('Drained')],
    ['is over when nobody is left to drain', DRAINING, { isAlone: true }, 1, over('NobodyLeft')],
    ['is over when it does not drain in time', DRAINING, { isStopped: true }, 10_000, over('NotDrained')],
    ['drains for its own time, however long stopping took', STOPPING, { isStopped: true }, 299_000, DRAINING],
    ['begins with the whole time, whatever was timed before', undefined, {}, 400_000, STOPPING],
  ] as const)
    it(title, () => {
      assert.deepEqual(
        deletionAfter(before, { ...NOTHING, ...facts }, { limits: LIMITS, now: NOW, stepMs: afterMs }),
        expected,
      );
    });
});

/** The demo, running and then deleted; `finalizers` are there beside ours. */
function deletedDemo({ pods = ['ingest', 'router', 'harmoniser'], finalizers = [] as string[], spec = {} } = {}) {
  const stores = theDemo(aTradingSystem(spec));
  carryOut(stores, planFor(seenIn(stores)));
  for (const part of pods) stores.pods.put(aPod(part));
  const { metadata, ...system } = aTradingSystem(spec);
  const deleted = (status: TradingSystem['status'] = {}): void =>
    stores.systems.put(
      live({
        ...system,
        metadata: { ...metadata, deletionTimestamp: at(0), finalizers: [FINALIZER, ...finalizers] },
        status,
      } as never),
    );
  deleted();
  return { stores, deleted };
}
type Stores = ReturnType<typeof theDemo>;
const planIn = (stores: Stores, stepMs = 0): Plan => {
  const look = observe(KEY, stores);
  if (look.kind === 'gone') throw new Error(look.kind);
  return planDeletion(look, { epoch: 1, now: NOW, stepMs });
};

describe('the plan of a deletion', () => {
  it('stops trading, makes nothing and removes nothing, and says whom it waits for', () => {
    const { stores } = deletedDemo();
    stores.holds.put(aHold({ effect: 'PauseRouter' }));
    const { document, children, surplus, secret, deletion, blockers, lookAgainAt } = planIn(stores);
    assert.deepEqual([document?.trading, document?.holds.length, document?.version], ['Stopped', 1, 2]);
    assert.deepEqual([children, surplus, secret], [[], [], undefined]);
    assert.deepEqual([deletion, lookAgainAt], [STOPPING, NOW + 300_000]);
    assert.match(blockers[0]?.message ?? '', /acknowledge that trading is stopped: demo-harmoniser-x/);
  });
  it('is on no wall clock: it looks again by the time that is left, and a jump of an hour ends nothing', () => {
    const { stores, deleted } = deletedDemo();
    deleted({ deletion: STOPPING });
    assert.equal(planIn(stores, 100_000).lookAgainAt, NOW + 200_000);
    const jumped = planDeletion(observe(KEY, stores) as never, { epoch: 1, now: NOW + 3_600_000, stepMs: 0 });
    assert.deepEqual(jumped.deletion, STOPPING);
  });
  it('has a status that says so', () => {
    const { stores } = deletedDemo();
    const status = statusOf(seenIn(stores), planIn(stores));
    const reasons = status.conditions?.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`) ?? [];
    assert.deepEqual(reasons.slice(0, 4), [
      'Ready False Deleting',
      'Reconciling True Deleting',
      'Stalled False Deleting',
      'TradingEnabled False Deleting',
    ]);
    assert.deepEqual([status.phase, status.deletion], ['Deleting', STOPPING]);
    const refused = { who: 'others', reason: 'Forbidden', message: 'desired document: no' } as const;
    const done = { document: seenIn(stores).published, blockers: [refused], commands: [] };
    const [ready] = statusAfter(seenIn(stores), planIn(stores), done, NOW).conditions ?? [];
    assert.match(ready?.message ?? '', /^waits until .*; desired document: no$/);
  });

  /** Published as stopped, and reported on. */
  function stopped(options: Parameters<typeof deletedDemo>[0], runtime: object = {}, acked = 3) {
    const { stores, deleted } = deletedDemo(options);
    const { document } = planIn(stores);
    carryOut(stores, planIn(stores));
    const report = reported(document!, acked);
    deleted({ ...report, runtime: { ...report.runtime!, ...runtime } });
    return stores;
  }
  it('goes on to drain when the pods have acknowledged, and ends when they are drained', () => {
    assert.deepEqual(planIn(stopped({})).deletion, DRAINING);
    assert.deepEqual(planIn(stopped({}, { drained: false })).deletion, DRAINING);
    const { deletion, document } = planIn(stopped({}, { drained: true }));
    assert.deepEqual([deletion, document], [over('Drained'), undefined]);
  });
  it('waits for no pod that sends no orders', () => {
    assert.deepEqual(planIn(stopped({}, {}, 2)).deletion, DRAINING);
  });
  it('waits for a fused pod, which sends orders too', () => {
    const { stores, deleted } = deletedDemo({ pods: ['fused'], spec: { topology: 'Fused' } });
    const { document } = planIn(stores);
    carryOut(stores, planIn(stores));
    const told = (pending: string[]) => ({ runtime: { observedAt: at(0), acks: { acked: 1 - pending.length, expected: 1, pending, hash: document!.hash, version: 2 } } }); // prettier-ignore
    deleted(told(['demo-fused-x']));
    assert.match(planIn(stores).blockers[0]?.message ?? '', /acknowledge that trading is stopped: demo-fused-x/);
    deleted(told([]));
    assert.deepEqual(planIn(stores).deletion, DRAINING);
  });
  it('believes no report of a drain while a harmoniser has not acknowledged', () => {
    const { stores, deleted } = deletedDemo();
    const { document } = planIn(stores);
    carryOut(stores, planIn(stores));
    const { runtime } = reported(document!, 0);
    deleted({ deletion: DRAINING, runtime: { ...runtime!, drained: true } });
    assert.deepEqual(planIn(stores).deletion, DRAINING);
  });
  it('waits for a harmoniser that has not acknowledged, drained or not', () => {
    assert.deepEqual(planIn(stopped({}, { drained: true }, 0)).deletion, STOPPING);
  });
  it('does not believe a count that leaves pods out, or that may', () => {
    const uncounted = { acked: 1, expected: 1, pending: [] };
    const cut = { acked: 0, expected: 65, pending: Array.from({ length: 64 }, (_, i) => `demo-ingest-${i}`) };
    for (const acks of [uncounted, cut]) {
      const { stores, deleted } = deletedDemo();
      const { document } = planIn(stores);
      carryOut(stores, planIn(stores));
      deleted({ runtime: { observedAt: at(0), acks: { ...acks, hash: document!.hash, version: 2 } } });
      assert.deepEqual(planIn(stores).deletion, STOPPING);
    }
  });
  it('does not take acknowledgements of another document for a stop', () => {
    const { stores, deleted } = deletedDemo();
    const old = seenIn(stores).published!;
    carryOut(stores, planIn(stores));
    deleted(reported(old));
    assert.deepEqual(planIn(stores).deletion, STOPPING);
  });
  it('ends when no pod that trades is left, and none can begin to', () => {
    const none = deletedDemo({ pods: ['gateway', 'param-server'] }).stores;
    assert.deepEqual(planIn(none).deletion, STOPPING, 'what is published says Enabled');
    carryOut(none, planIn(none));
    assert.deepEqual(planIn(none).deletion, over('NobodyLeft'));
  });
  it('counts a pod that is on its way out, and none that has ended', () => {
    const stores = stopped({ pods: [] }, {}, 0);
    const pod = (more: object): Pod => live({ ...aPod('harmoniser'), ...more });
    stores.pods.put(pod({ metadata: { ...aPod('harmoniser').metadata, deletionTimestamp: at(0) } }));
    assert.deepEqual(planIn(stores).deletion, STOPPING);
    stores.pods.put(pod({ status: { phase: 'Failed' } }));
    assert.deepEqual(planIn(stores).deletion, over('NobodyLeft'));
  });
  it('publishes also where RiskParams is gone, and where the spec cannot be read', () => {
    const { stores } = deletedDemo();
    stores.riskParams.swap([]);
    assert.equal(planIn(stores).document?.trading, 'Stopped');
    const system = stores.systems.get(KEY)!;
    stores.systems.put(live({ ...system, spec: { trading: 'Enabled' } } as never));
    const { document, deletion } = planIn(stores);
    assert.deepEqual([document?.trading, deletion], ['Stopped', STOPPING]);
  });
  it('makes a lost document anew, but not where the garbage collector takes the children first', () => {
    for (const [finalizers, trading] of [
      [[], 'Stopped'],
      [['orphan'], 'Stopped'],
      [['foregroundDeletion'], undefined],
    ] as const) {
      const { stores } = deletedDemo({ finalizers: [...finalizers] });
      stores.children.ConfigMap.swap([]);
      assert.equal(planIn(stores).document?.trading, trading, finalizers.join());
    }
  });
  it('stops trading by the document that is still there while the children go', () => {
    assert.equal(planIn(deletedDemo({ finalizers: ['foregroundDeletion'] }).stores).document?.trading, 'Stopped');
  });
  it('leaves the owner of the document as it is: in an orphaning deletion it has none any more', () => {
    const stores = stopped({ finalizers: ['orphan'] });
    const map = stores.children.ConfigMap.get('trading/demo-desired')!;
    const { ownerReferences: _, ...metadata } = map.metadata;
    stores.children.ConfigMap.put(live({ ...map, metadata }));
    assert.equal(planIn(stores).document, undefined);
  });
  it('is nothing of ours once only others keep it', () => {
    const { stores } = deletedDemo({ finalizers: ['orphan'] });
    const system = stores.systems.get(KEY)!;
    stores.systems.put(live({ ...system, metadata: { ...system.metadata, finalizers: ['orphan'] } }));
    assert.equal(observe(KEY, stores).kind, 'gone');
  });
});

describe('a system without the finalizer', () => {
  const bare = (stores: Stores): Stores => {
    const { metadata, ...system } = stores.systems.get(KEY)!;
    const { finalizers: _, ...rest } = metadata;
    stores.systems.put(live({ ...system, metadata: rest }));
    return stores;
  };
  it('gets no part and no first document', () => {
    const { document, children, secret } = planFor(seenIn(bare(theDemo())));
    assert.deepEqual([document, children, secret], [undefined, [], undefined]);
  });
  it('gets its Holds all the same where it runs', () => {
    const stores = theDemo();
    carryOut(stores, planFor(seenIn(stores)));
    stores.holds.put(aHold());
    assert.equal(planFor(seenIn(bare(stores))).document?.holds.length, 1);
  });
});

it('a deletion that asks to flatten stops, and says so from the first day', () => {
  const seen = seenIn(theDemo(aTradingSystem({ execution: { onDelete: 'Flatten' } })));
  const plan = planFor(seen);
  assert.deepEqual(plan.blockers, []);
  const condition = statusOf(seen, plan).conditions?.find(({ type }) => type === 'FlattenOnDelete');
  assert.deepEqual([condition?.status, condition?.reason], ['False', 'NotYet']);
  assert.match(condition?.message ?? '', /spec\.execution\.onDelete: found Flatten, which behaves as Stop/);
  assert.ok(
    !statusOf(seenIn(theDemo()), planFor(seenIn(theDemo()))).conditions?.some(({ type }) => type === 'FlattenOnDelete'),
  );
});
