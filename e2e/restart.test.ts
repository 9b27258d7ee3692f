// The ordered restart in a whole cluster: its order from Events, what was decided from the journal's stream, and positions to the lot.
import assert from 'node:assert/strict';
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import type { Decision } from '@tradewind/workloads/contract/messages.ts';
import { before, describe, it } from 'mocha';
import { startDemo } from './cluster.ts';
import { eventually } from './kubectl.ts';
import {
  nextDecision,
  OPERATOR_NAMESPACE,
  positions,
  SYMBOLS,
  withFillsTo,
  type PodList,
  type System,
} from './system.ts';

type Restart = NonNullable<TradingSystemStatus['restart']>;
interface Live {
  readonly status?: TradingSystemStatus;
}
interface EventList {
  readonly items: readonly { readonly eventTime: string | null; readonly reason: string; readonly message: string }[];
}

const FULL = [
  'StopTrading', 'Drain', 'StopGateway', 'StopRouter', 'StopIngest', 'StopHarmoniser', 'RestartRedis', 'WaitRedis',
  'StartHarmoniser', 'StartIngest', 'StartRouter', 'StartGateway', 'VerifyDataFlow', 'ResumeTrading',
]; // prettier-ignore
const PARTS = ['gateway', 'router', 'ingest', 'harmoniser', 'redis'];

