import assert from 'node:assert/strict';
import type { V1Deployment, V1PodSpec } from '@kubernetes/client-node';
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
  theUnreadableDemo,
} from '../test/builders.ts';
import type { Pod, TradingSystem } from '../kinds.ts';
import { covers } from '../runtime/apply.ts';
import type { SystemConfig } from '@tradewind/workloads/contract/system-config.ts';
import type { Wanted } from '../runtime/object.ts';
import { childKey } from './observe.ts';
import type { Stores } from '../stores.ts';
import { planUnreadable, type Plan } from './plan.ts';
import type { Restart } from './restart/record.ts';

const names = (kind: string, plan: ReturnType<typeof planFor>): string[] =>
  plan.children.filter((child) => child.kind === kind).map(({ metadata }) => metadata.name);

const BINANCE = { name: 'binance', type: 'binance', symbols: { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' } };

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
  it('has standbys of the harmoniser: one Deployment and one claim each, whose labels are of no other', () => {
    const { children } = planFor(seenIn(theDemo(aTradingSystem({ shards: 2, standby: 2 }))));
    const named = (kind: string) => children.filter((child) => child.kind === kind && child.metadata.name.startsWith('demo-harmoniser-')); // prettier-ignore
    const expected = ['0', '0-s1', '0-s2', '1', '1-s1', '1-s2'].map((name) => `demo-harmoniser-${name}`);
    for (const kind of ['Deployment', 'PersistentVolumeClaim'])
      assert.deepEqual(named(kind).map(({ metadata }) => metadata.name), expected); // prettier-ignore
    const specs = named('Deployment').map((child) => (child as unknown as V1Deployment).spec!);
    const selectors = specs.map(({ selector }) => JSON.stringify(selector.matchLabels));
    assert.equal(new Set(selectors).size, expected.length);
    const [first, standby] = specs.map(({ template }) => template.spec!);
    const envOf = (spec: V1PodSpec | undefined) =>
      Object.fromEntries((spec?.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
    assert.deepEqual([envOf(first).TRADEWIND_SHARD, envOf(first).TRADEWIND_REPLICA], ['0', undefined]);
    assert.deepEqual([envOf(standby).TRADEWIND_SHARD, envOf(standby).TRADEWIND_REPLICA], ['0', '1']);
    const claimOf = (spec: V1PodSpec | undefined) => spec?.volumes?.find(({ name }) => name === 'data')?.persistentVolumeClaim; // prettier-ignore
    assert.equal(claimOf(standby)?.claimName, 'demo-harmoniser-0-s1');
    const [away] = standby?.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    assert.deepEqual(away?.podAffinityTerm.labelSelector?.matchExpressions?.[0]?.values, ['0']);
    assert.equal(first?.affinity, undefined);
  });
  it('leaves the claim of a standby that is not wanted any more: it is a journal', () => {
    const stores = theDemo(aTradingSystem({ standby: 1 }));
    carryOut(stores, planFor(seenIn(stores)));
    stores.systems.put(aTradingSystem());
    const { surplus } = planFor(seenIn(stores));
    assert.deepEqual(surplus.map(({ kind, metadata }) => `${kind} ${metadata.name}`), ['Deployment demo-harmoniser-0-s1']); // prettier-ignore
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
    const real = planFor(seenIn(theDemo(aTradingSystem({ sources: [BINANCE] }))));
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
    const stores = theDemo();
    carryOut(stores, planFor(seenIn(stores)));
    stores.systems.put(aTradingSystem({ sources: [BINANCE] }));
    const surplus = planFor(seenIn(stores)).surplus.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    assert.deepEqual(surplus.sort(), [
      'Deployment/demo-simulator', 'NetworkPolicy/demo-simulator', 'PodDisruptionBudget/demo-simulator', 'Service/demo-simulator',
    ]); // prettier-ignore
  });
  it('removes no claim, as the journal is on it', () => {
    const stores = theDemo(aTradingSystem({ shards: 2 }));
    carryOut(stores, planFor(seenIn(stores)));
    stores.systems.put(aTradingSystem({ shards: 1 }));
    const kinds = planFor(seenIn(stores)).surplus.map(({ kind }) => kind);
    assert.ok(kinds.length > 0 && !kinds.includes('PersistentVolumeClaim'), kinds.join());
  });
  it('leaves a claim that somebody has enlarged as large as it is', () => {
    const stores = theDemo();
    const first = planFor(seenIn(stores));
    carryOut(stores, first);
    const isJournal = ({ kind, metadata }: Wanted): boolean =>
      kind === 'PersistentVolumeClaim' && metadata.name === 'demo-harmoniser-0';
    const enlarged = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } };
    stores.children.PersistentVolumeClaim.put(live(first.children.find(isJournal)!, { spec: enlarged }));
    const wanted = planFor(seenIn(stores)).children.find(isJournal) as unknown as { spec: object };
    assert.deepEqual(wanted.spec, enlarged);
  });
});

