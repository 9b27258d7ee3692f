// The ordered restart from its request to its end, on plain objects: order, gates, deadlines, abort, and a stop after any write.
import assert from 'node:assert/strict';
import { PART_LABEL, SYSTEM_LABEL } from '@tradewind/workloads/contract/pods.ts';
import { aTradingSystem, live, theDemo } from '../../test/builders.ts';
import { World } from '../../test/world.ts';
import { START_ORDER, startOrderOf, STOP_ORDER } from './graph.ts';
import { seenIn } from './prometheus.ts';
import type { Restart } from './record.ts';
import { stepsFor } from './steps.ts';

const FULL = [
  'StopTrading', 'Drain', 'StopGateway', 'StopRouter', 'StopIngest', 'StopHarmoniser', 'RestartRedis', 'WaitRedis',
  'StartHarmoniser', 'StartIngest', 'StartRouter', 'StartGateway', 'VerifyDataFlow', 'ResumeTrading',
]; // prettier-ignore

const REQUEST = 'tradewind.io/restart';

/** The demo, up and trading. */
function running(): World {
  const world = new World();
  world.settle();
  assert.equal(world.system.status?.phase, 'Running');
  world.done.length = 0;
  return world;
}

const restartOf = ({ system }: World): Restart => system.status?.restart ?? {};
const statesOf = (world: World): Record<string, string> =>
  Object.fromEntries((restartOf(world).steps ?? []).map(({ name, state }) => [name, state]));
const conditionOf = ({ system }: World, type: string) => system.status?.conditions?.find((one) => one.type === type);
const ran = ({ done }: World): string[] =>
  done.filter((what) => what.startsWith('record ')).map((what) => what.slice(7));

describe('the order of a restart', () => {
  it('comes from what needs what', () => {
    assert.deepEqual(startOrderOf('Split'), ['redis', 'harmoniser', 'ingest', 'router', 'gateway']);
    assert.deepEqual(startOrderOf('Fused'), ['redis', 'fused', 'gateway']);
    assert.deepEqual(STOP_ORDER, START_ORDER.toReversed());
  });
  it('has Prometheus restarted after Redis where one is named', () => {
    const names = stepsFor(startOrderOf('Split'), { withPrometheus: true, withTrading: false }).map(({ name }) => name);
    assert.deepEqual(names, FULL.toSpliced(7, 0, 'RestartPrometheus'));
  });
});

describe('a restart of a fused system', () => {
  it('stops and starts the pods of its shards between gateway and Redis', () => {
    const world = new World(theDemo(aTradingSystem({ topology: 'Fused', shards: 2 })));
    world.settle();
    assert.equal(world.system.status?.phase, 'Running');
    world.done.length = 0;
    world.change({}, { [REQUEST]: 'monday' });
    world.settle();
    assert.deepEqual(ran(world), [
      'StopTrading', 'Drain', 'StopGateway', 'StopFused', 'RestartRedis', 'WaitRedis', 'StartFused', 'StartGateway',
      'VerifyDataFlow', 'ResumeTrading', 'Done',
    ]); // prettier-ignore
    const scaled = world.done.filter((what) => what.startsWith('apply'));
    assert.deepEqual(scaled, [
      'apply demo-gateway 0', 'apply demo-fused-0 0', 'apply demo-fused-1 0', 'apply demo-redis 1', 'apply demo-fused-0 1',
      'apply demo-fused-1 1', 'apply demo-gateway 1',
    ]); // prettier-ignore
  });
});

