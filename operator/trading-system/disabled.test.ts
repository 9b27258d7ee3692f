import assert from 'node:assert/strict';
import type { TradingSystem } from '../kinds.ts';
import {
  aHold,
  aTradingSystem,
  carryOut,
  IMAGES,
  live,
  NOW,
  planFor,
  seenIn,
  statusOf,
  theDemo,
} from '../test/builders.ts';
import { planDisabled } from './disabled.ts';
import type { Plan } from './plan.ts';
import { PUBLISHED_AT } from './proof.ts';

/** The demo's system, switched off by kubectl annotate. */
interface Options {
  readonly value?: string;
  readonly status?: TradingSystem['status'];
  readonly more?: Record<string, string>;
}
function aDisabledSystem(spec: object = {}, { value = 'disabled', status = {}, more = {} }: Options = {}) {
  const { metadata, ...system } = aTradingSystem(spec, status);
  const annotation = 'tradewind.io/reconcile';
  const fieldsV1 = { 'f:metadata': { 'f:annotations': { [`f:${annotation}`]: {} } } };
  const managedFields = [{ manager: 'kubectl-annotate', operation: 'Update', fieldsV1 }];
  const annotated = { ...metadata, annotations: { [annotation]: value, ...more }, managedFields };
  return live({ ...system, metadata: annotated });
}

/** The demo, running, then switched off with its spec changed. */
function disabledDemo(spec: object = {}, options: Options = {}) {
  const stores = theDemo();
  carryOut(stores, planFor(seenIn(stores)));
  stores.systems.put(aDisabledSystem(spec, options));
  return stores;
}
const planIn = (stores: ReturnType<typeof theDemo>): Plan =>
  planDisabled(seenIn(stores), { images: IMAGES, epoch: 1, now: NOW });
const statusIn = (stores: ReturnType<typeof theDemo>) => statusOf(seenIn(stores), planIn(stores));
const conditionIn = (stores: ReturnType<typeof theDemo>, type: string) =>
  statusIn(stores).conditions?.find((condition) => condition.type === type);

