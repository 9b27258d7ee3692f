import assert from 'node:assert/strict';
import { liveParts } from '../contract/live-parts.ts';
import { restraintOf } from '../contract/restraint.ts';
import type { HarmoniserStatus, IngestStatus, PartStatus } from '../contract/status.ts';
import { aBook, aHarmoniser, anIngest, aRouter, NOW } from '../gateway/test/builders.ts';
import { aDocument, SYMBOLS } from '../harmoniser/test/builders.ts';
import { isDataFlowing, isDrained, isReconciled, type ExpectedPod, type Shards } from './evidence.ts';
import { runtimeOf } from './runtime.ts';

const document = aDocument({ trading: 'Stopped' });
const desired = { epoch: document.epoch, version: document.version, hash: document.hash };
const aPod = (part: ExpectedPod['part'], shard = 0): ExpectedPod => ({
  uid: `uid-${part}-${shard}`,
  name: `demo-${part}-${shard}-x`,
  part,
  shard,
});
const PODS = (['ingest', 'router', 'harmoniser'] as const).map((part) => aPod(part));
const stopped = (of: Partial<HarmoniserStatus> = {}): HarmoniserStatus =>
  aHarmoniser({}, { tradingStopped: true, desired, ...of });

const shards = (parts: readonly PartStatus[], more: Partial<Shards> = {}): Shards => ({
  symbols: [SYMBOLS],
  pods: PODS,
  live: liveParts(parts, NOW),
  ...more,
});
const all = (of: { ingest?: Partial<IngestStatus>; harmoniser?: Partial<HarmoniserStatus> } = {}): PartStatus[] => [
  anIngest(of.ingest),
  aRouter(),
  stopped(of.harmoniser),
];

describe('whether data flows', () => {
  it('where every part of every shard tells, and every book is valid and heard of', () => {
    assert.equal(isDataFlowing(shards(all())), true);
  });
  const books = (eth: Parameters<typeof aBook>[0] | undefined) => ({
    ingest: { symbols: { 'BTC-USD': aBook(), ...(eth === undefined ? {} : { 'ETH-USD': aBook(eth) }) } },
  });
  for (const [title, parts] of [
    ['a book is not valid', all(books({ valid: false }))],
    ['a book was never heard of', all(books({ ageMs: -1 }))],
    ['a source is silent', all(books({ ageMs: 15_001 }))],
    ['a symbol has no book yet', all(books(undefined))],
    ['the router is silent', all().filter(({ part }) => part !== 'router')],
    ['what tells is old', all({ harmoniser: { at: NOW - 5_001 } })],
    ['a pod tells that is gone', all({ ingest: { pod: 'demo-ingest-0-before' } })],
  ] as const)
    it(`not where ${title}`, () => assert.equal(isDataFlowing(shards(parts)), false));
  it('where the venue halts a market and says so, and not where that one is not heard of', () => {
    assert.equal(isDataFlowing(shards(all(books({ valid: false, halted: 'BREAK' })))), true);
    assert.equal(isDataFlowing(shards(all(books({ valid: false, halted: 'BREAK', ageMs: 15_001 })))), false);
  });
  it('of a fused pod where it tells of every stage under its name', () => {
    const fused = aPod('fused');
    const told = all().map((status) => ({ ...status, pod: fused.name }));
    const of = (parts: readonly PartStatus[]): Shards => shards(parts, { pods: [fused] });
    assert.deepEqual([isDataFlowing(of(told)), isReconciled(of(told)), isDrained(of(told), document)], [true, true, true]); // prettier-ignore
    for (const stage of ['ingest', 'router', 'harmoniser'])
      assert.equal(isDataFlowing(of(told.filter(({ part }) => part !== stage))), false, stage);
    const working = told.map((status) => (status.part === 'harmoniser' ? { ...status, openOrders: 1 } : status));
    assert.equal(isDrained(of(working), document), false);
    assert.equal(isDrained(of(told.filter(({ part }) => part !== 'ingest')), document), undefined);
    assert.equal(isDataFlowing(of(all())), false, 'of pods that are gone');
  });
  it('not as soon as a pod is gone, though what it said last is new', () => {
    assert.equal(isDataFlowing(shards(all(), { pods: PODS.filter(({ part }) => part !== 'ingest') })), false);
  });
  it('not while a second pod of a part is silent', () => {
    const pods = [...PODS, { ...aPod('harmoniser'), name: 'demo-harmoniser-0-s1-x' }];
    assert.equal(isDataFlowing(shards(all(), { pods })), false);
  });
  it('also where a shard has no symbols, but not where it has no pods', () => {
    const empty = all().map((status) => ({ ...status, pod: `demo-${status.part}-1-x`, shard: 1, symbols: {} }));
    const pods = [...PODS, aPod('ingest', 1), aPod('router', 1), aPod('harmoniser', 1)];
    assert.equal(isDataFlowing(shards([...all(), ...empty] as PartStatus[], { symbols: [SYMBOLS, []], pods })), true);
    assert.equal(isDataFlowing(shards(all(), { symbols: [SYMBOLS, []] })), false);
  });
});