describe('a restart that was asked for', () => {
  it('goes through every step in order, once, and trading ends before the first part and resumes after data flows', () => {
    const world = running();
    world.change({}, { [REQUEST]: 'monday' });
    world.settle();
    assert.deepEqual(ran(world), [...FULL, 'Done']);
    assert.deepEqual(new Set(Object.values(statesOf(world))), new Set(['Done']));
    const scaled = world.done.filter((what) => what.startsWith('apply'));
    assert.deepEqual(scaled, [
      'apply demo-gateway 0', 'apply demo-router-0 0', 'apply demo-ingest-0 0', 'apply demo-harmoniser-0 0', 'apply demo-redis 1',
      'apply demo-harmoniser-0 1', 'apply demo-ingest-0 1', 'apply demo-router-0 1', 'apply demo-gateway 1',
    ]); // prettier-ignore
    const published = world.done.filter((what) => what.startsWith('publish'));
    assert.deepEqual(published, ['publish Stopped', 'publish Enabled']);
    assert.ok(world.done.indexOf('publish Stopped') < world.done.indexOf(scaled[0]!));
    assert.ok(world.done.indexOf('publish Enabled') > world.done.indexOf('record ResumeTrading'));
    assert.equal(world.system.status?.phase, 'Running');
    assert.equal(restartOf(world).step, undefined);
  });
  it('is not asked for by a value that was there when the system was first seen', () => {
    const world = new World();
    world.change({}, { [REQUEST]: 'from a backup' });
    world.settle();
    assert.deepEqual(restartOf(world), { requested: 'from a backup' });
    world.change({}, { [REQUEST]: 'now' });
    world.settle();
    assert.equal(restartOf(world).state, 'Done');
  });
  it('leaves trading stopped where it was, and says so', () => {
    const world = running();
    world.change({ trading: 'Stopped' }, { [REQUEST]: 'a' });
    world.settle();
    assert.equal(statesOf(world)['ResumeTrading'], 'Skipped');
    assert.deepEqual(
      world.done.filter((what) => what.startsWith('publish')),
      ['publish Stopped'],
    );
  });
  it('touches no Redis that is not ours', () => {
    const world = running();
    world.change({ redis: { external: { urls: ['redis://a:6379'] } } });
    world.settle();
    world.change({}, { [REQUEST]: 'a' });
    world.settle();
    assert.equal(statesOf(world)['RestartRedis'], 'Skipped');
    assert.equal(restartOf(world).state, 'Done');
  });
  it('waits for no pod that was evicted, as nobody removes it', () => {
    const world = running();
    const labels = { [SYSTEM_LABEL]: 'demo', [PART_LABEL]: 'router' };
    const evicted = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'evicted', labels } };
    world.stores.pods.put(live(evicted, { status: { phase: 'Failed', reason: 'Evicted' } }));
    world.change({}, { [REQUEST]: 'a' });
    world.settle();
    assert.equal(restartOf(world).state, 'Done');
  });
  it('says in the status at each step what it waits for', () => {
    const world = running();
    world.runtime = { ...world.runtime, drained: false };
    world.change({}, { [REQUEST]: 'a' });
    for (let i = 0; i < 5; i++) world.pass();
    assert.equal(world.system.status?.phase, 'Restarting');
    assert.equal(conditionOf(world, 'Ready')?.message, '2/14 Drain: orders are open, or a log is not on disk yet');
    assert.equal(conditionOf(world, 'Reconciling')?.reason, 'Restarting');
    assert.equal(conditionOf(world, 'TradingEnabled')?.reason, 'Restarting');
  });
});

