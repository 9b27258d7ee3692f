// What the API server refuses of one child, against a real one: the others come all the same, and the user is told.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

/** Refused by validation of the StatefulSet, which our schema leaves to Kubernetes. */
const BAD_TOLERATION = { tolerations: [{ operator: 'Exists', value: 'x' }] };

const LIMITS = {
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'large-claims-only' },
  spec: { limits: [{ type: 'PersistentVolumeClaim', min: { storage: '10Gi' } }] },
};

const SMALL_CLAIM = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'probe' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};

describe('a child that is refused', () => {
  let place: Place;
  let running: Running;

  beforeEach(async function () {
    this.timeout(600_000);
    place = await aPlace();
    await place.createReferences();
    running = await place.start('operator-1');
  });
  afterEach(async () => {
    await stop(running);
    await place.leave();
  });

  it('for what the spec says: the system is Stalled and says why, and Holds are carried and told', async () => {
    await place.createSystem('demo', { components: { redis: BAD_TOLERATION } });
    const stalled = await eventually('stalled', async () => {
      const found = await place.condition('tsys', 'Stalled');
      return found?.status === 'True' ? found : undefined;
    });
    assert.equal(stalled.reason, 'Refused');
    assert.match(stalled.message, /StatefulSet demo-redis: .*tolerations/);
    await place.json('get', 'deploy', 'demo-gateway');
    await place.createHold('brake');
    await becomes('carried', async () => (await place.published()).holds[0]?.id === 'brake');
    await becomes('told', async () => (await place.condition('hold', 'Ready', 'brake'))?.reason === 'Propagating');
    await place.patch('tsys', { components: { redis: { tolerations: null } } });
    await becomes('not stalled', async () => (await place.condition('tsys', 'Stalled'))?.status === 'False');
    await place.json('get', 'sts', 'demo-redis');
  });

  it('for want of a right or a quota: the system is Reconciling and says what it waits for', async () => {
    await place.kubectl(['create', '-f', '-'], LIMITS);
    const tries = () => place.kubectl(['create', '--dry-run=server', '-f', '-'], SMALL_CLAIM);
    await becomes('enforced', () => tries().then(() => false, () => true)); // prettier-ignore
    await place.createSystem();
    const moving = await eventually('reconciling', async () => {
      const found = await place.condition('tsys', 'Reconciling');
      return found?.reason === 'Forbidden' ? found : undefined;
    });
    assert.match(moving.message, /PersistentVolumeClaim demo-harmoniser-0: .*minimum storage/);
    assert.equal((await place.condition('tsys', 'Stalled'))?.status, 'False');
    await place.json('get', 'deploy', 'demo-gateway');
  });
});

describe('a system that is made again under its name', () => {
  let place: Place;
  let running: Running;
  const secrets = async (): Promise<string[]> =>
    (await place.json<{ items: { metadata: { name: string } }[] }>('get', 'secrets')).items.map(
      ({ metadata }) => metadata.name,
    );

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    await place.createReferences();
    running = await place.start('operator-1');
    await place.createSystem();
    await eventually('the last part', () => place.json('get', 'deploy', 'demo-gateway'));
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });

  it('leaves no trace in the status of RiskParams and RouterRules when it is deleted', async () => {
    await becomes('referenced', async () => (await place.condition('rp', 'Ready'))?.reason === 'Propagating');
    await place.kubectl(['delete', 'tsys', 'demo']);
    for (const kind of ['rp', 'rr'])
      await becomes(`${kind} is free`, async () => (await place.condition(kind, 'Ready'))?.reason === 'NotReferenced');
    const { status } = await place.json<{ status: { rules: number; systems?: unknown } }>('get', 'rr', 'demo');
    assert.deepEqual([status.rules, status.systems], [3, undefined]);
  });
  it('has a password of its own, though its predecessor’s objects are still there', async () => {
    const [old, ...more] = await secrets();
    assert.deepEqual(more, []);
    await place.createSystem();
    await becomes('a Secret of its own', async () => (await secrets()).length === 2);
    const own = (await secrets()).find((name) => name !== old) ?? '';
    await becomes('in use', async () => (await place.kubectl(['get', 'sts,deploy', '-o', 'yaml'])).includes(own));
    await becomes(
      'the old one is not',
      async () => !(await place.kubectl(['get', 'sts,deploy', '-o', 'yaml'])).includes(old ?? ''),
    );
  });
  it('forgets RiskParams that it does not refer to any more', async () => {
    const other = await place.json<{ spec: object }>('get', 'rp', 'demo');
    const object = {
      apiVersion: 'tradewind.io/v1alpha1',
      kind: 'RiskParams',
      metadata: { name: 'other' },
      spec: other.spec,
    };
    await place.kubectl(['create', '-f', '-'], object);
    await becomes('referenced', async () => (await place.condition('rp', 'Ready'))?.reason !== 'NotReferenced');
    await place.patch('tsys', { riskParamsRef: { name: 'other' } });
    await becomes('free', async () => (await place.condition('rp', 'Ready'))?.reason === 'NotReferenced');
  });
});
