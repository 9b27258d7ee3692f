// What becomes of children that others write into, on plain objects: an API server that gives back what it is given, or not.
import assert from 'node:assert/strict';
import { OPTIONAL_KINDS, type Child, type ChildKind } from '../kinds.ts';
import type { Api } from '../runtime/client.ts';
import { ApiError } from '../runtime/errors.ts';
import type { Occurrence } from '../runtime/events.ts';
import type { Resource, Wanted } from '../runtime/object.ts';
import { aTradingSystem, carryOut, live, NOW, planFor, seenIn, theDemo } from '../test/builders.ts';
import { keepChildren } from './children.ts';
import { CALM_MS, PATIENCE } from './contest.ts';
import { Refusals } from './refusals.ts';

type Answer = (object: Wanted) => Wanted;

/** The demo with everything as it should be, and passes over its children from `NOW` on. */
function aDemo({ answer = (object) => object }: { answer?: Answer } = {}) {
  const stores = theDemo(aTradingSystem({ monitoring: { enabled: true } }));
  const plan = planFor(seenIn(stores), 1, NOW, { kinds: OPTIONAL_KINDS });
  carryOut(stores, plan);
  const applied: string[] = [];
  const told: Occurrence[] = [];
  let now = NOW;
  const apply = async (_: Resource, object: Wanted): Promise<never> => {
    applied.push(`${object.kind} ${object.metadata.name}`);
    return live(answer(object));
  };
  const api = { apply } as unknown as Api;
  const hands = { api, stores, events: { emit: (_: unknown, one: Occurrence) => void told.push(one) }, now: () => now };
  return {
    stores,
    applied,
    told,
    passAfter: async (ms: number): Promise<Refusals> => {
      now += ms;
      const refusals = new Refusals();
      await keepChildren(hands, seenIn(stores), { plan, refusals });
      return refusals;
    },
    /** Somebody scales the gateway, as `manager`. */
    scale: (manager = 'somebody'): void => {
      const gateway = stores.children.Deployment.get('trading/demo-gateway') as Child;
      const fieldsV1 = { 'f:spec': { 'f:replicas': {} } };
      const managedFields = [{ manager, operation: 'Update', subresource: 'scale', fieldsV1 }];
      const changed: Child = live(gateway, { spec: { ...gateway.spec, replicas: 3 } });
      stores.children.Deployment.put({ ...changed, metadata: { ...changed.metadata, managedFields } });
    },
    drop: (kind: ChildKind): void => {
      for (const item of stores.children[kind].all()) stores.children[kind].drop(item);
    },
  };
}

