import assert from 'node:assert/strict';
import { holdSpec } from '@tradewind/crds/schema/hold.ts';
import type { Hold, TradingSystem } from '../kinds.ts';
import type { Wanted } from '../runtime/object.ts';
import {
  aHold,
  aTradingSystem,
  carryOut,
  KEY,
  live,
  NOW,
  planFor,
  reported,
  seenIn,
  theDemo,
} from '../test/builders.ts';
import { idleCommands, isDisabled, keepingAnnotators, type Command } from './annotations.ts';
import { makerOf } from './holds.ts';
import { pauseComplaints, planPause, resumeHint } from './pause.ts';

const PAUSE = 'tradewind.io/pause-router';
const UNTIL = 'tradewind.io/pause-router-until';

/** The demo as `annotations` have it; `status` undefined is the first sight. */
function annotated(annotations: Record<string, string>, status?: TradingSystem['status']): TradingSystem {
  const { metadata, ...system } = aTradingSystem({}, status);
  const fields = Object.fromEntries(Object.keys(annotations).map((name) => [`f:${name}`, {}]));
  const managedFields = [
    { manager: 'kubectl-annotate', operation: 'Update', fieldsV1: { 'f:metadata': { 'f:annotations': fields } } },
    { manager: 'helm', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:trading': {} } } },
  ];
  return keepingAnnotators(live({ ...system, metadata: { ...metadata, annotations, managedFields } } as never));
}
const SEEN: TradingSystem['status'] = { observedGeneration: 1 };
const told = (command: Command | undefined): TradingSystem['status'] => ({
  ...SEEN,
  ...(command === undefined ? {} : { commands: [command] }),
});

/** Stores with the demo so annotated, and `holds`. */
function storesWith(system: TradingSystem, holds: readonly (Hold | undefined)[] = []) {
  const stores = theDemo(system);
  for (const hold of holds) if (hold !== undefined) stores.holds.put(hold);
  return stores;
}
const planOf = (system: TradingSystem, ...holds: (Hold | undefined)[]) =>
  planPause(seenIn(storesWith(system, holds)), NOW);
const made = (wanted: Wanted | undefined): Hold | undefined => (wanted === undefined ? undefined : live(wanted));
const names = (holds: readonly Hold[]): string[] => holds.map(({ metadata }) => metadata.name);

describe('the annotation that pauses the router', () => {
  it('makes a Hold that the schema takes, with who and why, and is recorded with it', () => {
    const { create, command } = planOf(annotated({ [PAUSE]: 'spread looks wrong' }, SEEN));
    const hold = made(create)!;
    assert.deepEqual(holdSpec.parse(hold.spec), hold.spec);
    assert.deepEqual(
      [hold.spec?.effect, hold.spec?.reason, hold.spec?.systemRef.name, makerOf(hold)],
      ['PauseRouter', 'spread looks wrong', 'demo', 'annotation (kubectl-annotate)'],
    );
    assert.match(hold.metadata.name, /^demo-pause-router-[0-9a-f]{8}$/);
    assert.deepEqual(
      [command?.outcome, command?.hold, command?.by],
      ['Paused', hold.metadata.name, 'kubectl-annotate'],
    );
  });
  it('pauses at first sight too, as a pause only joins', () => {
    assert.equal(planOf(annotated({ [PAUSE]: 'x' })).command?.outcome, 'Paused');
  });
  for (const [title, reason, expected] of [
    ['without a text', '', 'no reason given'],
    ['whose text is longer than a Hold takes', '😀'.repeat(300), '😀'.repeat(256)],
    ['whose text only looks like the resume', 'False', 'False'],
  ] as const)
    it(`pauses ${title}`, () => {
      const { create } = planOf(annotated({ [PAUSE]: reason }, SEEN));
      assert.equal(made(create)?.spec?.reason, expected);
    });
  it('ends when pause-router-until says so', () => {
    const until = '2026-11-24T13:00:00Z';
    const system = annotated({ [PAUSE]: 'x', [UNTIL]: until }, SEEN);
    assert.equal(made(planOf(system).create)?.spec?.until, until);
    assert.deepEqual(pauseComplaints(seenIn(theDemo(system)), NOW), []);
  });
  for (const until of ['15m', '2026-11-24', '2026-11-24T13:00:00', '2026-11-24T23:59:60Z', ''])
    it(`pauses without end, and says so, where until is ${JSON.stringify(until)}`, () => {
      const system = annotated({ [PAUSE]: 'x', [UNTIL]: until }, SEEN);
      assert.equal(made(planOf(system).create)?.spec?.until, undefined);
      const [complaint] = pauseComplaints(seenIn(theDemo(system)), NOW);
      assert.ok(complaint?.includes(`${UNTIL}]: found ${JSON.stringify(until)}, expected a time`), complaint);
    });
  it('makes no second Hold for a value that was acted on: deleting the Hold was the resume, and it says so', () => {
    const { command } = planOf(annotated({ [PAUSE]: 'x' }, SEEN));
    const again = annotated({ [PAUSE]: 'x' }, told(command));
    assert.deepEqual(planOf(again), { create: undefined, remove: [], command });
    assert.match(pauseComplaints(seenIn(theDemo(again)), NOW).join(), /is spent/);
  });
  it('says that it is spent when the time of its Hold is over', () => {
    const ended = { [PAUSE]: 'x', [UNTIL]: new Date(NOW).toISOString() };
    const { create, command } = planOf(annotated(ended, SEEN));
    const stores = storesWith(annotated(ended, told(command)), [made(create)]);
    assert.match(pauseComplaints(seenIn(stores), NOW).join(), /is spent/);
    assert.deepEqual(pauseComplaints(seenIn(stores), NOW - 1), []);
    assert.equal(resumeHint(seenIn(stores), NOW), undefined);
    assert.match(resumeHint(seenIn(stores), NOW - 1) ?? '', /annotate tsys demo tradewind\.io\/pause-router=false/);
  });
  it('lifts nothing when it vanishes, and its value counts anew when it comes back', () => {
    const first = planOf(annotated({ [PAUSE]: 'x' }, SEEN));
    const gone = planOf(annotated({}, told(first.command)), made(first.create));
    assert.deepEqual(gone, { create: undefined, remove: [], command: undefined });
    assert.deepEqual(planOf(annotated({ [PAUSE]: 'x' }, told(gone.command))).create, first.create);
  });
  it('with another text makes another Hold, and gives up the first once every pod runs the second', () => {
    const first = planOf(annotated({ [PAUSE]: 'x' }, SEEN));
    const second = planOf(annotated({ [PAUSE]: 'y' }, told(first.command)), made(first.create));
    assert.notEqual(second.create?.metadata.name, first.create?.metadata.name);
    assert.deepEqual(second.remove, []);
    const stores = storesWith(annotated({ [PAUSE]: 'y' }, told(second.command)), [
      made(first.create),
      made(second.create),
      aHold({ effect: 'PauseRouter' }, 'mine'),
    ]);
    assert.deepEqual(planPause(seenIn(stores), NOW).remove, [], 'not published');
    const plan = planFor(seenIn(stores));
    carryOut(stores, plan);
    assert.deepEqual(planPause(seenIn(stores), NOW).remove, [], 'not acknowledged');
    const { status } = stores.systems.get(KEY)!;
    stores.systems.put(annotated({ [PAUSE]: 'y' }, { ...status, ...reported(plan.document!) }));
    assert.deepEqual(names(planPause(seenIn(stores), NOW).remove), [first.create?.metadata.name]);
  });
});

describe('the annotation that resumes', () => {
  const paused = planOf(annotated({ [PAUSE]: 'x' }, SEEN));
  it('deletes the Hold of the annotation and no other', () => {
    const mine = aHold({ effect: 'PauseRouter', reason: 'x' }, 'mine');
    const alike = aHold({ effect: 'PauseRouter', reason: 'another' }, paused.create?.metadata.name);
    const other = aHold({ effect: 'StopTrading', reason: 'x' }, paused.create?.metadata.name);
    for (const [hold, expected] of [
      [made(paused.create), [paused.create?.metadata.name]],
      [alike, []],
      [other, []],
    ] as const) {
      const plan = planOf(annotated({ [PAUSE]: 'false' }, told(paused.command)), hold, mine, aHold());
      assert.deepEqual([names(plan.remove), plan.command?.outcome], [expected, 'Resumed']);
    }
  });
  it('is recorded and not acted on at first sight, and says so', () => {
    for (const status of [undefined, { observedGeneration: -1 }])
      assert.equal(planOf(annotated({ [PAUSE]: 'false' }, status)).command?.outcome, 'Recorded');
    const { remove, command } = planOf(annotated({ [PAUSE]: 'false' }), made(paused.create));
    assert.deepEqual([remove, command?.outcome], [[], 'Recorded']);
    const again = annotated({ [PAUSE]: 'false' }, told(command));
    assert.deepEqual(planOf(again, made(paused.create)), { create: undefined, remove: [], command });
    assert.match(pauseComplaints(seenIn(theDemo(again)), NOW).join(), /at first sight/);
  });
  it('counts once: a pause that is made later by the same text is a pause', () => {
    const { command } = planOf(annotated({ [PAUSE]: 'false' }, told(paused.command)));
    assert.equal(
      planOf(annotated({ [PAUSE]: 'x' }, told(command))).create?.metadata.name,
      paused.create?.metadata.name,
    );
    assert.deepEqual(planOf(annotated({ [PAUSE]: 'false' }, told(command)), made(paused.create)).remove, []);
  });
});

describe('other annotations', () => {
  it('keep of managedFields only who owns ours', () => {
    const { metadata } = annotated({ [PAUSE]: 'x', 'other.io/a': 'b' });
    assert.deepEqual(metadata.managedFields, [
      {
        manager: 'kubectl-annotate',
        operation: 'Update',
        fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${PAUSE}`]: {} } } },
      },
    ]);
    assert.equal('managedFields' in annotated({}).metadata, false);
  });
  it('reset-breaker is recorded and not acted on, once per value', () => {
    const [command] = idleCommands(annotated({ 'tradewind.io/reset-breaker': '1' }, SEEN), NOW);
    assert.deepEqual([command?.name, command?.token, command?.outcome], ['reset-breaker', '1', 'Recorded']);
    const same = annotated({ 'tradewind.io/reset-breaker': '1' }, told(command));
    assert.deepEqual(idleCommands(same, NOW + 5), [command]);
    const next = annotated({ 'tradewind.io/reset-breaker': 'x'.repeat(500) }, told(command));
    assert.match(idleCommands(next, NOW)[0]?.token ?? '', /^[0-9a-f]{16}$/);
  });
  for (const [value, disabled] of [
    ['disabled', true],
    ['enabled', false],
    ['Disabled', true],
    [undefined, false],
  ] as const)
    it(`reconcile: ${value} is ${disabled ? 'disabled' : 'enabled'}`, () => {
      const system = annotated(value === undefined ? {} : { 'tradewind.io/reconcile': value });
      assert.equal(isDisabled(system), disabled);
    });
});
