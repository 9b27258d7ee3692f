// A replica of the API server that lags behind answers the operator's lists and watches: what it says is true, and old. The
// operator must not undo by it what it, or another leader, has written since.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { HOLDS, RISK_PARAMS, TRADING_SYSTEMS } from '../../kinds.ts';
import { aWorld, type Behind, type World } from './world.ts';

describe('a replica that lags behind', () => {
  let world: World;
  let operator: Behind;
  let before: string;

  /** Changes that are done and told while `before` was. */
  beforeEach(async () => {
    world = await aWorld();
    operator = await world.operator('first');
    await world.createReady();
    before = await world.version();
    await world.apply(RISK_PARAMS, { positionSizing: { kellyFraction: 0.12 } });
    await world.apply(HOLDS, {}, 'brake');
    await world.apply(TRADING_SYSTEMS, { trading: 'Stopped' });
    await world.settles('all is told', () => {
      const { trading, holds, risk } = world.recorder.document ?? {};
      return trading === 'Stopped' && holds?.length === 1 && risk?.params.positionSizing.kellyFraction === 0.12;
    });
  });
  afterEach(() => world.leave());

  it('is what the operator’s watches come to after a cut: nothing is written', async () => {
    const account = await world.account();
    const { promise: caughtUp, resolve: catchUp } = Promise.withResolvers<void>();
    operator.proxy.past = { resourceVersion: before, caughtUp };
    operator.proxy.relay.cut();
    await world.assertQuiet([operator], 5_000);
    operator.proxy.past = undefined;
    catchUp();
    await world.assertQuiet([operator], 3_000);
    assert.deepEqual(await world.account(), account);
  });

  it('is all that an operator sees which starts and leads: pods are given nothing older, and in the end all is as it was', async () => {
    const account = await world.account();
    await operator.end();
    const { promise: caughtUp, resolve: catchUp } = Promise.withResolvers<void>();
    const second = await world.operator('second', {
      before: (proxy) => (proxy.past = { resourceVersion: before, caughtUp }),
    });
    await delay(5_000);
    const seen = world.recorder.documents.length;
    second.proxy.past = undefined;
    catchUp();
    await world.settles('it has caught up', () => world.recorder.document?.trading === 'Stopped');
    assert.deepEqual(second.proxy.writes.filter(({ isLease }) => !isLease).map(({ title }) => title), []); // prettier-ignore
    assert.equal(world.recorder.documents.length, seen);
    assert.deepEqual(await world.account(), account);
    await world.assertQuiet([second], 3_000);
  });
});
