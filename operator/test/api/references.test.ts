// RiskParams and RouterRules that are missing, late, exchanged, deleted, invalid, or shared, against a real API server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { RevisionStatus } from '@tradewind/crds/schema/status.ts';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

describe('what a system refers to', () => {
  let place: Place;
  let running: Running;
  const reason = async (name = 'demo') => (await place.condition('tsys', 'Ready', name))?.reason;
  const kelly = async (name = 'demo') => (await place.published(name)).risk.params.positionSizing.kellyFraction;
  const systemsIn = async (kind: string, name = 'demo') =>
    (await place.json<{ status?: RevisionStatus }>('get', kind, name)).status?.systems?.map(
      ({ name: system, stage, acked }) => `${system} ${stage} ${acked}`,
    );
  /** A copy of RiskParams demo under another name, with another Kelly fraction. */
  const createRiskParams = async (name: string, kellyFraction: number): Promise<void> => {
    const { spec, ...rest } = await place.json<{ spec: { positionSizing: object } }>('get', 'rp', 'demo');
    const { apiVersion, kind } = rest as unknown as { apiVersion: string; kind: string };
    const changed = { ...spec, positionSizing: { ...spec.positionSizing, kellyFraction } };
    await place.kubectl(['create', '-f', '-'], { apiVersion, kind, metadata: { name }, spec: changed });
  };

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createSystem();
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });

  it('may not be there yet: the system is Reconciling, its parts come up, nothing is published', async () => {
    await becomes('told', async () => (await reason()) === 'ReferenceNotFound');
    const reconciling = await place.condition('tsys', 'Reconciling');
    assert.deepEqual([reconciling?.status, reconciling?.reason], ['True', 'ReferenceNotFound']);
    assert.match(reconciling?.message ?? '', /RiskParams demo is not in this namespace/);
    assert.equal((await place.condition('tsys', 'Stalled'))?.status, 'False');
    assert.equal((await place.condition('tsys', 'TradingEnabled'))?.reason, 'NoDocument');
    await eventually('parts', () => place.json('get', 'deploy', 'demo-gateway'));
    await assert.rejects(place.published(), /NotFound/);
  });
  it('is published as soon as the last of it appears', async () => {
    await place.createReferences();
    await eventually('a document', place.published);
    await becomes('told', async () => (await reason()) === 'ComponentsNotReady');
    await place.acknowledge();
    for (const kind of ['rp', 'rr'])
      await becomes(`${kind} active`, async () => (await systemsIn(kind))?.join() === 'demo Active 3');
  });
  it('may be another, which forgets the first', async () => {
    await createRiskParams('other', 0.12);
    await place.patch('tsys', { riskParamsRef: { name: 'other' } });
    await becomes('published', async () => (await kelly()) === 0.12);
    await place.acknowledge();
    await becomes('active', async () => (await systemsIn('rp', 'other'))?.join() === 'demo Active 3');
    await becomes('forgotten', async () => ((await systemsIn('rp')) ?? []).length === 0);
  });
  it('may be deleted while it is used: what was published last stays in force, Holds go on, it may come back', async () => {
    const { hash } = await place.published();
    await place.kubectl(['delete', 'rp', 'other']);
    await becomes('told', async () => (await reason()) === 'ReferenceNotFound');
    assert.equal((await place.published()).hash, hash);
    await place.createHold('brake');
    await becomes('held', async () => (await place.published()).holds.length === 1);
    assert.equal(await kelly(), 0.12);
    await place.kubectl(['delete', 'hold', 'brake']);
    await createRiskParams('other', 0.11);
    await becomes('published', async () => (await kelly()) === 0.11);
  });
  it('may be stored in a way that does not fit: it is named with its field, and what was published stays', async () => {
    const { hash } = await place.published();
    const crd = 'riskparams.tradewind.io';
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-preserve-unknown-fields';
    const types = '/spec/versions/0/schema/openAPIV3Schema/properties/spec';
    const kept = await place.json<{
      spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: object } } } }[] };
    }>('get', 'crd', crd);
    const { spec: schema } = kept.spec.versions[0]!.schema.openAPIV3Schema.properties;
    const patchCrd = (...ops: object[]) =>
      place.kubectl(['patch', 'crd', crd, '--type=json', '-p', JSON.stringify(ops)]);
    await patchCrd({ op: 'replace', path: types, value: { type: 'object' } }, { op: 'add', path, value: true });
    try {
      await eventually('stored', () =>
        place.kubectl([
          'patch',
          'rp',
          'other',
          '--type=merge',
          '-p',
          '{"spec":{"positionSizing":{"kellyFraction":7}}}',
        ]),
      );
      await becomes('told', async () => (await reason()) === 'ReferenceInvalid');
      const message = (await place.condition('tsys', 'Ready'))?.message ?? '';
      assert.match(message, /RiskParams other: positionSizing\.kellyFraction: found 7, expected/);
      await becomes('told', async () => (await place.condition('rp', 'Stalled', 'other'))?.reason === 'Invalid');
      assert.equal((await place.published()).hash, hash);
    } finally {
      await patchCrd({ op: 'replace', path: types, value: schema });
    }
    await place.kubectl([
      'patch',
      'rp',
      'other',
      '--type=merge',
      '-p',
      '{"spec":{"positionSizing":{"kellyFraction":0.1}}}',
    ]);
    await becomes('published', async () => (await kelly()) === 0.1);
  });
  it('may be shared: each system has its own state, and a slow one does not hold the other', async () => {
    await place.patch('tsys', { riskParamsRef: { name: 'demo' } });
    await place.createSystem('second');
    await eventually('a document', () => place.published('second'));
    for (const name of ['demo', 'second']) await place.acknowledge(name);
    await becomes('both', async () => (await systemsIn('rp'))?.join() === 'demo Active 3,second Active 3');
    await place.patch('rp', { positionSizing: { kellyFraction: 0.13 } });
    for (const name of ['demo', 'second']) await becomes('published', async () => (await kelly(name)) === 0.13);
    await place.acknowledge('second');
    await becomes('one', async () => (await systemsIn('rp'))?.join() === 'demo Propagating 0,second Active 3');
    const ready = await place.condition('rp', 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'Propagating']);
    assert.match(ready?.message ?? '', /^demo: Propagating/);
    await place.patch('rp', { positionSizing: { kellyFraction: 0.14 } });
    await becomes('the fast one goes on', async () => (await kelly('second')) === 0.14);
    await place.acknowledge('second');
    await becomes('one', async () => (await systemsIn('rp'))?.join() === 'demo Propagating 0,second Active 3');
    await place.acknowledge('demo');
    await becomes('Active', async () => (await place.condition('rp', 'Ready'))?.reason === 'Active');
  });
  it('forgets a system that is deleted, and keeps the other', async () => {
    await place.kubectl(['delete', 'tsys', 'second', '--timeout=60s']);
    for (const kind of ['rp', 'rr'])
      await becomes('one', async () => (await systemsIn(kind))?.map((one) => one.split(' ')[0]).join() === 'demo');
  });
});
