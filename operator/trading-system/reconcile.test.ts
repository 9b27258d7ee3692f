// The pass as a whole, on plain objects: what it decides is tested beside plan.ts and status.ts.
import assert from 'node:assert/strict';
import type { Api } from '../runtime/client.ts';
import type { Wanted } from '../runtime/object.ts';
import { aHold, IMAGES, KEY, live, NOW, theDemo } from '../test/builders.ts';
import { reconcileTradingSystem } from './reconcile.ts';

const echo = async (_resource: unknown, object: Wanted): Promise<never> => live(object);
const api = { apply: echo, create: echo, update: echo } as unknown as Api;

/** A pass of `tookMs` over the demo, from its plan on, with a Hold that ends `endsMs` after its start. */
function pass({ endsMs, tookMs }: { endsMs: number; tookMs: number }) {
  const stores = theDemo();
  stores.holds.put(aHold({ until: new Date(NOW + endsMs).toISOString() }));
  let looks = 0;
  return reconcileTradingSystem(KEY, {
    api,
    stores,
    events: { emit: () => undefined },
    images: IMAGES,
    lease: { epoch: 1, raise: () => Promise.resolve() },
    now: () => (looks++ === 0 ? NOW : NOW + tookMs),
  });
}

describe('a pass over a trading system', () => {
  it('is followed by another when something is due by itself', async () => {
    assert.deepEqual(await pass({ endsMs: 5_000, tookMs: 20 }), { kind: 'again', afterMs: 4_980 });
  });
  it('is followed by another at once where that came due while it went on', async () => {
    assert.deepEqual(await pass({ endsMs: 5, tookMs: 20 }), { kind: 'again', afterMs: 1 });
  });
});