describe('a Prometheus that is restarted too', () => {
  const monitoring = { prometheusRef: { name: 'k8s', namespace: 'monitoring' } };
  const atIt = (): World => {
    const world = running();
    world.change({ monitoring }, { [REQUEST]: 'a' });
    for (let i = 0; i < 40; i++) world.pass();
    assert.equal(restartOf(world).step, 'RestartPrometheus');
    return world;
  };
  it('is waited for, and asked again meanwhile, as nobody watches it', () => {
    const world = atIt();
    world.prometheus = { is: 'renewing', wait: '1 of 2 pods are new' };
    assert.equal(world.plan().lookAgainAt, world.now + 2_000);
    world.pass();
    assert.match(conditionOf(world, 'Ready')?.message ?? '', /^8\/15 RestartPrometheus: 1 of 2 pods are new$/);
    world.prometheus = { is: 'renewed' };
    world.pass();
    assert.equal(statesOf(world)['RestartPrometheus'], 'Done');
  });
  it('is passed over where it is not ours to restart, and the step says why', () => {
    const world = atIt();
    world.prometheus = { is: 'beyond-us', why: 'no Prometheus monitoring/k8s' };
    world.settle();
    const step = restartOf(world).steps?.find(({ name }) => name === 'RestartPrometheus');
    assert.deepEqual([step?.state, step?.message], ['Skipped', 'no Prometheus monitoring/k8s']);
    assert.equal(restartOf(world).state, 'Done');
  });
  it('is renewed when its operator has taken the change and every pod is new and available', () => {
    const seen = (conditions: object[], status: object = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }) =>
      seenIn({ metadata: { name: 'k8s', generation: 3 }, status: { ...status, conditions } } as never).is;
    const at = (type: string, observedGeneration = 3, status = 'True') => ({ type, status, observedGeneration });
    assert.equal(seen([at('Reconciled'), at('Available')]), 'renewed');
    assert.equal(seen([at('Reconciled', 2), at('Available')]), 'renewing');
    assert.equal(seen([at('Reconciled'), at('Available', 3, 'False')]), 'renewing');
    assert.equal(
      seen([at('Reconciled'), at('Available')], { replicas: 2, updatedReplicas: 1, availableReplicas: 2 }),
      'renewing',
    );
  });
});

describe('a gate', () => {
  const at = (spoil: (world: World) => unknown): World => {
    const world = running();
    spoil(world);
    world.openMs = 5_000;
    world.change({}, { [REQUEST]: 'a' });
    for (let i = 0; i < 100; i++) world.pass();
    return world;
  };
  const undrained = at((world) => (world.runtime = { ...world.runtime, drained: false }));
  const unknown = at((world) => delete world.runtime.drained);
  const open = at((world) => (world.runtime = { ...world.runtime, breaker: { state: 'OPEN', tripSeq: 1 } }));
  const high = at((world) => (world.runtime = { ...world.runtime, risk: { varPct: 1.6 } }));
  const still = at((world) => (world.runtime = { ...world.runtime, dataFlowing: false }));
  const apart = at((world) => (world.runtime = { ...world.runtime, reconciled: false }));
  const away = at((world) => (world.runtime = { ...world.runtime, redisConnected: false }));
  it('of the flow of data does not wait for a book that is late: that one is not opened, the others trade', () => {
    const late = at((world) => (world.runtime = { ...world.runtime, late: ['BTC-USD'] }));
    assert.equal(restartOf(late).state, 'Done');
  });
  for (const [world, step, what] of [
    [undrained, 'Drain', 'orders are open'],
    [unknown, 'Drain', 'nobody says whether orders are open'],
    [away, 'WaitRedis', 'Redis is away'],
    [still, 'VerifyDataFlow', 'no data flows'],
    [apart, 'VerifyDataFlow', 'positions are not reconciled'],
    [open, 'ResumeTrading', 'the breaker is open'],
    [high, 'ResumeTrading', 'VaR is above its gate'],
  ] as const)
    it(`holds ${step} while ${what}`, () => {
      assert.equal(restartOf(world).step, step);
      assert.equal(world.done.includes('publish Enabled'), false);
    });
  it('waits no longer than drainSeconds for pods that cannot say', () => {
    unknown.stepMs = 10_000;
    unknown.pass();
    assert.equal(restartOf(unknown).step, 'StopGateway');
  });
  it('wants a part that was started to stay up for settleSeconds', () => {
    const world = running();
    world.change({}, { [REQUEST]: 'a' });
    for (let i = 0; i < 60; i++) world.pass();
    assert.equal(restartOf(world).step, 'StartHarmoniser');
    world.openMs = 4_999;
    world.pass();
    assert.equal(restartOf(world).step, 'StartHarmoniser');
    world.openMs = 5_000;
    world.pass();
    assert.equal(restartOf(world).step, 'StartIngest');
  });
});

