// The pass as a whole, on plain objects: what it decides is tested beside plan.ts and status.ts.
import assert from 'node:assert/strict';
import type { Api } from '../runtime/client.ts';
import type { TradingSystem } from '../kinds.ts';
import { ApiError } from '../runtime/errors.ts';
import { keyOf, type Resource, type Wanted } from '../runtime/object.ts';
import type { Stores } from '../stores.ts';
import { aHold, aTradingSystem, carryOut, IMAGES, KEY, live, NOW, planFor, seenIn, theDemo } from '../test/builders.ts';
import { reconcileTradingSystem, type Deps } from './reconcile.ts';
import { Stopwatch } from './restart/stopwatch.ts';

const echo = async (_resource: unknown, object: Wanted): Promise<never> => live(object);
const api = { apply: echo, create: echo, update: echo } as unknown as Api;

/** A pass of `tookMs` over the demo, from its plan on, with a Hold that ends `endsMs` after its start. */
function pass({ endsMs, tookMs }: { endsMs: number; tookMs: number }) {
  const stores = theDemo();
  stores.holds.put(aHold({ until: new Date(NOW + endsMs).toISOString() }));
  let looks = 0;
  return reconcileTradingSystem(KEY, { ...deps(stores), api, now: () => (looks++ === 0 ? NOW : NOW + tookMs) });
}

/** What a pass over the demo writes, in order: verb, kind and name. `refused` is answered with 403. */
async function writesOf(stores: Stores, refused?: string): Promise<string[]> {
  const written: string[] = [];
  const write = (what: string, answer: Wanted): Promise<never> => {
    written.push(what);
    return what === refused ? Promise.reject(new ApiError(403, 'no')) : Promise.resolve(live(answer));
  };
  const verb =
    (name: string) =>
    (resource: Resource, object: Wanted, ...more: unknown[]): Promise<never> => {
      const what = `${resource.kind} ${object.metadata.name}`;
      if (!more.includes('status')) return write(`${name} ${what}`, object);
      const before = resource.kind === 'Hold' ? stores.holds.get(keyOf(object.metadata)) : stores.systems.get(KEY);
      return write(`status of ${what}`, { ...before!, ...object, metadata: before!.metadata });
    };
  const patchMetadata = (resource: Resource, { name }: { name: string }, metadata: object): Promise<never> => {
    const before = stores.systems.get(KEY)!;
    return write(`patch ${resource.kind} ${name}`, { ...before, metadata: { ...before.metadata, ...metadata } });
  };
  const api = { apply: verb('apply'), create: verb('create'), update: verb('update'), patchMetadata };
  await reconcileTradingSystem(KEY, { ...deps(stores), api: api as unknown as Api });
  return written;
}

const deps = (stores: Stores): Omit<Deps, 'api'> => ({
  stores,
  events: { emit: () => undefined },
  images: IMAGES,
  lease: { epoch: 1, raise: () => Promise.resolve() },
  stopwatch: new Stopwatch(),
  now: () => NOW,
});

/** The demo, running as planned, with its system changed by `edit`. */
function runningDemo(edit: (system: TradingSystem) => object = () => ({})): Stores {
  const stores = theDemo(aTradingSystem({}, { observedGeneration: 1 }));
  carryOut(stores, planFor(seenIn(stores)));
  const system = stores.systems.get(KEY)!;
  stores.systems.put(live({ ...system, metadata: { ...system.metadata, ...edit(system) } }));
  return stores;
}

describe('the order of writes', () => {
  it('of a new system begins with the finalizer; then its document', async () => {
    const system = aTradingSystem();
    const written = await writesOf(theDemo(live({ ...system, metadata: { ...system.metadata, finalizers: [] } })));
    assert.deepEqual(written.slice(0, 2), ['patch TradingSystem demo', 'create ConfigMap demo-desired']);
  });
  it('has nothing after a finalizer that is refused, but what tells of it', async () => {
    const system = aTradingSystem();
    const stores = theDemo(live({ ...system, metadata: { ...system.metadata, finalizers: [] } }));
    assert.deepEqual(await writesOf(stores, 'patch TradingSystem demo'), [
      'patch TradingSystem demo',
      'status of TradingSystem demo',
    ]);
  });
  it('has nothing between a Hold and the document that carries it', async () => {
    const stores = runningDemo();
    stores.holds.put(aHold());
    assert.equal((await writesOf(stores))[0], 'update ConfigMap demo-desired');
  });
  it('has only its Hold between a pause by annotation and the document that carries it', async () => {
    const stores = runningDemo(() => ({ annotations: { 'tradewind.io/pause-router': 'why' } }));
    const written = await writesOf(stores);
    assert.match(written[0] ?? '', /^create Hold demo-pause-router-/);
    assert.equal(written[1], 'update ConfigMap demo-desired');
    assert.equal(seenIn(stores).published?.holds[0]?.reason, 'why');
  });
  it('records no pause whose Hold was refused, so that the next pass tries again', async () => {
    const stores = runningDemo(() => ({ annotations: { 'tradewind.io/pause-router': 'why' } }));
    const [create] = await writesOf(stores);
    const refused = runningDemo(() => ({ annotations: { 'tradewind.io/pause-router': 'why' } }));
    await writesOf(refused, create);
    assert.deepEqual(refused.systems.get(KEY)?.status?.commands, undefined);
    assert.equal((await writesOf(refused))[0], create);
  });
  it('of a deletion that is over is the finalizer alone', async () => {
    const stores = runningDemo();
    const system = stores.systems.get(KEY)!;
    const deleted = { ...system.metadata, deletionTimestamp: new Date(NOW).toISOString() };
    stores.systems.put(live({ ...system, metadata: deleted }));
    assert.deepEqual(await writesOf(stores), ['update ConfigMap demo-desired', 'status of TradingSystem demo']);
    assert.deepEqual(await writesOf(stores), ['patch TradingSystem demo']);
  });
});

describe('a pass over a trading system', () => {
  it('is followed by another when something is due by itself', async () => {
    assert.deepEqual(await pass({ endsMs: 5_000, tookMs: 20 }), { kind: 'again', afterMs: 4_980 });
  });
  it('is followed by another at once where that came due while it went on', async () => {
    assert.deepEqual(await pass({ endsMs: 5, tookMs: 20 }), { kind: 'again', afterMs: 1 });
  });
});