/** The plan while `restart` is at a step: what comes before it is done. */
function restartingAt(stores: Stores, step: string, restart: Restart | undefined): Plan {
  const at = restart?.steps?.findIndex(({ name }) => name === step) ?? -1;
  const steps = restart?.steps?.map(
    (one, i) => ({ ...one, state: i < at ? 'Done' : i === at ? 'Running' : 'Pending' }) as const,
  );
  const system = aTradingSystem({}, { observedGeneration: 1, restart: { ...restart, step, ...(steps && { steps }) } });
  stores.systems.put(system);
  return planFor(seenIn(stores));
}

describe('the password of a managed Redis', () => {
  const secretOf = (plan: Plan): string | undefined => plan.secret?.metadata.name;
  /** Every Secret that a pod template names. */
  const named = (plan: Plan): string[] => [...new Set(JSON.stringify(plan.children).match(/demo-redis-[0-9a-f]{8}/g))];
  const waiting = (secret: string): Pod =>
    live(aPod('router', false), {
      status: {
        containerStatuses: [
          {
            name: 'router',
            state: { waiting: { reason: 'CreateContainerConfigError', message: `secret "${secret}" not found` } },
          },
        ],
      },
    });
  it('is in a Secret of this very system: one of the same name made again takes no other', () => {
    const stores = theDemo();
    const first = planFor(seenIn(stores));
    carryOut(stores, first);
    const again: TradingSystem = live(stores.systems.get(KEY)!, {});
    stores.systems.put({ ...again, metadata: { ...again.metadata, uid: 'uid-of-the-next' } });
    const next = planFor(seenIn(stores));
    assert.notEqual(secretOf(next), undefined);
    assert.notEqual(secretOf(next), secretOf(first));
    assert.deepEqual(named(next), [secretOf(next)]);
  });
  it('is no other because somebody has written another name into a template', () => {
    const stores = theDemo();
    const first = planFor(seenIn(stores));
    carryOut(stores, first);
    const redis = stores.children.StatefulSet.get('trading/demo-redis')!;
    const edited = JSON.parse(JSON.stringify(redis).replaceAll(secretOf(first)!, 'demo-redis-00000000')) as Wanted;
    stores.children.StatefulSet.put(live(edited));
    assert.deepEqual(named(planFor(seenIn(stores))), [secretOf(first)]);
    assert.equal(secretOf(planFor(seenIn(stores))), undefined);
  });
  it('is made anew where it is gone, under a name that every pod is restarted with, in order, and once', () => {
    const stores = theDemo();
    const first = planFor(seenIn(stores));
    carryOut(stores, first);
    stores.pods.put(waiting(secretOf(first)!));
    const next = planFor(seenIn(stores));
    assert.notEqual(secretOf(next), secretOf(first));
    assert.deepEqual(next.restart?.steps?.map(({ name }) => name).slice(0, 3), ['StopTrading', 'Drain', 'StopGateway']);
    assert.equal(secretOf(planFor(seenIn(stores))), secretOf(next), 'after a crash the same again');
    const others = restartingAt(stores, 'StopHarmoniser', next.restart);
    carryOut(stores, others);
    stores.pods.drop(waiting(secretOf(first)!));
    const redis = restartingAt(stores, 'RestartRedis', next.restart);
    assert.deepEqual(
      [secretOf(redis), named(redis)],
      [undefined, [secretOf(next)]],
      'chosen, though no pod waits any more',
    );
    carryOut(stores, redis);
    assert.equal(secretOf(restartingAt(stores, 'StartHarmoniser', next.restart)), undefined);
  });
});