describe('a step past its deadline', () => {
  const failed = (): World => {
    const world = running();
    world.healthy = (part) => part !== 'harmoniser';
    world.change({}, { [REQUEST]: 'a' });
    assert.throws(() => world.settle(60), /not settled/);
    world.stepMs = 300_000;
    world.settle();
    return world;
  };
  it('fails there: trading stays stopped, and the status says what to do', () => {
    const world = failed();
    assert.equal(statesOf(world)['StartHarmoniser'], 'Failed');
    assert.equal(statesOf(world)['StartIngest'], 'Pending');
    assert.equal(world.done.includes('publish Enabled'), false);
    assert.equal(conditionOf(world, 'Stalled')?.status, 'True');
    assert.match(
      conditionOf(world, 'Stalled')?.message ?? '',
      /9\/14 StartHarmoniser .*demo-harmoniser-0 is not ready.*abort/,
    );
    assert.equal(conditionOf(world, 'Reconciling')?.status, 'False');
    assert.equal(world.system.status?.phase, 'Degraded');
  });
  it('is begun anew by another value, with who is stopped left so', () => {
    const world = failed();
    world.healthy = () => true;
    world.done.length = 0;
    world.change({}, { [REQUEST]: 'b' });
    world.settle();
    assert.equal(restartOf(world).state, 'Done');
    const up = world.done.findIndex((what) => what.endsWith(' 1'));
    assert.ok(up > world.done.indexOf('record RestartRedis'), 'none of those that were stopped came up in between');
    assert.deepEqual(ran(world), FULL.filter((step) => !/Stop(Gateway|Router|Ingest)/.test(step)).concat('Done'));
  });
  it('is aborted: all is brought up at once, and trading resumes when data flows', () => {
    const world = failed();
    world.done.length = 0;
    world.healthy = () => true;
    world.change({}, { [REQUEST]: 'abort' });
    world.settle();
    assert.equal(restartOf(world).state, 'Aborted');
    assert.deepEqual(ran(world), ['VerifyDataFlow', 'ResumeTrading', 'Aborted']);
    assert.equal(statesOf(world)['StartIngest'], 'Skipped');
    assert.equal(world.done.at(-1), 'publish Enabled');
    assert.equal(world.system.status?.phase, 'Running');
  });
});