describe('a child that others write into', () => {
  it('is left alone while it is as it should be', async () => {
    const { passAfter, applied, told } = aDemo();
    const refusals = await passAfter(0);
    assert.deepEqual([applied, told, refusals.blockers, refusals.againAt], [[], [], [], Infinity]);
  });
  it('is put right at once, and told of with the field and its writer', async () => {
    const { passAfter, applied, told, scale } = aDemo();
    scale();
    const refusals = await passAfter(0);
    assert.deepEqual([applied, refusals.blockers], [['Deployment demo-gateway'], []]);
    assert.deepEqual(told.map(({ reason, note }) => `${reason}: ${note}`), [
      'Corrected: Deployment demo-gateway: .spec.replicas was changed by somebody at /scale; put right',
    ]); // prettier-ignore
  });
  it('is contested after a few rounds: told once, waited for, and looked at again when the next round is due', async () => {
    const { passAfter, applied, told, scale } = aDemo();
    let refusals = new Refusals();
    for (let round = 0; round < PATIENCE + 2; round++) {
      scale();
      refusals = await passAfter(1);
    }
    assert.equal(applied.length, PATIENCE);
    assert.deepEqual(told.map(({ reason }) => reason), ['Corrected', 'Corrected', 'Corrected', 'Corrected', 'Contested']); // prettier-ignore
    assert.deepEqual(refusals.blockers.map(({ who, reason }) => [who, reason]), [['others', 'Contested']]); // prettier-ignore
    assert.equal(refusals.againAt, NOW + PATIENCE + 10_000);
    refusals = await passAfter(10_000);
    assert.equal(applied.length, PATIENCE + 1);
    assert.equal(refusals.blockers.length, 1, 'also while it is right for the moment');
  });
  it('is contested no more when nobody has written for ten minutes', async () => {
    const { passAfter, scale, stores } = aDemo();
    scale('kube-controller-manager');
    const told = await passAfter(0);
    assert.match(told.blockers[0]?.message ?? '', /HorizontalPodAutoscaler/);
    assert.equal((await passAfter(10_000)).againAt, NOW + CALM_MS);
    assert.deepEqual((await passAfter(CALM_MS - 10_000)).blockers, []);
    assert.equal(stores.contests.size, 0);
  });
  it('is made anew at once when it is deleted, and after a few rounds ever more seldom', async () => {
    const { passAfter, applied, told, stores } = aDemo();
    const { Service } = stores.children;
    const gateway = Service.get('trading/demo-gateway') as Child;
    let refusals = new Refusals();
    for (let round = 0; round < PATIENCE + 2; round++) {
      Service.drop(gateway);
      refusals = await passAfter(1);
    }
    assert.deepEqual([applied.length, new Set(applied).size], [PATIENCE, 1]);
    assert.equal(refusals.againAt, NOW + PATIENCE + 10_000);
    assert.match(
      refusals.blockers[0]?.message ?? '',
      /^Service demo-gateway: was deleted, or lost its labels, again and again/,
    );
    assert.deepEqual(told.map(({ reason }) => reason), ['Contested']); // prettier-ignore
    await passAfter(10_000);
    assert.ok(Service.get('trading/demo-gateway') !== undefined);
  });
  it('that is not what the operator applied is applied whatever others have written', async () => {
    const { passAfter, applied, scale, stores } = aDemo();
    for (let round = 0; round < PATIENCE + 2; round++) {
      scale();
      await passAfter(1);
    }
    const gateway = stores.children.Deployment.get('trading/demo-gateway') as Child;
    const annotations = { ...gateway.metadata.annotations, 'tradewind.io/applied': 'of the spec before' };
    stores.children.Deployment.put(live({ ...gateway, metadata: { ...gateway.metadata, annotations } }));
    const before = applied.length;
    await passAfter(1);
    assert.equal(applied.length, before + 1);
  });
  it('that the server gives back otherwise is applied once, and told of', async () => {
    const rewrite: Answer = (object) =>
      object.metadata.name === 'demo-gateway' && object.kind === 'Deployment'
        ? ({ ...object, spec: { ...(object as Child).spec, replicas: 2 } } as Wanted)
        : object;
    const { passAfter, applied, scale } = aDemo({ answer: rewrite });
    scale();
    await passAfter(0);
    const { blockers } = await passAfter(1);
    assert.equal(applied.length, 1);
    assert.equal(blockers[0]?.reason, 'Contested');
    assert.match(blockers[0]?.message ?? '', /^Deployment demo-gateway: \.spec\.replicas: .*webhook rewrites it$/);
  });
});

describe('a kind that has just gone', () => {
  const gone: Answer = ({ kind }) => {
    throw new ApiError(404, `${kind}: not found`, { reason: 'NotFound' });
  };
  it('is no failure where the cluster need not have it', async () => {
    const { passAfter, applied, drop } = aDemo({ answer: gone });
    for (const kind of OPTIONAL_KINDS) drop(kind);
    const refusals = await passAfter(0);
    assert.deepEqual([applied.length, refusals.error, refusals.blockers], [2, undefined, []]);
  });
  it('is one where it must', async () => {
    const { passAfter, drop } = aDemo({ answer: gone });
    drop('Service');
    assert.equal((await passAfter(0)).blockers[0]?.reason, 'Retrying');
  });
});
