// Reconcile switched off by annotation, against a real API server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

describe('reconcile: disabled', () => {
  let place: Place;
  let running: Running;
  const annotate = (...annotations: string[]) =>
    place.kubectl(['annotate', 'tsys', 'demo', '--overwrite', ...annotations]);
  const generation = async () =>
    (await place.json<{ metadata: { generation: number } }>('get', 'deploy', 'demo-router-0')).metadata.generation;

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem();
    await eventually('the last part', () => place.json('get', 'deploy', 'demo-gateway'));
    await annotate('tradewind.io/reconcile=disabled');
    await becomes('told', async () => (await place.condition('tsys', 'Disabled'))?.status === 'True');
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });

  it('says by whom', async () => {
    const message = (await place.condition('tsys', 'Disabled'))?.message ?? '';
    assert.match(message, /^tradewind\.io\/reconcile=disabled by kubectl-annotate/);
  });
  it('carries out no change of the spec, of parameters, or of what is there; and names what waits', async () => {
    const [before, { hash }] = [await generation(), await place.published()];
    await place.patch('tsys', { logging: { level: 'debug' } });
    await place.patch('rp', { positionSizing: { kellyFraction: 0.15 } });
    await place.kubectl(['delete', 'deploy', 'demo-gateway']);
    const ready = await eventually('what waits', async () => {
      const found = await place.condition('tsys', 'Ready');
      const waits = ['the desired document', 'Deployment demo-router-0', 'Deployment demo-gateway'];
      return waits.every((one) => found?.message.includes(one)) ? found : undefined;
    });
    assert.equal(ready?.reason, 'Disabled');
    await becomes('told', async () =>
      (await place.condition('rp', 'Ready'))?.message.includes('reconcile of the system is disabled'),
    );
    assert.deepEqual([await generation(), (await place.published()).hash], [before, hash]);
    await assert.rejects(place.kubectl(['get', 'deploy', 'demo-gateway']), /NotFound/);
  });
  it('carries a Hold, a pause by annotation, and a stop', async () => {
    await place.createHold('brake');
    await annotate('tradewind.io/pause-router=why');
    await becomes('both', async () => (await place.published()).holds.length === 2);
    await place.patch('tsys', { trading: 'Stopped' });
    await becomes('stopped', async () => (await place.published()).trading === 'Stopped');
    await place.kubectl(['delete', 'hold', 'brake']);
    await becomes('lifted', async () => (await place.published()).holds.length === 1);
  });
  it('does not enable trading', async () => {
    await place.patch('tsys', { trading: 'Enabled' });
    await becomes('told', async () => (await place.condition('tsys', 'TradingEnabled'))?.reason === 'Disabled');
    assert.equal((await place.published()).trading, 'Stopped');
  });
  it('carries out what waits when it is enabled again', async () => {
    await annotate('tradewind.io/reconcile=enabled');
    await becomes('the document', async () => {
      const { trading, risk } = await place.published();
      return trading === 'Enabled' && risk.params.positionSizing.kellyFraction === 0.15;
    });
    await eventually('the part', () => place.json('get', 'deploy', 'demo-gateway'));
    await becomes('not told', async () => (await place.condition('tsys', 'Disabled')) === undefined);
  });
  it('does not keep a system from being deleted', async () => {
    await annotate('tradewind.io/reconcile=disabled');
    await becomes('told', async () => (await place.condition('tsys', 'Disabled'))?.status === 'True');
    await place.kubectl(['delete', 'tsys', 'demo', '--timeout=60s']);
    assert.equal((await place.published()).trading, 'Stopped');
  });
});
