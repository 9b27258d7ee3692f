// A system that is deleted, against a real API server. There is no garbage collector and no namespace controller: the test
// does what they would.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { PART_LABEL, SYSTEM_LABEL } from '@tradewind/workloads/contract/pods.ts';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

const FINALIZER = 'tradewind.io/stop';
/** Longer than a test takes with its kubectl, on any machine. */
const PATIENT = { drainSeconds: 120, timeoutSeconds: 300 };
const PARTS = ['ingest', 'router', 'harmoniser'];
const UNSTUCK = ['patch', 'tsys', 'demo', '--type=merge', '-p', '{"metadata":{"finalizers":null}}'];

interface System {
  readonly metadata: {
    readonly finalizers?: string[];
    readonly managedFields: { manager: string; fieldsV1: object }[];
  };
  readonly status?: { readonly phase?: string; readonly deletion?: { readonly step: string } };
}

/** The pods that the controllers would have made. */
async function createPods({ kubectl }: Place): Promise<void> {
  for (const part of PARTS) {
    const labels = { 'app.kubernetes.io/managed-by': 'tradewind-operator', [SYSTEM_LABEL]: 'demo', [PART_LABEL]: part };
    const spec = { automountServiceAccountToken: false, containers: [{ name: part, image: 'none' }] };
    const metadata = { name: `demo-${part}`, labels };
    await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Pod', metadata, spec });
  }
}

