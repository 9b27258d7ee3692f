import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { canonicalJson, contentHash } from './canonical.ts';

describe('canonical JSON', () => {
  it('is RFC 8785: keys by UTF-16 code units, ECMAScript numbers, no blanks', () => {
    assert.equal(
      canonicalJson({ b: 1.0, a: [1e21, -0, 0.1], é: null, Z: true }),
      '{"Z":true,"a":[1e+21,0,0.1],"b":1,"é":null}',
    );
  });
  it('leaves out members that are undefined, and refuses numbers that JSON has no form for', () => {
    assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
    assert.throws(() => canonicalJson({ a: Number.NaN }), TypeError);
    assert.throws(() => canonicalJson([Infinity]), TypeError);
  });
  it('says the same for any order of keys, and reads back as the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        assert.equal(contentHash(reversed), contentHash(value));
        assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
  it('hashes to 16 hexadecimal digits', () => assert.match(contentHash({}), /^[0-9a-f]{16}$/));
});
