import assert from 'node:assert/strict';
import { BOOK_FRESH_MS } from '../contract/messages.ts';
import type { HarmoniserStatus, PartStatus } from '../contract/status.ts';
import { healthOf } from './health.ts';
import type { Seen } from './seen.ts';
import { aBook, aHarmoniser, anIngest, aRouter, NOW, seen } from './test/builders.ts';

const all = (...instead: readonly PartStatus[]): readonly PartStatus[] =>
  [anIngest(), aRouter(), aHarmoniser()].map((part) => instead.find((other) => other.part === part.part) ?? part);

const aStandby = (of: Partial<HarmoniserStatus> = {}): HarmoniserStatus =>
  aHarmoniser({ reconciled: false }, { pod: 'demo-harmoniser-0-s1-x', replica: 1, lease: { held: false }, ...of });

describe('/health', () => {
  it('is healthy where every check is', () => {
    assert.deepEqual(
      healthOf(seen(all())).checks.filter(({ status }) => status !== 'healthy'),
      [],
    );
  });

  it('is healthy with a standby, which has asked nobody and holds nothing', () => {
    assert.equal(healthOf(seen([...all(), aStandby()])).status, 'healthy');
  });

  it('is unhealthy without Redis, and says nothing of the rest', () => {
    const health = healthOf(seen(all(), { redisConnected: false }));
    assert.equal(health.status, 'unhealthy');
    assert.deepEqual(health.checks.map(({ name }) => name), ['redis']); // prettier-ignore
  });

  const two = (btc: ReturnType<typeof aBook>) => ({ 'BTC-USD': btc, 'ETH-USD': aBook() });
  const source = { name: 'binance', connected: true, reconnects: 0, gaps: 0 };
  const cases: readonly (readonly [what: string, Seen, check: string, status: string, detail: RegExp])[] = [
    ['no document', seen(all(), { document: undefined }), 'desired', 'unhealthy', /kubectl describe tsys demo/],
    ['a part that is silent', seen(all(aRouter({ at: NOW - 9_000 }))), 'router-0', 'unhealthy', /9 s: .*logs deploy/],
    ['a stage that is silent in a fused pod', { ...seen(all(aRouter({ at: NOW - 9_000 }))), system: { ...seen(all()).system, topology: 'Fused' } }, 'router-0', 'unhealthy', /logs deploy\/demo-fused-0$/], // prettier-ignore
    ['a part that runs another document', seen(all(aRouter({ desired: { epoch: 1, version: 1, hash: 'old' } }))), 'router-0', 'degraded', /runs old/], // prettier-ignore
    ['a part that is not ready', seen(all(anIngest({ ready: false }))), 'ingest-0', 'degraded', /not ready/],
    ['no ingest that lives', seen(all(anIngest({ at: NOW - 9_000 }))), 'books', 'unhealthy', /no ingest/],
    ['a book that is not valid', seen(all(anIngest({ symbols: two(aBook({ valid: false })) }))), 'books', 'degraded', /BTC-USD: not valid/], // prettier-ignore
    ['a market that is halted', seen(all(anIngest({ symbols: two(aBook({ valid: false, halted: 'BREAK' })) }))), 'books', 'degraded', /BTC-USD: halted at its venue \(BREAK\)/], // prettier-ignore
    ['a book that is old', seen(all(anIngest({ symbols: two(aBook({ ageMs: 5_001 })) }))), 'books', 'degraded', /BTC-USD: silent for 5 s/], // prettier-ignore
    ['a book that is late', seen(all(anIngest({ symbols: two(aBook({ lagMs: 2_600 })) }))), 'books', 'degraded', /BTC-USD: 3 s behind/], // prettier-ignore
    ['a book that is late by more than it may be', seen(all(anIngest({ symbols: two(aBook({ lagMs: BOOK_FRESH_MS + 1 })) }))), 'books', 'degraded', /BTC-USD: 2 s behind/], // prettier-ignore
    ['a book that is late by what it may be', seen(all(anIngest({ symbols: two(aBook({ lagMs: BOOK_FRESH_MS })) }))), 'books', 'healthy', /all valid/], // prettier-ignore
    ['a book that was never heard', seen(all(anIngest({ symbols: two(aBook({ ageMs: -1 })) }))), 'books', 'degraded', /BTC-USD: never/], // prettier-ignore
    ['a symbol that no ingest has', seen(all(anIngest({ symbols: { 'BTC-USD': aBook() } }))), 'books', 'degraded', /ETH-USD: no ingest/], // prettier-ignore
    ['a source that is cut', seen(all(anIngest({ sources: [{ ...source, connected: false }] }))), 'sources', 'degraded', /binance: not connected/], // prettier-ignore
    ['a source with a refused symbol', seen(all(anIngest({ sources: [{ ...source, reason: 'X is BREAK' }] }))), 'sources', 'degraded', /X is BREAK/], // prettier-ignore
    ['control that cannot be read', seen(all(aHarmoniser({ blockedBy: ['ControlUnreadable'] }))), 'control', 'degraded', /BTC-USD/], // prettier-ignore
    ['a harmoniser without Redis', seen(all(aHarmoniser({ blockedBy: ['RedisAway'] }))), 'control', 'degraded', /BTC-USD/], // prettier-ignore
    ['a position in doubt', seen(all(aHarmoniser({ blockedBy: ['Unreconciled'] }))), 'positions', 'degraded', /BTC-USD/], // prettier-ignore
    [
      'a standby that is not ready',
      seen([...all(), aStandby({ ready: false })]),
      'harmoniser-0-s1',
      'degraded',
      /not ready/,
    ],
    ['a shard for which nobody acts', seen(all(aHarmoniser({}, { lease: { held: false } }))), 'leases', 'degraded', /shard 0: see HGETALL lease:\{demo\}:0/], // prettier-ignore
    ['an open breaker', seen(all(aHarmoniser({}, { breaker: { state: 'OPEN', tripSeq: 3 } }))), 'breaker', 'degraded', /OPEN, 3/], // prettier-ignore
  ];
  for (const [what, given, name, status, detail] of cases) {
    it(`names ${what}`, () => {
      const health = healthOf(given);
      const found = health.checks.find((check) => check.name === name);
      assert.equal(found?.status, status);
      assert.match(found.detail, detail);
      assert.equal(health.status, status);
    });
  }
});
