// Requests against a real API server, as far as it must understand them as they are meant.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { CHILDREN, type Child } from '../../kinds.ts';
import { isConflict } from '../../runtime/errors.ts';
import { aPlace, stop, type Place, type Running } from './harness.ts';

describe('the client', () => {
  let place: Place;
  let running: Running;
  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });

  it('deletes that very object, and none of its name made since', async () => {
    const { api } = running;
    const { namespace } = place;
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'a' } };
    const first = await api.create<Child>(CHILDREN.ConfigMap, object);
    await api.delete(CHILDREN.ConfigMap, first);
    const second = await api.create<Child>(CHILDREN.ConfigMap, object);
    await assert.rejects(api.delete(CHILDREN.ConfigMap, first), isConflict);
    assert.equal((await api.get(CHILDREN.ConfigMap, second.metadata)).metadata.uid, second.metadata.uid);
  });
});
