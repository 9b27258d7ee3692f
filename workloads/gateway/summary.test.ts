import assert from 'node:assert/strict';
import type { IngestStatus, PartStatus } from '../contract/status.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import { healthOf, systemStatus, type Seen } from './summary.ts';

const NOW = 1_800_000_000_000;
const system = {
  system: { name: 'demo', namespace: 'trading', uid: 'u' },
  execution: { mode: 'Paper' },
  symbols: [{ name: 'BTC-USD' }, { name: 'ETH-USD' }],
  sources: [],
  shards: 1,
  redisUrl: 'redis://r',
  venueUrls: {},
} as unknown as SystemConfig;

const ingest: IngestStatus = {
  part: 'ingest',
  pod: 'demo-ingest-0-x',
  shard: 0,
  bootId: 'b',
  at: NOW - 500,
  ready: true,
  framesTotal: 1_000,
  framesPerSecond: 42,
  sources: [],
  symbols: { 'BTC-USD': { valid: true, mid: 60_000, spreadBps: 0.1, ageMs: 20 } },
};

const seen = (more: Partial<Seen> = {}): Seen => ({
  system,
  redisConnected: true,
  document: undefined,
  holds: [],
  parts: [],
  now: NOW,
  ...more,
});
const statusOf = (health: ReturnType<typeof healthOf>, name: string) =>
  health.checks.find((check) => check.name === name)?.status;

describe('the gateway’s summary', () => {
  it('shows what it does not know as null, and trading as Unknown', () => {
    const status = systemStatus(seen());
    assert.equal(status.trading, 'Unknown');
    assert.equal(status.equityUsd, null);
    assert.equal(status.framesPerSecond, null);
    assert.deepEqual(status.symbols.map(({ mid, bookValid }) => [mid, bookValid]), [[null, false], [null, false]]); // prettier-ignore
  });
  it('shows live figures, and never a stale one as live', () => {
    assert.equal(systemStatus(seen({ parts: [ingest] })).framesPerSecond, 42);
    assert.equal(systemStatus(seen({ parts: [ingest] })).symbols[0]?.mid, 60_000);
    const stale: PartStatus = { ...ingest, at: NOW - 6_000 };
    const status = systemStatus(seen({ parts: [stale] }));
    assert.equal(status.framesPerSecond, null);
    assert.equal(status.symbols[0]?.mid, null);
    assert.deepEqual(status.parts.map(({ ageMs }) => ageMs), [6_000]); // prettier-ignore
  });
  it('is unhealthy without Redis, and says nothing of the rest', () => {
    const health = healthOf(seen({ redisConnected: false, parts: [ingest] }));
    assert.equal(health.status, 'unhealthy');
    assert.deepEqual(health.checks.map(({ name }) => name), ['redis']); // prettier-ignore
  });
  it('names the part that is silent and what to look at', () => {
    const health = healthOf(seen({ parts: [ingest] }));
    assert.equal(statusOf(health, 'ingest-0'), 'healthy');
    assert.equal(statusOf(health, 'router-0'), 'unhealthy');
    assert.match(
      health.checks.find(({ name }) => name === 'router-0')?.detail ?? '',
      /kubectl logs deploy\/demo-router-0/,
    );
  });
  it('is degraded while a book is not valid', () => {
    const bad: IngestStatus = { ...ingest, symbols: { 'BTC-USD': { valid: false, mid: 0, spreadBps: 0, ageMs: -1 } } };
    assert.equal(statusOf(healthOf(seen({ parts: [bad] })), 'books'), 'degraded');
  });
});