describe('an external Redis', () => {
  const URLS = ['redis://a:6379', 'rediss://b:6380'];
  const planned = (external: object) => planFor(seenIn(theDemo(aTradingSystem({ redis: { external: { urls: URLS, ...external } } })))); // prettier-ignore
  const configIn = ({ children }: Plan) => {
    const map = children.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'demo-config');
    return JSON.parse((map as { data?: Record<string, string> }).data?.['system.json'] ?? '') as SystemConfig;
  };
  const routerIn = ({ children }: Plan): V1PodSpec => {
    const router = children.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-router-0');
    return (router as unknown as V1Deployment).spec!.template.spec!;
  };

  it('is named by the document, so that another of its urls comes into use without a restart', () => {
    const [first, second] = [planned({}), planned({ active: URLS[1] })];
    assert.deepEqual([first.document?.redis, second.document?.redis], [{ active: URLS[0] }, { active: URLS[1] }]);
    assert.deepEqual(second.children, first.children);
    const { redisUrl, redis } = configIn(second);
    assert.deepEqual([redisUrl, redis], [URLS[0], { urls: URLS, tls: false }]);
    assert.equal(first.children.some(({ kind }) => kind === 'StatefulSet'), false); // prettier-ignore
  });
  for (const [external, expected] of [
    [{ external: { urls: URLS } }, ['demo-gateway-x', 'demo-router-x']],
    [{ managed: {} }, ['demo-router-x']],
  ] as const)
    it(`has the files of late pods refreshed, and the gateway’s where it may have moved (${Object.keys(external).join('')})`, () => {
      const stores = theDemo(aTradingSystem({ redis: external }));
      const { document } = planFor(seenIn(stores));
      carryOut(stores, planFor(seenIn(stores)));
      for (const part of ['gateway', 'ingest', 'router']) stores.pods.put(aPod(part));
      stores.systems.put(aTradingSystem({ redis: external }, reported(document!, 2)));
      const { pokes } = planFor(seenIn(stores));
      assert.deepEqual(pokes.map(({ metadata }) => metadata.name).sort(), expected);
    });
  it('is not named where Sentinels do that, nor where the operator runs it', () => {
    const plan = planned({ sentinel: { masterName: 'desk' }, tls: true });
    assert.equal(plan.document?.redis, undefined);
    assert.deepEqual(configIn(plan).redis, { urls: URLS, tls: true, masterName: 'desk' });
    const managed = planFor(seenIn(theDemo()));
    assert.deepEqual([managed.document?.redis, configIn(managed).redis], [undefined, undefined]);
  });
  it('has what its Secret holds in environment and files, each that may be missing optional', () => {
    const { containers, volumes } = routerIn(planned({ secretRef: { name: 'redis' } }));
    const keys = (containers[0]?.env ?? []).flatMap(({ name, valueFrom }) =>
      valueFrom?.secretKeyRef === undefined
        ? []
        : [[name, valueFrom.secretKeyRef.key, valueFrom.secretKeyRef.optional]],
    );
    assert.deepEqual(keys, [
      ['REDIS_PASSWORD', 'password', undefined],
      ['REDIS_USERNAME', 'username', true],
      ['REDIS_SENTINEL_PASSWORD', 'sentinelPassword', true],
    ]);
    const { secret } = volumes?.find(({ name }) => name === 'redis-ca') ?? {};
    assert.deepEqual(secret, { secretName: 'redis', optional: true, items: [{ key: 'ca.crt', path: 'ca.crt' }] });
    assert.ok(containers[0]?.volumeMounts?.some(({ name, mountPath }) => name === 'redis-ca' && mountPath === '/etc/tradewind/redis')); // prettier-ignore
  });
  it('has no CA mounted without TLS, and none without a Secret', () => {
    for (const external of [{ urls: ['redis://a:1'], secretRef: { name: 'redis' } }, {}])
      assert.equal(routerIn(planned(external)).volumes?.some(({ name }) => name === 'redis-ca'), false); // prettier-ignore
  });
});

