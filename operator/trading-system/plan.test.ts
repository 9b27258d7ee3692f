import assert from 'node:assert/strict';
import type { V1Deployment, V1PodSpec } from '@kubernetes/client-node';
import { aHold, aTradingSystem, carryOut, NOW, planFor, seenIn, theDemo } from '../test/builders.ts';
import { covers } from '../runtime/apply.ts';
import { childKey } from './observe.ts';

const names = (kind: string, plan: ReturnType<typeof planFor>): string[] =>
  plan.children.filter((child) => child.kind === kind).map(({ metadata }) => metadata.name);

describe('the plan of a trading system', () => {
  const plan = planFor(seenIn(theDemo()));
  const podSpecs = plan.children.flatMap((child): [string, V1PodSpec][] => {
    const { spec } = child as unknown as V1Deployment;
    return spec?.template?.spec === undefined ? [] : [[child.metadata.name, spec.template.spec]];
  });

  it('has every part, each shard its own', () => {
    assert.deepEqual(names('Deployment', plan).sort(), [
      'demo-gateway', 'demo-harmoniser-0', 'demo-ingest-0', 'demo-param-server', 'demo-router-0', 'demo-simulator',
    ]); // prettier-ignore
    assert.deepEqual(names('StatefulSet', plan), ['demo-redis']);
    assert.deepEqual(names('PersistentVolumeClaim', plan).sort(), ['demo-harmoniser-0', 'demo-ingest-0']);
    assert.deepEqual(names('Service', plan).sort(), ['demo-gateway', 'demo-redis', 'demo-simulator']);
    const two = planFor(seenIn(theDemo(aTradingSystem({ shards: 2 }))));
    assert.ok(names('Deployment', two).includes('demo-harmoniser-1'));
  });
  it('runs every pod under restricted Pod Security, without a token unless it talks to the API server', () => {
    assert.equal(podSpecs.length, 7);
    for (const [name, spec] of podSpecs) {
      assert.equal(spec.securityContext?.runAsNonRoot, true, name);
      assert.equal(spec.securityContext?.seccompProfile?.type, 'RuntimeDefault', name);
      assert.equal(spec.automountServiceAccountToken, name === 'demo-param-server', name);
      for (const { securityContext, resources } of spec.containers) {
        assert.equal(securityContext?.readOnlyRootFilesystem, true, name);
        assert.equal(securityContext?.allowPrivilegeEscalation, false, name);
        assert.deepEqual(securityContext?.capabilities?.drop, ['ALL'], name);
        assert.ok(resources?.limits?.['memory'] !== undefined && resources.limits['cpu'] === undefined, name);
      }
    }
  });
  it('puts no secret into arguments, and the password into no object but the Secret', () => {
    const secret = JSON.stringify(plan.secret);
    const password = (JSON.parse(secret) as { stringData: { password: string } }).stringData.password;
    assert.ok(password.length >= 32);
    assert.ok(!JSON.stringify(plan.children).includes(password));
  });
  it('is owned by its system, so that the garbage collector removes what the operator cannot', () => {
    for (const { metadata } of plan.children)
      assert.equal(metadata.ownerReferences?.[0]?.uid, 'uid-TradingSystem-demo');
  });
  it('has no simulator where no source asks for one', () => {
    const sources = [{ name: 'binance', type: 'binance', symbols: { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' } }];
    const real = planFor(seenIn(theDemo(aTradingSystem({ sources }))));
    assert.ok(!names('Deployment', real).includes('demo-simulator'));
  });
  it('finds nothing to do a second time, and never makes the password anew', () => {
    const stores = theDemo();
    carryOut(stores, planFor(seenIn(stores)));
    const again = planFor(seenIn(stores));
    assert.equal(again.document, undefined);
    assert.equal(again.secret, undefined);
    assert.deepEqual(again.surplus, []);
    const seen = seenIn(stores);
    for (const wanted of again.children) {
      assert.ok(covers(seen.children.get(childKey(wanted.kind, wanted.metadata.name)), wanted), wanted.metadata.name);
    }
  });
  it('removes what it made and no longer wants, and nothing else', () => {
    const stores = theDemo(aTradingSystem({ shards: 2 }));
    carryOut(stores, planFor(seenIn(stores)));
    stores.systems.put(aTradingSystem({ shards: 1 }));
    const surplus = planFor(seenIn(stores)).surplus.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    assert.deepEqual(surplus.sort(), [
      'Deployment/demo-harmoniser-1', 'Deployment/demo-ingest-1', 'Deployment/demo-router-1',
      'PersistentVolumeClaim/demo-harmoniser-1', 'PersistentVolumeClaim/demo-ingest-1',
    ]); // prettier-ignore
  });
});

describe('what stands in the way', () => {
  for (const [title, spec, reason] of [
    ['Live trading', { execution: { mode: 'Live', venue: 'binance', credentialsSecretRef: { name: 's' } } }, 'NotYet'],
    ['the fused topology', { topology: 'Fused' }, 'NotYet'],
    ['standbys', { standby: 1 }, 'NotYet'],
  ] as const)
    it(`refuses ${title} with ${reason}, and touches nothing that is there`, () => {
      const plan = planFor(seenIn(theDemo(aTradingSystem(spec))));
      assert.equal(plan.blockers[0]?.reason, reason);
      assert.match(plan.blockers[0]?.message ?? '', /found .*expected/);
      assert.deepEqual([plan.children, plan.surplus, plan.secret], [[], [], undefined]);
    });
  it('names a reference that is not there, and publishes no half document', () => {
    const plan = planFor(seenIn(theDemo(aTradingSystem(), ['RouterRules'])));
    assert.equal(plan.blockers[0]?.reason, 'ReferenceNotFound');
    assert.match(plan.blockers[0]?.message ?? '', /RouterRules demo/);
    assert.equal(plan.document, undefined);
    assert.equal(plan.children.length > 0, true);
  });
});

describe('the desired document', () => {
  it('keeps its version while its content is the same, and counts up when it is not', () => {
    const stores = theDemo();
    carryOut(stores, planFor(seenIn(stores)));
    stores.holds.put(aHold());
    const held = planFor(seenIn(stores));
    assert.deepEqual([held.document?.epoch, held.document?.version], [1, 2]);
    assert.deepEqual(held.document?.holds.map(({ id, effect }) => [id, effect]), [['stop', 'StopTrading']]); // prettier-ignore
  });
  it('starts at 1 in a later epoch', () => {
    const stores = theDemo();
    carryOut(stores, planFor(seenIn(stores)));
    stores.holds.put(aHold());
    const { document } = planFor(seenIn(stores), 5);
    assert.deepEqual([document?.epoch, document?.version], [5, 1]);
  });
  it('drops a Hold whose time is over, and says when to look again for one that is not', () => {
    const stores = theDemo();
    stores.holds.put(aHold({ until: new Date(NOW + 60_000).toISOString() }, 'soon'));
    stores.holds.put(aHold({ until: new Date(NOW - 1).toISOString() }, 'over'));
    const plan = planFor(seenIn(stores));
    assert.deepEqual(plan.document?.holds.map(({ id }) => id), ['soon']); // prettier-ignore
    assert.equal(plan.lookAgainAt, NOW + 60_000);
  });
  it('is written anew where somebody damaged it', () => {
    const stores = theDemo();
    const first = planFor(seenIn(stores));
    carryOut(stores, first);
    const damaged = { ...first.document!, capitalUsd: 9e9 };
    carryOut(stores, { ...first, document: damaged });
    assert.equal(seenIn(stores).published, undefined);
    assert.equal(planFor(seenIn(stores)).document?.capitalUsd, 1_000_000);
  });
});