describe('a change of pod templates', () => {
  const image = (part: string) => ({ components: { [part]: { image: 'localhost/tradewind-workloads:next' } } });
  it('restarts only the parts that it concerns, in the same order', () => {
    const world = running();
    world.change({ components: { ...image('router').components, ...image('harmoniser').components } });
    world.settle();
    assert.deepEqual(ran(world), [
      'StopTrading', 'Drain', 'StopRouter', 'StopHarmoniser', 'StartHarmoniser', 'StartRouter', 'VerifyDataFlow', 'ResumeTrading', 'Done',
    ]); // prettier-ignore
    assert.deepEqual(world.done.filter((what) => what.startsWith('apply')), [
      'apply demo-router-0 0', 'apply demo-harmoniser-0 0', 'apply demo-harmoniser-0 1', 'apply demo-router-0 1',
    ]); // prettier-ignore
  });
  it('is what the status names as running only once it runs', () => {
    const world = running();
    const imageOf = ({ system }: World) =>
      system.status?.components?.find(({ name }) => name === 'demo-router-0')?.image;
    world.change(image('router'));
    for (let i = 0; i < 3; i++) world.pass();
    assert.equal(imageOf(world), 'localhost/tradewind-workloads:test');
    world.settle();
    assert.equal(imageOf(world), 'localhost/tradewind-workloads:next');
  });
  it('leaves trading alone where only the gateway changes', () => {
    const world = running();
    world.change(image('gateway'));
    world.settle();
    assert.deepEqual(ran(world), ['StopGateway', 'StartGateway', 'Done']);
    assert.equal(
      world.done.some((what) => what.startsWith('publish')),
      false,
    );
  });
  it('of Redis stops trading, and no other part', () => {
    const world = running();
    world.change(image('redis'));
    world.settle();
    assert.deepEqual(ran(world), [
      'StopTrading',
      'Drain',
      'RestartRedis',
      'WaitRedis',
      'VerifyDataFlow',
      'ResumeTrading',
      'Done',
    ]);
  });
  it('is told from a mark that somebody has changed: that is put back, and restarts nothing', () => {
    const world = running();
    const router = world.stores.children.Deployment.get('trading/demo-router-0')!;
    const annotations = { ...router.metadata.annotations, 'tradewind.io/template': 'x' };
    world.stores.children.Deployment.put(live({ ...router, metadata: { ...router.metadata, annotations } }));
    world.settle();
    assert.deepEqual(world.done, ['apply demo-router-0 1']);
  });
  it('that is mended while it cannot start begins anew at once', () => {
    const world = running();
    world.healthy = (part) => part !== 'harmoniser';
    world.change(image('harmoniser'));
    assert.throws(() => world.settle(60), /not settled/);
    assert.equal(restartOf(world).step, 'StartHarmoniser');
    world.healthy = () => true;
    world.change({ components: { harmoniser: { image: 'localhost/tradewind-workloads:mended' } } });
    world.settle();
    assert.equal(restartOf(world).state, 'Done');
    assert.equal(world.system.status?.phase, 'Running');
  });
  it('is not forced on pods once it was aborted, and the status says so', () => {
    const world = running();
    world.runtime = { ...world.runtime, drained: false };
    world.change(image('router'));
    for (let i = 0; i < 5; i++) world.pass();
    world.change({}, { [REQUEST]: 'abort' });
    world.settle();
    assert.equal(conditionOf(world, 'Stalled')?.reason, 'RolloutAborted');
    assert.equal(
      world.done.some((what) => what.startsWith('apply demo-router')),
      false,
    );
    world.runtime = { ...world.runtime, drained: true };
    world.change({}, { [REQUEST]: 'go on' });
    world.settle();
    assert.equal(conditionOf(world, 'Ready')?.status, 'True');
  });
});

describe('what is changed while a restart is under way', () => {
  it('reaches the pods after it, where it is risk or routing', () => {
    const world = running();
    world.change({}, { [REQUEST]: 'a' });
    for (let i = 0; i < 6; i++) world.pass();
    const before = world.plan().document ?? undefined;
    const [risk] = [...world.stores.riskParams.all()];
    const spec = structuredClone(risk?.spec) as { positionSizing: { kellyFraction: number } };
    spec.positionSizing.kellyFraction = 0.11;
    world.stores.riskParams.put({ ...risk!, metadata: { ...risk!.metadata, resourceVersion: '999999' }, spec });
    assert.equal(before, undefined);
    assert.equal(world.plan().document, undefined, 'not beside the restart');
    world.settle();
    assert.equal(world.done.filter((what) => what === 'publish Enabled').length, 1);
    assert.match(JSON.stringify([...world.stores.children.ConfigMap.all()]), /kellyFraction\\":0.11/);
  });
});

describe('an operator that dies after any write', () => {
  it('leaves what the next one goes on with: the same end, nothing twice', function () {
    this.timeout(30_000);
    const whole = running();
    whole.change({}, { [REQUEST]: 'a' });
    whole.settle();
    const undisturbed = whole.done;
    for (let dies = 1; dies <= undisturbed.length; dies++) {
      const world = running();
      world.change({}, { [REQUEST]: 'a' });
      for (let i = 0; world.done.length < dies; i++) {
        assert.ok(i < 200, `stuck after ${world.done.join(', ')}`);
        const before = world.done.length;
        world.pass(dies - before);
        world.openMs += 1_000;
      }
      [world.stepMs, world.openMs] = [0, 0];
      world.settle();
      assert.deepEqual(world.done, undisturbed, `died after ${dies}: ${undisturbed[dies - 1]}`);
    }
  });
});