describe('a source with a Secret', () => {
  const COINBASE = { name: 'cb', type: 'coinbase', symbols: { 'BTC-USD': 'BTC-USD', 'ETH-USD': 'ETH-USD' } };
  const volumesOf = (part: string, options: object, change: object = {}) => {
    const stores = theDemo(aTradingSystem({ sources: [{ ...COINBASE, ...change, options }] }));
    const { children } = planFor(seenIn(stores));
    const name = part === 'simulator' ? 'demo-simulator' : `demo-${part}-0`;
    const named = children.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
    return (named as unknown as V1Deployment).spec!.template.spec;
  };
  it('has the key of its Secret mounted where the feed is, and nowhere else; a key that is missing stops no pod', () => {
    const options = { api: 'advanced', secretRef: { name: 'coinbase-key' } };
    const spec = volumesOf('ingest', options);
    const items = ['name', 'privateKey'].map((key) => ({ key, path: key }));
    assert.deepEqual(spec?.volumes?.find(({ name }) => name === 'source-cb')?.secret, { secretName: 'coinbase-key', optional: true, items }); // prettier-ignore
    const mount = spec?.containers[0]?.volumeMounts?.find(({ name }) => name === 'source-cb');
    assert.deepEqual(mount, { name: 'source-cb', mountPath: '/etc/tradewind/sources/cb', readOnly: true });
    assert.equal(
      volumesOf('router', options)?.volumes?.some(({ name }) => name === 'source-cb'),
      false,
    );
    assert.equal(
      volumesOf('ingest', { ...options, api: 'exchange' })?.volumes?.some(({ name }) => name === 'source-cb'),
      false,
    );
  });
  it('has the token of a signal provider mounted, and no other key', () => {
    const spec = volumesOf('ingest', { secretRef: { name: 'vertex' } }, { type: 'alpha', url: 'wss://v' });
    const items = [{ key: 'token', path: 'token' }];
    assert.deepEqual(spec?.volumes?.find(({ name }) => name === 'source-cb')?.secret, { secretName: 'vertex', optional: true, items }); // prettier-ignore
  });
  it('has it mounted on both sides where the provider is simulated', () => {
    const options = { protocol: 'alpha', alpha: { of: 'binance' }, secretRef: { name: 'vertex' } };
    for (const part of ['ingest', 'simulator', 'router']) {
      const volumes = volumesOf(part, options, { type: 'simulator' })?.volumes ?? [];
      const mounted = volumes.find(({ name }) => name === 'source-cb')?.secret?.items?.map(({ key }) => key);
      assert.deepEqual(mounted, part === 'router' ? undefined : ['token'], part);
    }
  });
});

