// The desired document against a real API server: Holds and a stop reach it whatever else is wrong, its order never goes
// backwards, and nobody can keep it from being published.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

describe('the desired document', () => {
  let place: Place;
  let running: Running;
  const later = (than: DesiredDocument): Promise<DesiredDocument> =>
    eventually('a later document', async () => {
      const found = await place.published();
      return found.epoch === than.epoch && found.version > than.version ? found : undefined;
    });
  const holdReason = async (name: string) => (await place.condition('hold', 'Ready', name))?.reason;

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem();
    await eventually('a document', place.published);
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });

  it('is the operator’s by name, for whoever asks who wrote it', async () => {
    const writers = async () => {
      const { metadata } = await place.json<{ metadata: { managedFields: { manager: string }[] } }>(
        'get',
        'cm',
        'demo-desired',
        '--show-managed-fields',
      );
      return metadata.managedFields.map(({ manager }) => manager);
    };
    assert.deepEqual(await writers(), ['tradewind-operator']);
    await place.patch('tsys', { capitalUsd: 999_999 });
    await becomes('published', async () => (await place.published()).capitalUsd === 999_999);
    assert.deepEqual(await writers(), ['tradewind-operator']);
  });

  it('carries a Hold and a stop while RiskParams is missing, and the Hold is in force only once it is acknowledged', async () => {
    const old = await place.published();
    await place.acknowledge();
    await place.patch('tsys', { riskParamsRef: { name: 'other' } });
    await becomes('not found', async () => (await place.condition('tsys', 'Ready'))?.reason === 'ReferenceNotFound');
    await place.createHold('brake');
    const held = await later(old);
    assert.deepEqual([held.holds[0]?.id, held.risk.revision], ['brake', old.risk.revision]);
    await becomes('told', async () => (await holdReason('brake')) === 'Propagating');
    await place.acknowledge();
    await becomes('in force', async () => (await holdReason('brake')) === 'InForce');
    await place.patch('tsys', { trading: 'Stopped' });
    assert.equal((await later(held)).trading, 'Stopped');
    await becomes('stopped', async () => (await place.condition('tsys', 'TradingEnabled'))?.reason === 'StoppedBySpec');
    await place.kubectl(['delete', 'hold', 'brake']);
    await place.patch('tsys', { trading: 'Enabled', riskParamsRef: { name: 'demo' } });
    await becomes('enabled', async () => (await place.condition('tsys', 'TradingEnabled'))?.status === 'True');
  });

  for (const [title, act] of [
    ['deleted', () => place.kubectl(['delete', 'cm', 'demo-desired'])],
    [
      'damaged',
      () => place.kubectl(['patch', 'cm', 'demo-desired', '--type=merge', '-p', '{"data":{"desired.json":"{"}}']),
    ],
    ['frozen', () => place.kubectl(['patch', 'cm', 'demo-desired', '--type=merge', '-p', '{"immutable":true}'])],
    ['relabelled', () => place.kubectl(['label', 'cm', 'demo-desired', 'app.kubernetes.io/managed-by-'])],
    [
      'given to another system',
      () => place.kubectl(['label', 'cm', 'demo-desired', 'tradewind.io/system=x', '--overwrite']),
    ],
    [
      'disowned',
      () =>
        place.kubectl(['patch', 'cm', 'demo-desired', '--type=merge', '-p', '{"metadata":{"ownerReferences":null}}']),
    ],
  ] as const)
    it(`is published again, and as a later one, when it was ${title}; and goes on being published`, async () => {
      const old = await place.published();
      await act();
      const next = await later(old);
      assert.equal(next.hash, old.hash);
      const { metadata } = await place.json<{
        metadata: { labels: Record<string, string>; ownerReferences: unknown[] };
      }>('get', 'cm', 'demo-desired');
      assert.equal(metadata.labels['app.kubernetes.io/managed-by'], 'tradewind-operator');
      assert.equal(metadata.labels['tradewind.io/system'], 'demo');
      assert.equal(metadata.ownerReferences.length, 1);
      await place.createHold('probe');
      assert.equal((await later(next)).holds[0]?.id, 'probe');
      await place.kubectl(['delete', 'hold', 'probe']);
      await becomes('lifted', async () => (await place.published()).holds.length === 0);
    });

  it('is later than what was in force when an old copy of it is applied again', async () => {
    const old = await place.json<{ data: object }>('get', 'cm', 'demo-desired');
    const first = await place.published();
    await place.patch('rp', { positionSizing: { kellyFraction: 0.15 } });
    const second = await later(first);
    await becomes('told', async () => {
      const { status } = await place.json<{ status: { desired: { version: number } } }>('get', 'tsys', 'demo');
      return status.desired.version === second.version;
    });
    await place.kubectl(['patch', 'cm', 'demo-desired', '--type=merge', '-p', JSON.stringify({ data: old.data })]);
    const third = await later(second);
    assert.equal(third.hash, second.hash);
  });

  it('takes over a ConfigMap of its name that was there before', async () => {
    await place.kubectl(['create', 'configmap', 'second-desired', '--from-literal=desired.json=mine']);
    await place.createSystem('second');
    await becomes('taken over', async () => {
      const map = await place.json<{ data: Record<string, string> }>('get', 'cm', 'second-desired');
      return map.data['desired.json']?.startsWith('{"owner"');
    });
  });
});
