// Two operators at once: killed, told to stop, frozen, or with a write that is still under way when the other has taken over.
import { setTimeout as delay } from 'node:timers/promises';
import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { RISK_PARAMS, TRADING_SYSTEMS } from '../../kinds.ts';
import { once } from '../once.ts';
import { aChild, type Child } from './child.ts';
import { aWorld, waitFor, type World } from './world.ts';

interface Two {
  readonly world: World;
  readonly leader: Child;
  readonly standby: Child;
}

/** All that it watches is there: it would act at once if it led. */
async function untilReady(child: Child): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const port = /"port":(\d+)/.exec(child.log())?.[1];
    const answer = port === undefined ? undefined : await fetch(`http://127.0.0.1:${port}/readyz`);
    if (answer?.ok === true) return;
    if (performance.now() > deadline) throw new Error(`not ready: ${await answer?.text()}`);
    await delay(50);
  }
}

/** The demo, Ready under the first of two processes; the second waits. */
async function inTwo<T>(test: (two: Two) => Promise<T>): Promise<T> {
  const world = await aWorld();
  const leader = await aChild(world, 'leader');
  await world.createReady();
  const standby = await aChild(world, 'standby');
  await untilReady(standby);
  try {
    return await test({ world, leader, standby });
  } catch (error) {
    throw new Error(`${String(error)}\n${leader.log()}\n${standby.log()}`, { cause: error });
  } finally {
    await Promise.all([leader.end(), standby.end()]);
    await world.leave();
  }
}

const changeRisk = ({ apply }: World, kellyFraction: number): Promise<void> =>
  apply(RISK_PARAMS, { positionSizing: { kellyFraction } });
const kellyOf = ({ recorder }: World): number | undefined =>
  recorder.document?.risk.params.positionSizing.kellyFraction;

/** How long after `act` the other has published what was changed right after it. */
async function takeOver({ world, standby }: Two, act: () => void): Promise<number> {
  const started = performance.now();
  act();
  await changeRisk(world, 0.15);
  await waitFor('published', () => kellyOf(world) === 0.15);
  // The one that stops may have published it yet: the other leads when it has written its Lease.
  await waitFor('the other leads', () => standby.proxy.writes.some(({ isLease }) => isLease));
  const tookMs = performance.now() - started;
  await world.settles('the change is acknowledged', () => true);
  return tookMs;
}

const documentsOf = ({ recorder }: World): readonly (readonly [number, number])[] =>
  recorder.documents.map(({ epoch, version }) => [epoch, version] as const);

/** Every write of the standby but to its Lease, and Events. */
const titlesOf = ({ proxy }: Child): string[] =>
  proxy.writes.filter(({ isLease, isEvent }) => !isLease && !isEvent).map(({ title }) => title);

const AFTER_RISK = ['PATCH riskparams/demo/status', 'PATCH tradingsystems/demo/status', 'PUT configmaps/demo-desired'];

const killed = () =>
  inTwo(async (two) => {
    const tookMs = await takeOver(two, () => two.leader.signal('SIGKILL'));
    return {
      tookMs,
      documents: documentsOf(two.world),
      titles: titlesOf(two.standby),
      pods: two.world.players.podsMade,
    };
  });

const stopped = () =>
  inTwo(async (two) => {
    const tookMs = await takeOver(two, () => two.leader.signal('SIGTERM'));
    return { tookMs, code: await two.leader.ended, contents: two.world.recorder.documents.length };
  });

const frozen = () =>
  inTwo(async (two) => {
    const { world, leader, standby } = two;
    const tookMs = await takeOver(two, () => leader.signal('SIGSTOP'));
    const before = leader.proxy.writes.length;
    await changeRisk(world, 0.14);
    leader.signal('SIGCONT');
    await changeRisk(world, 0.13);
    const code = await leader.ended;
    await world.settles('the last change', () => kellyOf(world) === 0.13);
    const late = leader.proxy.writes.slice(before).map(({ title }) => title);
    return {
      tookMs,
      code,
      late,
      epochs: world.recorder.documents.map(({ epoch }) => epoch),
      standby: titlesOf(standby),
      violations: world.recorder.violations,
    };
  });

/** All at once: they wait for leases, not for the machine. */
const cases = once(() => {
  const all = { killed: killed(), stopped: stopped(), frozen: frozen() };
  for (const one of Object.values(all)) one.catch(() => undefined); // told by its own test
  return all;
});

/** A multiple of how long it takes, which is measured in bench/: what never comes does not come by then. */
const SOON_MS = 60_000;

describe('two operators', () => {
  before(() => void cases());

  it('the leader is killed: the other acts once its Lease is over, does what is to be done once, and touches nothing else', async () => {
    const { tookMs, documents, titles, pods } = await cases().killed;
    assert.ok(tookMs < SOON_MS, `${tookMs} ms`);
    assert.ok(tookMs > 5_000, `${tookMs} ms: not before the Lease is over`);
    assert.deepEqual(documents, [[1, 1], [2, 1]]); // prettier-ignore
    assert.deepEqual([...new Set(titles)].sort(), AFTER_RISK);
    assert.equal(pods.length, 7);
  });

  it('the leader is told to stop: the other acts before the Lease would be over, and the change in between is published once', async () => {
    const { tookMs, code, contents } = await cases().stopped;
    assert.ok(tookMs < 10_000, `${tookMs} ms`); // left alone it lasts for 13 s and more
    assert.equal(code, 0);
    assert.equal(contents, 2);
  });

  it('the leader is frozen and wakes when another leads: it writes nothing more, and ends', async () => {
    const { tookMs, code, late, epochs, violations } = await cases().frozen;
    assert.ok(tookMs < SOON_MS, `${tookMs} ms`);
    assert.equal(code, 1);
    assert.deepEqual(late, []);
    // One document under the first; two changes that are close together may be one document.
    assert.deepEqual(epochs, [1, ...epochs.slice(1).map(() => 2)]);
    assert.deepEqual(violations, []);
  });

  for (const [title, change] of [
    ['PUT configmaps/demo-desired', { trading: 'Stopped' }],
    ['PATCH tradingsystems/demo/status', { trading: 'Stopped' }],
  ] as const)
    it(`a write is under way when another has taken over, and arrives late: ${title} is refused`, async () => {
      const world = await aWorld();
      const first = await world.operator('first');
      await world.createReady();
      const { promise: until, resolve: release } = Promise.withResolvers<void>();
      let isHeld = false;
      first.proxy.onRequest = (request) => {
        // From then on its Lease is out of its reach.
        if (isHeld) return request.isLease ? { do: 'stall' } : undefined;
        if (request.title !== title) return undefined;
        isHeld = true;
        return { do: 'hold', until };
      };
      await world.apply(TRADING_SYSTEMS, change);
      await waitFor('a write on its way', () => isHeld);
      await world.expireLease();
      const second = await world.operator('second');
      await world.apply(TRADING_SYSTEMS, { trading: 'Enabled' });
      await changeRisk(world, 0.12);
      await world.settles(
        'the second has done it',
        () => kellyOf(world) === 0.12 && world.recorder.document?.epoch === 2,
      );
      const account = await world.account();
      const before = first.proxy.writes.length;
      release();
      await world.assertQuiet([second], 3_000);
      assert.deepEqual(first.proxy.writes.slice(before).map((one) => one.title), []); // prettier-ignore
      assert.deepEqual(await world.account(), account);
      assert.deepEqual(world.players.paramServer.refused, []);
      await world.leave();
    });
});
