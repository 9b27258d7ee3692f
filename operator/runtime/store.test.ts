import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Live } from './object.ts';
import { isLater } from './object.ts';
import { isSameJson, Store } from './store.ts';

const item = (
  name: string,
  resourceVersion: string,
  more: { uid?: string; group?: string; namespace?: string } = {},
): Live => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace: more.namespace ?? 'n',
    uid: more.uid ?? 'u',
    resourceVersion,
    labels: { group: more.group ?? 'g' },
  },
});
const aStore = () => new Store<Live>({ groupOf: ({ metadata }) => metadata.labels?.['group'] });
const versions = (store: Store<Live>) => [...store.all()].map(({ metadata }) => metadata.resourceVersion);

describe('a store', () => {
  it('drops the late echo of what it has already', () => {
    const store = aStore();
    store.put(item('a', '10'));
    store.put(item('a', '9'));
    assert.deepEqual(versions(store), ['10']);
  });
  it('takes an object made anew under the same name, whatever its version', () => {
    const store = aStore();
    store.put(item('a', '10'));
    store.put(item('a', '9', { uid: 'other' }));
    assert.deepEqual(versions(store), ['9']);
    store.drop(item('a', '12'));
    assert.deepEqual(versions(store), ['9'], 'the removal of the old one does not remove the new one');
  });
  it('tells each change once, and removals too', () => {
    const store = aStore();
    const told: string[] = [];
    store.onChange(({ metadata }) => told.push(metadata.resourceVersion));
    store.put(item('a', '1'));
    store.put(item('a', '1'));
    store.swap([item('b', '2')]);
    assert.deepEqual(told, ['1', '2', '1']);
  });
  it('keeps the very spec through a write of status, and takes a changed one', () => {
    const store = aStore();
    const withSpec = (resourceVersion: string, replicas: number) => ({
      ...item('a', resourceVersion),
      spec: { replicas },
    });
    const specOf = () => (store.get('n/a') as Live & { spec: object }).spec;
    store.put(withSpec('1', 1));
    const first = specOf();
    store.put(withSpec('2', 1));
    assert.equal(specOf(), first);
    store.put(withSpec('3', 2));
    assert.deepEqual(specOf(), { replicas: 2 });
  });
  it('finds items by group, also after they moved', () => {
    const store = aStore();
    store.put(item('a', '1', { group: 'x' }));
    store.put(item('b', '1', { group: 'x' }));
    store.put(item('a', '2', { group: 'y' }));
    assert.deepEqual(store.group('x').map(({ metadata }) => metadata.name), ['b']); // prettier-ignore
    assert.deepEqual(store.group('y').map(({ metadata }) => metadata.name), ['a']); // prettier-ignore
  });
  it('swaps one namespace without touching another', () => {
    const store = aStore();
    store.put(item('a', '1', { namespace: 'one' }));
    store.put(item('a', '1', { namespace: 'two' }));
    store.swap([], 'one');
    assert.deepEqual([...store.all()].map(({ metadata }) => metadata.namespace), ['two']); // prettier-ignore
  });
  it('compares versions as numbers of any length', () => {
    assert.ok(isLater('10', '9'));
    assert.ok(!isLater('9', '10'));
    assert.ok(isLater('18446744073709551616', '18446744073709551615'));
  });
});

describe('values from JSON', () => {
  it('are the same where their text is', () => {
    const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        assert.ok(isSameJson(copy(a), copy(a)));
        assert.equal(isSameJson(copy(a), copy(b)), JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
  for (const [a, b] of [
    [{ x: 1 }, { x: 1, y: 2 }],
    [{ x: 1, y: 2 }, { x: 1 }],
    [[], {}],
    [{ x: null }, {}],
    [{ x: [1, 2] }, { x: [1, 3] }],
  ])
    it(`differ: ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => assert.ok(!isSameJson(a, b)));
});