describe('a system that is deleted', () => {
  let place: Place;
  let running: Running;
  const system = () => place.json<System>('get', 'tsys', 'demo', '--show-managed-fields');
  const isGone = () => becomes('gone', async () => (await place.kubectl(['get', 'tsys', '-o', 'name'])) === '');
  const step = (expected: string) =>
    becomes(expected, async () => (await system()).status?.deletion?.step === expected);
  const remove = (...more: string[]) => place.kubectl(['delete', 'tsys', 'demo', '--wait=false', ...more]);
  const events = async (): Promise<string> => {
    const { items } = await place.json<{ items: { reason: string; note?: string; message?: string }[] }>(
      'get',
      'events',
    );
    return items.map(({ reason, note, message }) => `${reason}: ${note ?? message}`).join('\n');
  };
  const seesPods = () =>
    becomes('pods seen', async () => running.operator.stores.pods.group(`${place.namespace}/demo`).length === 3);

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createReferences();
    await eventually('service account', () => place.kubectl(['create', 'serviceaccount', 'default']));
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });
  beforeEach(async () => {
    await place.createSystem('demo', { restart: PATIENT });
    await eventually('a document', place.published);
  });
  afterEach(async () => {
    await place.kubectl(['delete', 'pods', '--all', '--force', '--grace-period=0']);
    await place.kubectl(UNSTUCK).catch(() => undefined);
    await place.kubectl(['delete', 'tsys,deploy,sts,cm,pvc', '--all', '--wait=false']);
  });

  it('had the finalizer from the first, under the operator’s name', async () => {
    const { metadata } = await system();
    assert.deepEqual(metadata.finalizers, [FINALIZER]);
    const owner = metadata.managedFields.find(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes(FINALIZER));
    assert.equal(owner?.manager, 'tradewind-operator');
  });
  it('gets the finalizer back when a replace has dropped it', async () => {
    const { metadata, ...rest } = await place.json<{ metadata: { name: string }; status?: object }>(
      'get',
      'tsys',
      'demo',
    );
    await place.kubectl(['replace', '-f', '-'], { ...rest, metadata: { name: metadata.name } });
    await becomes('back', async () => (await system()).metadata.finalizers?.includes(FINALIZER));
  });
  it('goes at once where nobody trades, with trading stopped in what it leaves', async () => {
    await remove();
    await isGone();
    assert.equal((await place.published()).trading, 'Stopped');
    assert.match(await events(), /NobodyLeft: no pod that trades is left/);
  });
  it('stops, drains, and goes; a Hold made meanwhile reaches the pods', async () => {
    await createPods(place);
    await seesPods();
    await remove();
    await step('Stopping');
    assert.equal((await place.published()).trading, 'Stopped');
    assert.equal((await system()).status?.phase, 'Deleting');
    assert.match((await place.condition('tsys', 'Ready'))?.message ?? '', /trading is stopped: demo-harmoniser$/);
    await place.createHold('brake');
    await becomes('carried', async () => (await place.published()).holds[0]?.id === 'brake');
    await place.kubectl(['delete', 'deploy', 'demo-gateway']);
    await place.acknowledge('demo', { drained: false });
    await step('Draining');
    await assert.rejects(place.kubectl(['get', 'deploy', 'demo-gateway']), /NotFound/, 'nothing is made any more');
    await place.acknowledge('demo', { drained: true });
    await isGone();
    const told = await events();
    for (const one of [
      'Stopping: waits until',
      'Draining: trading is stopped',
      'Drained: trading was stopped and drained',
    ])
      assert.ok(told.includes(one), one);
    await becomes('free', async () => (await place.condition('hold', 'Ready', 'brake'))?.reason === 'SystemNotFound');
    await place.kubectl(['delete', 'hold', 'brake']);
  });
  it('goes at its deadline where the pods do not answer, and says so', async () => {
    await place.patch('tsys', { restart: { timeoutSeconds: 10 } });
    await createPods(place);
    await seesPods();
    await remove();
    const since = Date.now();
    await isGone();
    assert.ok(Date.now() - since > 8_000, `${Date.now() - since} ms`);
    assert.match(await events(), /NotStopped: not every pod acknowledged in time/);
  });
  it('goes on where another operator takes over in the middle', async () => {
    await createPods(place);
    await seesPods();
    await remove();
    await step('Stopping');
    await stop(running);
    running = await place.start('operator-2');
    await place.acknowledge('demo', { drained: true });
    await isGone();
  });
  it('leaves its children where they are to be orphaned, with trading stopped and no owner', async () => {
    await createPods(place);
    await seesPods();
    await remove('--cascade=orphan');
    await step('Stopping');
    const orphan = { metadata: { ownerReferences: null } };
    await place.kubectl(['patch', 'cm', 'demo-desired', '--type=merge', '-p', JSON.stringify(orphan)]);
    await place.acknowledge('demo', { drained: true });
    await becomes('let go', async () => (await system()).metadata.finalizers?.join() === 'orphan');
    const map = await place.json<{ metadata: { ownerReferences?: object[] } }>('get', 'cm', 'demo-desired');
    assert.equal(map.metadata.ownerReferences, undefined);
    assert.equal((await place.published()).trading, 'Stopped');
    await place.json('get', 'deploy', 'demo-harmoniser-0');
  });
  it('is not brought back by the document where the children go first', async () => {
    await createPods(place);
    await seesPods();
    await remove('--cascade=foreground');
    await step('Stopping');
    await place.kubectl(['delete', 'cm', 'demo-desired']);
    await place.kubectl(['delete', 'pods', '--all', '--force', '--grace-period=0']);
    await becomes('let go', async () => (await system()).metadata.finalizers?.join() === 'foregroundDeletion');
    await assert.rejects(place.kubectl(['get', 'cm', 'demo-desired']), /NotFound/);
  });
  it('goes also where what is stored does not fit the schema', async () => {
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/capitalUsd/maximum';
    const crd = (value: number) =>
      place.kubectl([
        'patch',
        'crd',
        'tradingsystems.tradewind.io',
        '--type=json',
        '-p',
        JSON.stringify([{ op: 'replace', path, value }]),
      ]);
    await createPods(place);
    await seesPods();
    await crd(1e15);
    try {
      await eventually('stored', () => place.patch('tsys', { capitalUsd: 1e14 }));
    } finally {
      await crd(1e12);
    }
    await becomes('Invalid', async () => (await place.condition('tsys', 'Ready'))?.reason === 'Invalid');
    await remove();
    await step('Stopping');
    await place.acknowledge('demo', { drained: true });
    await isGone();
  });
  it('gets unstuck without an operator as the runbook says', async () => {
    await stop(running);
    await remove();
    assert.deepEqual((await system()).metadata.finalizers, [FINALIZER]);
    await place.kubectl(UNSTUCK);
    await isGone();
    running = await place.start('operator-3');
  });
});

describe('a system in a namespace that is deleted', () => {
  it('says that nothing can be published there any more, and goes with its pods', async () => {
    const place = await aPlace();
    const home = await aPlace();
    const running = await home.start('operator-1', place.namespace);
    await place.kubectl(['create', 'serviceaccount', 'default']);
    await place.createReferences();
    await place.createSystem();
    await eventually('a document', place.published);
    await createPods(place);
    await place.leave();
    await place.kubectl(['delete', 'cm,deploy,sts', '--all']);
    await place.kubectl(['delete', 'tsys', 'demo', '--wait=false']);
    const said = await eventually('told', async () => {
      const ready = await place.condition('tsys', 'Ready');
      return ready?.message.includes('desired document') === true ? ready : undefined;
    });
    assert.equal(said.reason, 'Deleting');
    assert.match(said.message, /waits until .*: demo-harmoniser; desired document: .*is being terminated/);
    await place.kubectl(['delete', 'pods', '--all', '--force', '--grace-period=0']);
    await becomes('gone', async () => (await place.kubectl(['get', 'tsys', '-o', 'name'])) === '');
    await stop(running);
    await home.leave();
  });
});
