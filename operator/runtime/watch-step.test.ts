import assert from 'node:assert/strict';
import type { Live } from './object.ts';
import { watchStep, type WatchEvent, type WatchState } from './watch-step.ts';

const item = (name: string, resourceVersion: string): Live => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion },
});
const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Live) =>
  ({ kind: 'event', event: { type, object } }) as const;
const bookmark = (version: string, isEnd: boolean) => {
  const made = item('', version);
  const annotations = isEnd ? { 'k8s.io/initial-events-end': 'true' } : {};
  const object = { ...made, metadata: { ...made.metadata, annotations } };
  return { kind: 'event', event: { type: 'BOOKMARK', object } as WatchEvent<Live> } as const;
};
const START = { at: 'Start' } as WatchState<Live>;
const FOLLOWING: WatchState<Live> = { at: 'Following', version: '7' };

describe('list and watch', () => {
  it('swaps the initial objects in whole, at the bookmark that ends them', () => {
    let state = START;
    for (const input of [event('ADDED', item('a', '1')), event('ADDED', item('b', '2')), bookmark('3', false)]) {
      const step = watchStep(state, input);
      assert.deepEqual(step.effects, []);
      state = step.state;
    }
    const { state: after, effects } = watchStep(state, bookmark('9', true));
    assert.deepEqual(after, { at: 'Following', version: '9' });
    assert.deepEqual(effects, [{ do: 'swap', items: [item('a', '1'), item('b', '2')] }]);
  });
  it('swaps in nothing where there is nothing', () => {
    assert.deepEqual(watchStep(START, bookmark('4', true)).effects, [{ do: 'swap', items: [] }]);
  });
  it('starts the list again when it was cut half-way', () => {
    const { state } = watchStep(START, event('ADDED', item('a', '1')));
    assert.deepEqual(watchStep(state, { kind: 'closed' }).state, START);
  });
  it('goes on from the last version after a cut', () => {
    const { state } = watchStep(FOLLOWING, event('MODIFIED', item('a', '12')));
    assert.deepEqual(watchStep(state, { kind: 'closed' }).state, { at: 'Following', version: '12' });
  });
  it('puts and drops while it follows, and moves on with bookmarks', () => {
    assert.deepEqual(watchStep(FOLLOWING, event('ADDED', item('a', '8'))).effects, [
      { do: 'put', item: item('a', '8') },
    ]);
    assert.deepEqual(watchStep(FOLLOWING, event('DELETED', item('a', '9'))).effects, [
      { do: 'drop', item: item('a', '9') },
    ]);
    assert.deepEqual(watchStep(FOLLOWING, bookmark('30', false)).state, { at: 'Following', version: '30' });
  });
  it('lists again when its version has expired, by answer or by event, and drops nothing meanwhile', () => {
    assert.deepEqual(watchStep(FOLLOWING, { kind: 'expired' }), { state: START, effects: [] });
    const gone = { kind: 'event', event: { type: 'ERROR', object: { code: 410 } } } as const;
    assert.deepEqual(watchStep(FOLLOWING, gone), { state: START, effects: [] });
  });
});