describe('the ordered restart of the demo', function () {
  let system: System;
  before(async () => {
    ({ system } = await startDemo());
    await patch({ restart: { settleSeconds: 2 } });
    await system.ready('tradingsystem');
  });

  const patch = (spec: object): Promise<string> =>
    system.kubectl.run(['patch', 'tsys', 'demo', '--type=merge', '-p', JSON.stringify({ spec })]);
  const ask = (value: string): Promise<string> =>
    system.kubectl.run(['annotate', 'tsys', 'demo', '--overwrite', `tradewind.io/restart=${value}`]);
  const restart = async (): Promise<Restart> =>
    (await system.kubectl.json<Live>(['get', 'tsys', 'demo'])).status?.restart ?? {};
  const ended = (is: (restart: Restart) => boolean): Promise<Restart> =>
    eventually(
      'the end of the restart',
      async () => {
        const found = await restart();
        return is(found) && found.endedAt !== undefined ? found : undefined;
      },
      { withinMs: 600_000 },
    );
  /** Or is over: nobody sees every step who looks by kubectl. */
  const hasBegun = (id: string, name: string): Promise<true> =>
    eventually(
      `${name} of ${id}`,
      async () => {
        const { id: found, steps = [] } = await restart();
        return found === id && steps.some((step) => step.name === name && step.startedAt !== undefined)
          ? true
          : undefined;
      },
      { everyMs: 50 },
    );
  const uids = async (): Promise<Map<string, string>> => {
    const { items } = await system.kubectl.json<PodList>(['get', 'pods', '-l', 'tradewind.io/system=demo']);
    const partOf = (name: string): string => PARTS.find((part) => name.includes(`-${part}-`)) ?? name;
    const live = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return new Map(live.map(({ metadata }) => [partOf(metadata.name), metadata.uid]));
  };
  const position = () =>
    eventually('a position', async () => {
      const found = await positions(system);
      return Object.values(found.lots).some((lots) => lots !== 0) ? found : undefined;
    }, { withinMs: 600_000 }); // prettier-ignore
  const assertInOrder = ({ steps = [] }: Restart, names: readonly string[]): void => {
    assert.deepEqual(steps.map(({ name, state }) => `${name} ${state}`), names.map((name) => `${name} Done`)); // prettier-ignore
    for (const [i, step] of steps.entries()) {
      const next = steps[i + 1];
      if (next !== undefined) assert.ok(step.endedAt! <= next.startedAt!, `${step.name} overlaps ${next.name}`);
    }
  };

  it('stops trading first, goes through every part in order, and trades on with its positions', async () => {
    const held = await position();
    const before = await uids();
    const asked = Date.now();
    await ask(`a${asked}`);
    const done = await ended(({ id }) => id === `a${asked}`);
    await system.ready('tradingsystem');
    assert.equal(done.state, 'Done');
    assertInOrder(done, FULL);
    // A multiple of what it takes on such a machine as nobody else uses: less than a minute.
    assert.ok(Date.parse(done.endedAt!) - Date.parse(done.startedAt!) < 240_000);
    const after = await uids();
    for (const part of PARTS) assert.notEqual(after.get(part), before.get(part), part);
    for (const symbol of SYMBOLS) {
      const decision = await nextDecision(system, symbol);
      assert.equal(decision.blockedBy.includes('TradingStopped'), false);
    }
    const kept = await positions(system);
    assert.deepEqual(kept.lots, await withFillsTo(system, held, kept));
    assert.deepEqual(await openedBetween(done), []);
  });

  it('tells its story in Events, one step after the other', async () => {
    const { id } = await restart();
    const began = await eventually('all of it', async () => {
      const { items } = await system.kubectl.json<EventList>(['get', 'events']);
      const found = items.filter(
        ({ reason, message }) => FULL.includes(reason) && message === `restart ${id}: ${reason} began`,
      );
      return found.length >= FULL.length ? found : undefined;
    });
    began.sort((a, b) => ((a.eventTime ?? '') < (b.eventTime ?? '') ? -1 : 1));
    assert.deepEqual(began.map(({ reason }) => reason), FULL, id); // prettier-ignore
  });

  it('restarts only the part whose pods change', async () => {
    const before = await uids();
    await patch({ components: { router: { resources: { requests: { cpu: '101m' } } } } });
    const done = await ended(
      ({ cause, steps }) => cause === 'Rollout' && steps?.some(({ name }) => name === 'StopRouter') === true,
    );
    assertInOrder(done, ['StopTrading', 'Drain', 'StopRouter', 'StartRouter', 'VerifyDataFlow', 'ResumeTrading']);
    const after = await uids();
    assert.deepEqual(PARTS.filter((part) => after.get(part) !== before.get(part)), ['router']); // prettier-ignore
  });

  it('goes on at the same step when every operator is killed in its midst, and does nothing twice', async () => {
    const asked = `b${Date.now()}`;
    await ask(asked);
    for (const step of ['StopIngest', 'StartHarmoniser']) {
      await hasBegun(asked, step);
      await system.kubectl.run(['-n', OPERATOR_NAMESPACE, 'delete', 'pod', '--all', '--force', '--grace-period=0']);
    }
    const done = await ended(({ id }) => id === asked);
    assertInOrder(done, FULL);
    await system.ready('tradingsystem');
  });

  it('is aborted by a word: all is up, and trading resumes', async () => {
    const asked = `c${Date.now()}`;
    await ask(asked);
    await hasBegun(asked, 'StopIngest');
    await ask('abort');
    const done = await ended(({ id }) => id === asked);
    assert.equal(done.state, 'Aborted');
    await system.ready('tradingsystem');
    assert.equal((await nextDecision(system, 'BTC-USD')).blockedBy.includes('TradingStopped'), false);
  });

  /** Decisions that opened something after trading was proven stopped and before it resumed. */
  async function openedBetween({ steps = [] }: Restart): Promise<Decision[]> {
    const timeOf = (name: string, end: 'startedAt' | 'endedAt'): number =>
      Date.parse(steps.find((step) => step.name === name)?.[end] ?? '');
    const [from, to] = [timeOf('StopTrading', 'endedAt'), timeOf('ResumeTrading', 'startedAt')];
    const all = await Promise.all(SYMBOLS.map((symbol) => system.newest<Decision>(`decisions:{${symbol}}`, 5_000)));
    const between = all.flat().filter(({ id }) => Number(id.split('-')[0]) > from && Number(id.split('-')[0]) < to);
    assert.ok(between.length > 0, 'decisions were taken meanwhile');
    return between
      .map(({ data }) => data)
      .filter(({ held, order }) => order !== undefined && (held === 0 || order.side === (held > 0 ? 'buy' : 'sell')));
  }
});
