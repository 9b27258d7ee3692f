// The operator's wall clock is set an hour forth or back while it runs. Its own waiting, its Lease and its back-off go by another
// clock and are as they were; Holds with an end go by the wall clock, whatever it says.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { HOLDS, RISK_PARAMS } from '../../kinds.ts';
import { aWorld, waitFor, type Behind, type World } from './world.ts';

const HOUR_MS = 3_600_000;

describe('the wall clock is set', () => {
  let world: World;
  let operator: Behind;
  let aheadMs = 0;
  const now = (): number => Date.now() + aheadMs;
  const until = (ms: number): string => new Date(now() + ms).toISOString();
  const holds = (): string => world.recorder.document?.holds.map(({ id }) => id).join() ?? '';
  const reasonOf = (name: string): string | undefined => {
    const [hold] = [...world.recorder.holds.all()].filter(({ metadata }) => metadata.name === name);
    return hold?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
  };
  let kellyFraction = 0.1;
  const change = async (): Promise<void> => {
    kellyFraction += 0.001;
    await world.apply(RISK_PARAMS, { positionSizing: { kellyFraction } });
    const isThere = (): boolean => world.recorder.document?.risk.params.positionSizing.kellyFraction === kellyFraction;
    await waitFor('the change is published', isThere);
  };

  beforeEach(async () => {
    aheadMs = 0;
    world = await aWorld();
    operator = await world.operator('first', { now });
    await world.createReady();
  });
  afterEach(() => world.leave());

  for (const [title, byMs] of [
    ['forth', HOUR_MS],
    ['back', -HOUR_MS],
  ] as const)
    // prettier-ignore
    it(`an hour ${title}: changes are published and told, the Lease is kept, and nothing is written when idle`, async () => {
      await change();
      aheadMs = byMs;
      await delay(12_500); // longer than a leader goes on without renewing its Lease
      await change();
      await world.settles('told', () => true);
      assert.equal(world.recorder.document?.epoch, 1);
      await world.assertQuiet([operator], 2_000);
    });

  it('forth: a Hold whose end is passed so is over, one without end stays; back again, it is in force again', async () => {
    await world.apply(HOLDS, {}, 'for-good');
    await world.apply(HOLDS, { until: until(HOUR_MS / 2) }, 'half-an-hour');
    await world.settles('both are in force', () => holds() === 'for-good,half-an-hour');
    aheadMs = HOUR_MS;
    await change();
    await world.settles('one is over', () => holds() === 'for-good' && reasonOf('half-an-hour') === 'Over');
    aheadMs = 0;
    await change();
    await world.settles(
      'it is in force',
      () => holds() === 'for-good,half-an-hour' && reasonOf('half-an-hour') === 'InForce',
    );
  });

  it('back: a Hold ends when its time comes by the clock as it is then', async () => {
    aheadMs = -HOUR_MS;
    await world.apply(HOLDS, { until: until(10_000) }, 'soon');
    await world.settles('in force', () => holds() === 'soon');
    await waitFor('over', () => holds() === '' && reasonOf('soon') === 'Over');
  });

  it('was ahead at the leader before: what it published last is told by the next as any other', async () => {
    aheadMs = HOUR_MS;
    world.players.paramServer.isAway = true;
    await change();
    await operator.end();
    aheadMs = 0;
    await world.operator('second', { now });
    const system = () => [...world.recorder.systems.all()][0];
    const ready = () => system()?.status?.conditions?.find(({ type }) => type === 'Ready');
    await waitFor('told that it is on its way', () => ready()?.reason === 'Propagating');
    world.players.paramServer.isAway = false;
    world.players.wake();
    await world.settles('acknowledged', () => true);
  });
});
