import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../../contract/json.ts';
import { decodeAlpha, subscribeMessage } from './message.ts';

const SYMBOLS = new Map([['XBT', 'BTC-USD']]);
const EDGE = {
  symbol: 'XBT',
  sequence: 41,
  at: '2026-11-26T05:10:00.250Z',
  edgeBps: 12.5,
  horizonSeconds: 60,
  confidence: 0.7,
};
const edges = (...list: readonly unknown[]): string => JSON.stringify({ version: 1, type: 'edges', edges: list });
const decode = (text: string) => decodeAlpha(text, SYMBOLS);
/** Reason and detail of a whole message, or of its only edge. */
const problem = (text: string): readonly [string, string] | undefined => {
  const message = decode(text);
  const bad = message.kind === 'edges' ? message.unread[0] : message;
  return bad?.kind === 'malformed' ? [bad.reason, bad.detail] : undefined;
};

describe('a message of a signal provider', () => {
  it('is edges under our names, with times as numbers', () => {
    const edge = {
      symbol: 'BTC-USD',
      at: Date.UTC(2026, 10, 26, 5, 10, 0, 250),
      sequence: 41,
      edgeBps: 12.5,
      horizonSeconds: 60,
    };
    assert.deepEqual(decode(edges(EDGE)), { kind: 'edges', edges: [{ ...edge, confidence: 0.7 }], unread: [] });
    const { confidence: _, ...plain } = EDGE;
    assert.deepEqual(decode(edges({ ...plain, note: 'ignored' })), { kind: 'edges', edges: [edge], unread: [] });
    assert.deepEqual(decode(edges()), { kind: 'edges', edges: [], unread: [] });
  });
  it('is a heartbeat, or the provider’s own error', () => {
    assert.deepEqual(decode('{"version":1,"type":"heartbeat"}'), { kind: 'heartbeat' });
    assert.deepEqual(decode('{"version":1,"type":"error","message":"no"}'), { kind: 'error', text: 'no' });
  });
  for (const [text, reason, detail] of [
    ['', 'NotJson', /found no JSON/],
    ['[1]', 'NotAnObject', /found \[1\], expected an object/],
    ['{"type":"heartbeat"}', 'BadField', /^version: found nothing, expected 1/],
    ['{"version":2,"type":"heartbeat"}', 'BadField', /^version: found 2, expected 1/],
    ['{"version":1,"type":"edge"}', 'UnknownEvent', /^type: found "edge", expected edges, heartbeat or error/],
    ['{"version":1,"type":"edges"}', 'BadField', /^edges: found nothing, expected a list/],
    ['{"version":1,"type":"error"}', 'BadField', /^message: found nothing, expected a text/],
    [edges(...Array.from({ length: 1_001 }, () => EDGE)), 'BadField', /^edges: found 1001, expected at most 1000/],
  ] as const)
    it(`is refused as ${reason}: ${text.slice(0, 40)}`, () => {
      assert.equal(problem(text)?.[0], reason);
      assert.match(problem(text)?.[1] ?? '', detail);
    });
  for (const [change, detail] of [
    [{ symbol: 'ETH' }, /^edges\[0\]\.symbol: found "ETH", expected one that was asked for/],
    [{ symbol: 7 }, /^edges\[0\]\.symbol: found 7, expected a text/],
    [{ symbol: undefined }, /^edges\[0\]\.symbol: found nothing/],
    [{ symbol: { toString: 1 } }, /^edges\[0\]\.symbol: found \{"toString":1\}, expected a text/],
    [{ sequence: -1 }, /^edges\[0\]\.sequence: found -1, expected a whole number/],
    [{ sequence: 2 ** 53 }, /^edges\[0\]\.sequence/],
    [{ sequence: '41' }, /^edges\[0\]\.sequence: found "41"/],
    [{ at: 1_764_133_800 }, /^edges\[0\]\.at: found 1764133800, expected a time in UTC/],
    [{ at: '2026-11-26T05:10:00+01:00' }, /^edges\[0\]\.at/],
    [{ at: '2026-13-26T05:10:00Z' }, /^edges\[0\]\.at/],
    [{ edgeBps: 100.01 }, /^edges\[0\]\.edgeBps: found 100\.01, expected a number within -100 … 100/],
    [{ edgeBps: '12' }, /^edges\[0\]\.edgeBps: found "12"/],
    [{ edgeBps: null }, /^edges\[0\]\.edgeBps: found null/],
    [{ horizonSeconds: 0 }, /^edges\[0\]\.horizonSeconds: found 0, expected a whole number within 1 … 86400/],
    [{ horizonSeconds: 1.5 }, /^edges\[0\]\.horizonSeconds/],
    [{ horizonSeconds: 86_401 }, /^edges\[0\]\.horizonSeconds/],
    [{ confidence: 1.1 }, /^edges\[0\]\.confidence: found 1\.1, expected a number within 0 … 1/],
    [{ confidence: null }, /^edges\[0\]\.confidence: found null/],
  ] as const)
    it(`names the field, what was found and what was expected: ${JSON.stringify(change)}`, () => {
      assert.match(problem(edges({ ...EDGE, ...change }))?.[1] ?? '', detail);
    });
  it('keeps the edges that can be read beside one that cannot, and shows no more of that than a line', () => {
    const message = decode(edges({ ...EDGE, edgeBps: 'x'.repeat(1_000) }, EDGE, null));
    assert.ok(message.kind === 'edges');
    assert.deepEqual([message.edges.length, message.unread.length], [1, 2]);
    assert.ok(message.unread[0]!.detail.length < 150);
    assert.match(message.unread[1]!.detail, /^edges\[2\]: found null, expected an object/);
  });
});

describe('docs/alpha.md', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'alpha.md'), 'utf8');
  const examples = [...page.matchAll(/```json\n([^]*?)```/g)].map(([, text = '']) => text);
  it('has examples of every message, which are read as they stand', () => {
    const kinds = examples.map((text) => {
      const asked = parseJson(text) as { type?: string };
      if (asked.type === 'subscribe') return JSON.stringify(asked) === subscribeMessage(['XBT', 'ETH']) && 'subscribe';
      const message = decodeAlpha(text, new Map([...SYMBOLS, ['ETH', 'ETH-USD']]));
      if (message.kind === 'edges') assert.deepEqual([message.unread, message.edges.length > 0], [[], true]);
      return message.kind;
    });
    assert.deepEqual(kinds, ['subscribe', 'edges', 'heartbeat', 'error', 'edges']);
  });
});