describe('whether positions are reconciled', () => {
  const symbols = { ...stopped().symbols, 'BTC-USD': { ...stopped().symbols['BTC-USD']!, reconciled: false } };
  for (const [expected, title, parts] of [
    [true, 'where every symbol is', all()],
    [false, 'where one is not', all({ harmoniser: { symbols } })],
    [false, 'where none acts', all({ harmoniser: { lease: { held: false } } })],
    [undefined, 'where the harmoniser is silent', all({ harmoniser: { at: NOW - 5_001 } })],
  ] as const)
    it(`${expected} ${title}`, () => assert.equal(isReconciled(shards(parts)), expected));
  const STANDBY = { ...aPod('harmoniser'), name: 'demo-harmoniser-0-s1-x' };
  const standby = stopped({ symbols, pod: STANDBY.name, replica: 1, lease: { held: false } });
  it('is asked of the one that acts: a standby asks nobody', () => {
    const pods = [...PODS, STANDBY];
    assert.equal(isReconciled(shards([...all(), standby], { pods })), true);
    const taken = { ...standby, lease: { held: true, epoch: 2 } } as const;
    assert.equal(isReconciled(shards([...all(), taken], { pods })), false, 'the later epoch acts');
    assert.equal(isReconciled(shards([...all().slice(0, 2), standby], { pods })), undefined, 'the other may act');
  });
});

describe('whether nothing is under way', () => {
  for (const [expected, title, parts] of [
    [true, 'where trading is stopped, no order is open and all is on disk', all()],
    [false, 'while an order is open', all({ harmoniser: { openOrders: 1 } })],
    [false, 'while the journal waits for the disk', all({ harmoniser: { flushed: false } })],
    [false, 'while the log of the paper venue does', all({ ingest: { flushed: false } })],
    [false, 'where the harmoniser has not stopped', all({ harmoniser: { tradingStopped: false } })],
    [false, 'where it runs an older document', all({ harmoniser: { desired: { ...desired, version: 0 } } })],
    [false, 'where another is silent', all({ harmoniser: { openOrders: 1 }, ingest: { at: 0 } })],
    [undefined, 'where the harmoniser is silent', all({ harmoniser: { at: NOW - 5_001 } })],
    [undefined, 'where ingest tells that is gone', all({ ingest: { pod: 'demo-ingest-0-before' } })],
  ] as const)
    it(`${expected} ${title}`, () => assert.equal(isDrained(shards(parts), document), expected));
  it('undefined where a shard has no pod', () => {
    assert.equal(isDrained(shards(all(), { symbols: [SYMBOLS, []] }), document), undefined);
  });
  it('does not depend on the router, which holds nothing', () => {
    const parts = all().filter(({ part }) => part !== 'router');
    assert.equal(isDrained(shards(parts), document), true);
  });
  it('is false, and no question, where nothing stops trading; a hold in Redis is a stop too', () => {
    const enabled = aDocument({ trading: 'Enabled' });
    const seen = {
      pods: PODS,
      symbols: [SYMBOLS],
      acks: new Map(),
      parts: all(),
      redisConnected: true,
      late: [],
      now: NOW,
    };
    const hold = { id: 'h', effect: 'StopTrading', reason: 'r', by: 'b' } as const;
    assert.equal(runtimeOf({ ...seen, document: enabled, holds: [], parts: [] }).drained, false);
    assert.equal(runtimeOf({ ...seen, document: enabled, holds: [hold] }).drained, true);
    assert.equal(restraintOf(enabled, [hold], NOW).tradingStopped, true);
  });
});