describe('a system whose reconcile is disabled', () => {
  it('has nothing to tell but that, and by whom, where nothing waits', () => {
    const stores = disabledDemo();
    const { document, children, surplus, secret, blockers } = planIn(stores);
    assert.deepEqual([document, children, surplus, secret, blockers], [undefined, [], [], undefined, []]);
    assert.equal(conditionIn(stores, 'Disabled')?.status, 'True');
    assert.match(
      conditionIn(stores, 'Disabled')?.message ?? '',
      /^tradewind\.io\/reconcile=disabled by kubectl-annotate:/,
    );
    assert.equal(statusIn(stores).ready, '7/7');
  });
  it('changes no object and no parameter, and names what waits', () => {
    const stores = disabledDemo({ capitalUsd: 5, sources: [{ name: 'b', type: 'binance', symbols: {} }] });
    stores.children.Deployment.swap([]);
    const { document, children, surplus, blockers } = planIn(stores);
    assert.deepEqual([document, children, surplus], [undefined, [], []]);
    assert.equal(blockers[0]?.reason, 'Disabled');
    for (const waits of ['the desired document', 'Deployment demo-router-0', 'Service demo-simulator'])
      assert.ok(blockers[0].message.includes(waits), `${waits} in ${blockers[0].message}`);
    assert.equal(conditionIn(stores, 'Ready')?.reason, 'Disabled');
  });
  it('carries Holds, and a stop, and no more than these', () => {
    const stores = disabledDemo({ trading: 'Stopped', capitalUsd: 5 });
    stores.holds.put(aHold({ effect: 'CapKelly', kellyFraction: 0.01 }));
    const { document } = planIn(stores);
    assert.deepEqual([document?.trading, document?.holds.length, document?.capitalUsd], ['Stopped', 1, 1_000_000]);
    assert.equal(conditionIn(stores, 'TradingEnabled')?.reason, 'StoppedBySpec');
  });
  it('is not enabled to trade', () => {
    const stores = theDemo(aTradingSystem({ trading: 'Stopped' }));
    carryOut(stores, planFor(seenIn(stores)));
    stores.systems.put(aDisabledSystem());
    assert.equal(planIn(stores).document, undefined);
    assert.equal(conditionIn(stores, 'TradingEnabled')?.reason, 'Disabled');
  });
  it('gets nothing at all where it is new', () => {
    const { document, children, secret } = planIn(theDemo(aDisabledSystem()));
    assert.deepEqual([document, children, secret], [undefined, [], undefined]);
  });
  it('gets a document that says Stopped where its own is lost, so that Holds still reach the pods', () => {
    const stores = disabledDemo({}, { status: { desired: { epoch: 1, version: 4, hash: 'x' } } });
    stores.children.ConfigMap.swap([]);
    stores.holds.put(aHold({ effect: 'PauseRouter' }));
    const { document } = planIn(stores);
    assert.deepEqual([document?.trading, document?.holds.length, document?.version], ['Stopped', 1, 5]);
  });
  it('begins no restart, neither for a request nor for a new template, and says that one waits', () => {
    const requested = disabledDemo({}, { status: { observedGeneration: 1 }, more: { 'tradewind.io/restart': '1' } });
    const templates = disabledDemo({ logging: { level: 'debug' } }, { status: { observedGeneration: 1 } });
    for (const stores of [requested, templates]) {
      const { restart, blockers, children } = planIn(stores);
      assert.deepEqual([restart, children], [undefined, []]);
      assert.deepEqual(blockers.map(({ reason }) => reason), ['Disabled']); // prettier-ignore
      assert.match(blockers[0]?.message ?? '', /an ordered restart/);
    }
  });
  it('takes note of a request that was there at first sight', () => {
    const { restart } = planIn(theDemo(aDisabledSystem({}, { more: { 'tradewind.io/restart': '1' } })));
    assert.deepEqual(restart, { requested: '1' });
  });
  it('does not call aborted what waits, though the document is still on its way', () => {
    const stores = disabledDemo({ logging: { level: 'debug' } }, { status: { observedGeneration: 1 } });
    const map = stores.children.ConfigMap.get('trading/demo-desired')!;
    const annotations = { [PUBLISHED_AT]: new Date(NOW - 1).toISOString() };
    stores.children.ConfigMap.put(live({ ...map, metadata: { ...map.metadata, annotations } }));
    assert.deepEqual(planIn(stores).blockers.map(({ reason }) => reason), ['Disabled']); // prettier-ignore
    const enabled = planFor(seenIn(stores));
    assert.deepEqual(enabled.blockers.map(({ who, reason }) => [who, reason]), [['others', 'Restarting']]); // prettier-ignore
  });
  it('lets a restart stand still where it is, with trading stopped', () => {
    const stores = disabledDemo({}, { status: { observedGeneration: 1 }, more: { 'tradewind.io/restart': '1' } });
    const { restart } = planFor(seenIn(stores));
    stores.systems.put(aDisabledSystem({}, { status: { observedGeneration: 1, restart: restart! } }));
    const plan = planIn(stores);
    assert.deepEqual([plan.restart, plan.document?.trading], [restart, 'Stopped']);
    assert.deepEqual(plan.blockers.map(({ reason }) => reason), ['Disabled', 'Restarting']); // prettier-ignore
    assert.equal(statusIn(stores).phase, 'Restarting');
  });
  it('is so by any other value too, which is told', () => {
    const message = conditionIn(disabledDemo({}, { value: 'off' }), 'Disabled')?.message ?? '';
    assert.match(message, /annotations\[tradewind\.io\/reconcile\]: found "off", expected enabled or disabled/);
  });
  it('says since when, whatever else happens', () => {
    const stores = disabledDemo();
    const first = statusIn(stores);
    stores.systems.put(aDisabledSystem({ capitalUsd: 5 }, { status: first }));
    const later = statusOf(seenIn(stores), planIn(stores), NOW + 60_000);
    const since = later.conditions?.find(({ type }) => type === 'Disabled')?.lastTransitionTime;
    assert.equal(since, new Date(NOW).toISOString());
  });
});