describe('what stands in the way', () => {
  for (const [title, spec, reason] of [
    ['Live trading', { execution: { mode: 'Live', venue: 'binance', credentialsSecretRef: { name: 's' } } }, 'NotYet'],
    ['a standby of a fused pod', { topology: 'Fused', standby: 1 }, 'NotYet'],
    ['flattening at a halt', { execution: { onHalt: 'Flatten' } }, 'NotYet'],
    ['a Redis Cluster', { redis: { external: { urls: ['redis://a:1'], cluster: true } } }, 'NotYet'],
    ['TLS of the gateway', { gateway: { tls: { secretRef: { name: 's' } } } }, 'NotYet'],
  ] as const)
    it(`refuses ${title} with ${reason}, and touches nothing that is there`, () => {
      const plan = planFor(seenIn(theDemo(aTradingSystem(spec))));
      assert.equal(plan.blockers[0]?.reason, reason);
      assert.match(plan.blockers[0]?.message ?? '', /found .*expected/);
      assert.deepEqual([plan.children, plan.surplus, plan.secret], [[], [], undefined]);
    });
  it('refuses another number of shards while some run, and counts as running what the status shows', () => {
    const stores = theDemo();
    const plan = planFor(seenIn(stores));
    assert.deepEqual(plan.blockers, []);
    carryOut(stores, plan);
    stores.systems.put(aTradingSystem({ shards: 2 }, statusOf(seenIn(stores), plan)));
    assert.match(planFor(seenIn(stores)).blockers[0]?.message ?? '', /spec\.shards: found 2, .* expected 1/);
  });
  for (const [running, wanted] of [
    ['Split', 'Fused'],
    ['Fused', 'Split'],
  ] as const)
    it(`refuses ${wanted} while ${running} runs, and goes on as it is once that is taken back`, () => {
      const stores = theDemo(aTradingSystem({ topology: running }));
      const plan = planFor(seenIn(stores));
      carryOut(stores, plan);
      stores.systems.put(aTradingSystem({ topology: wanted }));
      assert.equal(planFor(seenIn(stores)).blockers[0]?.reason, 'NotYet', 'also before the first status');
      stores.systems.put(aTradingSystem({ topology: wanted }, statusOf(seenIn(stores), plan)));
      const refused = planFor(seenIn(stores));
      assert.match(refused.blockers[0]?.message ?? '', new RegExp(`spec\\.topology: found ${wanted}, .* expected ${running}`)); // prettier-ignore
      assert.deepEqual([refused.children, refused.surplus], [[], []]);
      stores.systems.put(aTradingSystem({ topology: running }, statusOf(seenIn(stores), refused)));
      assert.deepEqual(planFor(seenIn(stores)).blockers, []);
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
  for (const [title, without] of [
    ['missing', 'RiskParams'],
    ['missing', 'RouterRules'],
  ] as const)
    it(`carries Holds and a stop also while ${without} is ${title}, with the parameters published last`, () => {
      const stores = theDemo();
      const first = planFor(seenIn(stores));
      carryOut(stores, first);
      const bare = theDemo(aTradingSystem({ trading: 'Stopped' }), [without]);
      bare.children.ConfigMap.put(stores.children.ConfigMap.get('trading/demo-desired')!);
      bare.holds.put(aHold());
      const { document, blockers } = planFor(seenIn(bare));
      assert.equal(blockers[0]?.reason, 'ReferenceNotFound');
      assert.deepEqual([document?.trading, document?.holds[0]?.id], ['Stopped', 'stop']);
      assert.deepEqual([document?.risk, document?.rules], [first.document?.risk, first.document?.rules]);
    });
  it('takes nothing from the document of a predecessor', () => {
    const stores = theDemo();
    carryOut(stores, planFor(seenIn(stores)));
    const system = aTradingSystem();
    const bare = theDemo({ ...system, metadata: { ...system.metadata, uid: 'another' } }, ['RiskParams']);
    bare.children.ConfigMap.put(stores.children.ConfigMap.get('trading/demo-desired')!);
    assert.equal(planFor(seenIn(bare)).document, undefined);
  });
  for (const [raw, trading] of [
    ['Enabled', 'Enabled'],
    ['Stopped', 'Stopped'],
    [undefined, 'Stopped'],
    [true, 'Stopped'],
  ] as const)
    it(`carries Holds also while the spec cannot be read; spec.trading ${raw} is ${trading} then`, () => {
      const stores = theDemo();
      carryOut(stores, planFor(seenIn(stores)));
      stores.holds.put(aHold());
      const known = theUnreadableDemo(stores, { capitalUsd: 'much', trading: raw });
      const { document, blockers, children } = planUnreadable(known, [], { epoch: 1, now: NOW });
      assert.deepEqual([blockers[0]?.reason, children.length], ['Invalid', 0]);
      assert.deepEqual([document?.version, document?.trading, document?.holds[0]?.id], [2, trading, 'stop']);
      assert.equal(document?.capitalUsd, 1_000_000);
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
  it('keeps a Hold whose time cannot be read', () => {
    const stores = theDemo();
    stores.holds.put(aHold({ until: '2026-12-31T23:59:60Z' }));
    const plan = planFor(seenIn(stores));
    assert.deepEqual([plan.document?.holds.length, plan.lookAgainAt], [1, undefined]);
  });
  it('is written anew where somebody damaged it', () => {
    const stores = theDemo();
    const first = planFor(seenIn(stores));
    carryOut(stores, first);
    const damaged = { ...first.document!, capitalUsd: 9e9 };
    carryOut(stores, { ...first, document: damaged });
    assert.equal(seenIn(stores).published, undefined);
    const told = { desired: { epoch: 1, version: 7, hash: 'x' } };
    stores.systems.put(aTradingSystem({}, told));
    const { document } = planFor(seenIn(stores));
    assert.deepEqual([document?.capitalUsd, document?.epoch, document?.version], [1_000_000, 1, 8]);
  });
  it('counts up from what the status says where it is lost, and where an old copy has come back', () => {
    const stores = theDemo();
    const old = planFor(seenIn(stores)).document!;
    stores.systems.put(aTradingSystem({}, { desired: { epoch: 2, version: 5, hash: old.hash } }));
    const [lost, later] = [planFor(seenIn(stores), 2), planFor(seenIn(stores), 3)];
    assert.deepEqual([lost.document?.epoch, lost.document?.version], [2, 6]);
    assert.deepEqual([later.document?.epoch, later.document?.version], [3, 1]);
    carryOut(stores, { ...lost, document: old });
    assert.equal(seenIn(stores).published?.version, 1);
    assert.deepEqual(planFor(seenIn(stores), 2).document?.version, 6, 'though it says the same');
  });
  for (const [title, edit] of [
    ['labels', { labels: { 'app.kubernetes.io/managed-by': 'somebody' } }],
    ['owner', { ownerReferences: [] }],
  ] as const)
    it(`is written anew where its ${title} were changed`, () => {
      const stores = theDemo();
      carryOut(stores, planFor(seenIn(stores)));
      const map = stores.children.ConfigMap.get('trading/demo-desired')!;
      stores.children.ConfigMap.put(live({ ...map, metadata: { ...map.metadata, ...edit } }));
      assert.equal(planFor(seenIn(stores)).document?.version, 2);
    });
});
