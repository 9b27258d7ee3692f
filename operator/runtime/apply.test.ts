import assert from 'node:assert/strict';
import { covers, withHash, withoutEmptyLists } from './apply.ts';
import { quantityOf } from './quantity.ts';

describe('what an applied object covers', () => {
  it('overlooks defaults and fields of others', () => {
    assert.ok(covers({ a: 1, b: { c: 2, d: 3 }, status: {} }, { a: 1, b: { c: 2 } }));
  });
  it('finds what is missing, different, or longer', () => {
    for (const [live, wanted] of [
      [{ a: 1 }, { a: 2 }],
      [{}, { a: 1 }],
      [{ a: [1, 2] }, { a: [1] }],
      [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
      [undefined, { a: 1 }],
    ])
      assert.ok(!covers(live, wanted), JSON.stringify([live, wanted]));
  });
  it('takes what is empty and was left out by the server for the same', () => {
    assert.ok(covers({}, { emptyDir: {}, ingress: [], paused: false, limits: { cpu: undefined } }));
    assert.ok(!covers({ ingress: [{}], paused: true }, { ingress: [] }));
    assert.ok(!covers({ paused: true }, { paused: false }));
    assert.ok(!covers({}, { list: [0] }));
  });
  it('compares quantities by value', () => {
    assert.ok(covers({ memory: '1Gi' }, { memory: '1024Mi' }));
    assert.ok(covers({ cpu: '500m' }, { cpu: '0.5' }));
    for (let milli = 1; milli < 1_000; milli++) assert.ok(covers({ cpu: `${milli}m` }, { cpu: String(milli / 1_000) }));
    assert.ok(covers({ memory: '107374182400m' }, { memory: '0.1Gi' }));
    assert.ok(covers({ cpu: '500u' }, { cpu: '0.0005' }));
    assert.ok(!covers({ cpu: '701m' }, { cpu: '0.7' }));
    assert.ok(!covers({ memory: '1G' }, { memory: '1Gi' }));
  });
  it('marks an object with the hash of its content', () => {
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } };
    const hashOf = (name: string) => withHash({ ...object, metadata: { name } }).metadata as { annotations?: object };
    assert.deepEqual(hashOf('a'), hashOf('a'));
    assert.notDeepEqual(hashOf('a').annotations, hashOf('b').annotations);
  });
});

describe('a status that is applied', () => {
  it('has no empty list, at its top', () => {
    const status = { holds: [], parts: [{ on: [] }], phase: '', count: 0 };
    assert.deepEqual(withoutEmptyLists(status), { parts: [{ on: [] }], phase: '', count: 0 });
  });
});

describe('quantities', () => {
  for (const [text, value] of [
    ['256Mi', 268_435_456],
    ['1.5k', 1_500],
    ['100m', 0.1],
    ['3', 3],
    ['1Xi', undefined],
    ['', undefined],
  ] as const)
    // prettier-ignore
    it(`reads ${text} as ${value}`, () => assert.equal(quantityOf(text), value));
});
