// A system of topology Fused on a real API server: one pod per shard from nothing to Ready, through an ordered restart, and no way to
// the other topology.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import type { Players } from '../players.ts';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

interface Named {
  readonly metadata: { readonly name: string; readonly uid: string };
}

describe('a fused system', () => {
  let place: Place;
  let running: Running;
  let players: Players;
  const named = async (kind: string): Promise<string[]> =>
    (await place.json<{ items: Named[] }>('get', kind)).items.map(({ metadata }) => metadata.name).sort();
  const status = async (): Promise<TradingSystemStatus> =>
    (await place.json<{ status: TradingSystemStatus }>('get', 'tsys', 'demo')).status;
  const isReady = () => becomes('Ready', async () => (await place.condition('tsys', 'Ready'))?.status === 'True');

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    players = await place.play();
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem('demo', { topology: 'Fused', shards: 2, restart: { drainSeconds: 0, settleSeconds: 0 } });
  });
  after(async () => {
    await stop(running);
    await players.stop();
    await place.leave();
  });

  it('is Ready with a pod for each shard, each of which has acknowledged once', async () => {
    await isReady();
    assert.deepEqual(await named('deploy'), ['demo-fused-0', 'demo-fused-1', 'demo-gateway', 'demo-param-server', 'demo-simulator']); // prettier-ignore
    assert.deepEqual(await named('pvc'), ['demo-fused-0', 'demo-fused-1']);
    const { runtime, components } = await status();
    assert.deepEqual([runtime?.acks?.acked, runtime?.acks?.expected], [2, 2]);
    assert.deepEqual(components?.flatMap(({ part, shard }) => (shard === undefined ? [] : [`${part} ${shard}`])), ['fused 0', 'fused 1']); // prettier-ignore
  });
  it('restarts in order: gateway, its shards, Redis, and back', async () => {
    const { length } = players.podsMade;
    await place.kubectl(['annotate', 'tsys', 'demo', 'tradewind.io/restart=monday']);
    await becomes('done', async () => (await status()).restart?.state === 'Done', 200_000);
    const steps = (await status()).restart?.steps?.map(({ name }) => name);
    assert.deepEqual(steps, ['StopTrading', 'Drain', 'StopGateway', 'StopFused', 'RestartRedis', 'WaitRedis', 'StartFused', 'StartGateway', 'VerifyDataFlow', 'ResumeTrading']); // prettier-ignore
    const made = players.podsMade.slice(length).map((name) => name.replace(/-\d+$/, ''));
    assert.deepEqual(made, ['demo-redis', 'demo-fused-0', 'demo-fused-1', 'demo-gateway']);
    await isReady();
  });
  it('does not become Split while it runs, and is as it was once that is taken back', async () => {
    const before = await place.json<Named>('get', 'deploy', 'demo-fused-0');
    await place.patch('tsys', { topology: 'Split' });
    const stalled = await eventually('Stalled', async () => {
      const condition = await place.condition('tsys', 'Stalled');
      return condition?.status === 'True' ? condition : undefined;
    });
    assert.equal(stalled.reason, 'NotYet');
    assert.match(stalled.message, /spec\.topology: found Split, .* expected Fused/);
    await place.patch('tsys', { topology: 'Fused' });
    await isReady();
    assert.equal((await place.json<Named>('get', 'deploy', 'demo-fused-0')).metadata.uid, before.metadata.uid);
    assert.equal((await named('deploy')).length, 5);
  });
});
