// The router paused by annotation, against a real API server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { HoldSpec, HoldStatus } from '@tradewind/crds/schema/hold.ts';
import type { Command } from '../../trading-system/annotations.ts';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

interface HoldObject {
  readonly metadata: { readonly name: string };
  readonly spec: HoldSpec;
  readonly status?: HoldStatus;
}

describe('the annotation pause-router', () => {
  let place: Place;
  let running: Running;
  const pause = (value: string) =>
    place.kubectl(['annotate', 'tsys', 'demo', `tradewind.io/pause-router=${value}`, '--overwrite']);
  const holds = async (): Promise<HoldObject[]> => (await place.json<{ items: HoldObject[] }>('get', 'holds')).items;
  const reasons = async (): Promise<string[]> => (await place.published()).holds.map(({ reason }) => reason);
  const command = async (): Promise<Command | undefined> =>
    (await place.json<{ status?: { commands?: Command[] } }>('get', 'tsys', 'demo')).status?.commands?.[0];
  const outcome = (expected: string | undefined) =>
    becomes(`outcome ${expected}`, async () => (await command())?.outcome === expected);
  const router = async () => (await place.condition('tsys', 'RouterActive'))?.message ?? '';

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem();
    await becomes('a status', async () => (await place.condition('tsys', 'RouterActive'))?.status === 'True');
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });

  it('makes a Hold that is published, with who and why in every status', async () => {
    await pause('spread looks wrong');
    await becomes('published', async () => (await reasons()).join() === 'spread looks wrong');
    await outcome('Paused');
    await place.acknowledge();
    const by = 'annotation (kubectl-annotate)';
    const [hold] = await eventually('in force', async () => {
      const found = await holds();
      return found[0]?.status?.conditions?.some(({ reason }) => reason === 'InForce') === true ? found : undefined;
    });
    assert.deepEqual([hold?.status?.by, hold?.spec.effect], [by, 'PauseRouter']);
    const { status } = await place.json<{ status: { router: string; holds: object[] } }>('get', 'tsys', 'demo');
    assert.equal(status.router, 'Paused');
    assert.deepEqual(status.holds, [
      { name: hold?.metadata.name, effect: 'PauseRouter', by, reason: 'spread looks wrong' },
    ]);
    assert.match(await router(), /kubectl annotate tsys demo tradewind\.io\/pause-router=false --overwrite/);
  });
  it('goes over to another text without a gap', async () => {
    const gaps: string[] = [];
    const undo = running.operator.stores.children.ConfigMap.onChange(({ data }) => {
      const text = data?.['desired.json'];
      if (text !== undefined && !text.includes('PauseRouter')) gaps.push(text);
    });
    await pause('still wrong');
    await becomes('both', async () => (await reasons()).length === 2);
    await place.acknowledge();
    await becomes('one', async () => (await reasons()).join() === 'still wrong');
    undo();
    assert.deepEqual(gaps, []);
  });
  it('lifts nothing when it vanishes', async () => {
    await place.kubectl(['annotate', 'tsys', 'demo', 'tradewind.io/pause-router-']);
    await outcome(undefined);
    assert.deepEqual(await reasons(), ['still wrong']);
  });
  it('"false" lifts that one Hold, and no other', async () => {
    await place.createHold('mine', { effect: 'PauseRouter', reason: 'mine' });
    await pause('false');
    await becomes('lifted', async () => (await reasons()).join() === 'mine');
    await outcome('Resumed');
    await place.kubectl(['delete', 'hold', 'mine']);
  });
  it('pauses again by a text that it had before, and deleting its Hold resumes for good', async () => {
    await pause('still wrong');
    await becomes('published', async () => (await reasons()).join() === 'still wrong');
    await outcome('Paused');
    await place.kubectl(['delete', 'holds', '--all']);
    await becomes('lifted', async () => (await reasons()).length === 0);
    await place.kubectl(['annotate', 'tsys', 'demo', `touched=${Date.now()}`]);
    await becomes('told', async () => (await router()).includes('is spent'));
    assert.deepEqual(await holds(), []);
  });
  it('is not taken for done where something else has the name of its Hold', async () => {
    await pause('by name');
    const name = await eventually('its Hold', async () => (await place.published()).holds[0]?.id);
    await pause('false');
    await outcome('Resumed');
    await place.createHold(name, { effect: 'CapKelly', kellyFraction: 1, reason: 'by name' });
    await pause('by name');
    await becomes('told', async () => (await place.condition('tsys', 'Ready'))?.message.includes(`Hold ${name}: `));
    assert.equal((await command())?.outcome, 'Resumed');
    await place.kubectl(['delete', 'hold', name]);
    await outcome('Paused');
    assert.deepEqual((await place.published()).holds.map(({ effect }) => effect), ['PauseRouter']); // prettier-ignore
    await pause('false');
    await outcome('Resumed');
  });
  it('ends by itself at pause-router-until, which is told where it cannot be read', async () => {
    // Longer than it takes to be published, on any machine.
    const until = new Date(Date.now() + 8_000).toISOString();
    await place.kubectl(['annotate', 'tsys', 'demo', `tradewind.io/pause-router-until=${until}`]);
    await pause('for a while');
    await becomes('published', async () => (await place.published()).holds[0]?.until === until);
    await becomes('over', async () => (await reasons()).length === 0);
    assert.ok(Date.now() >= Date.parse(until));
    await becomes('told', async () => (await holds())[0]?.status?.conditions?.[0]?.reason === 'Over');
    await place.kubectl(['annotate', 'tsys', 'demo', 'tradewind.io/pause-router-until=15m', '--overwrite']);
    await becomes('without end', async () => {
      const [hold] = (await place.published()).holds;
      return hold?.reason === 'for a while' && hold.until === undefined;
    });
    await becomes('told', async () => (await router()).includes('found "15m", expected a time such as'));
  });
  it('is told of in Events', async () => {
    const { items } = await place.json<{ items: { reason: string; note?: string; message?: string }[] }>(
      'get',
      'events',
    );
    const told = items.map(({ reason, note, message }) => `${reason} ${note ?? message}`).join('\n');
    assert.match(told, /Paused annotation tradewind\.io\/pause-router by kubectl-annotate: Hold demo-pause-router-/);
    assert.match(
      told,
      /Resumed annotation tradewind\.io\/pause-router by kubectl-annotate: the Hold that it had made is deleted/,
    );
  });
  it('of a restored object pauses, but "false" lifts nothing', async () => {
    await stop(running);
    await place.kubectl(['delete', 'tsys', 'demo', '--wait=false']);
    await place.kubectl(['patch', 'tsys', 'demo', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await place.createSystem('demo', {}, { 'tradewind.io/pause-router': 'false' });
    running = await place.start('operator-2');
    await outcome('Recorded');
    assert.deepEqual(await reasons(), ['for a while']);
  });
});
