// SIGTERM in the middle of work, against a real API server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { aPlace, eventually, stop, type Place } from './harness.ts';

interface Lease {
  readonly spec: { readonly holderIdentity: string };
}

describe('the operator that is told to stop', () => {
  let place: Place;
  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    await place.createReferences();
    for (let i = 0; i < 6; i++) await place.createSystem(`demo-${i}`);
  });
  after(() => place.leave());

  it('finishes what is under way, gives the lease back, and ends without an error', async () => {
    const running = await place.start('operator-1');
    await eventually('the first part', () => place.json('get', 'cm', 'demo-0-config'));
    await stop(running);
    const { spec } = await place.json<Lease>('get', 'lease', 'tradewind-operator');
    assert.equal(spec.holderIdentity, '');
    // A pass that had begun has come to its status: there is no system with parts and without one.
    const { items: maps } = await place.json<{ items: { metadata: { name: string } }[] }>('get', 'cm');
    for (const { metadata } of maps.filter(({ metadata: { name } }) => name.endsWith('-config'))) {
      assert.notEqual(await place.condition('tsys', 'Ready', metadata.name.replace('-config', '')), undefined);
    }
  });
});
