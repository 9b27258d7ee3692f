// What the gateway may have read, for its tests: everything well, but for what a test says.
import type { HarmoniserStatus, IngestStatus, PartStatus, RouterStatus } from '../../contract/status.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import type { Seen } from '../seen.ts';

export const NOW = 1_800_000_000_000;
const HASH = 'abc';

const system = {
  system: { name: 'demo', namespace: 'trading', uid: 'u' },
  execution: { mode: 'Paper' },
  symbols: [{ name: 'BTC-USD' }, { name: 'ETH-USD' }],
  sources: [],
  shards: 1,
  redisUrl: 'redis://r',
  venueUrls: {},
} as unknown as SystemConfig;

const base = (part: string) => ({
  pod: `demo-${part}-0-x`,
  shard: 0,
  bootId: 'b',
  at: NOW - 500,
  ready: true,
  desired: { epoch: 1, version: 2, hash: HASH },
});

type Book = IngestStatus['symbols'][string];
export const aBook = (of: Partial<Book> = {}): Book => ({ valid: true, mid: 60_000, spreadBps: 0.1, ageMs: 20, ...of });

export const anIngest = (of: Partial<IngestStatus> = {}): IngestStatus => ({
  ...base('ingest'),
  part: 'ingest',
  framesTotal: 1_000,
  framesPerSecond: 42,
  sources: [{ name: 'binance', connected: true, reconnects: 0, gaps: 0 }],
  symbols: { 'BTC-USD': aBook(), 'ETH-USD': aBook({ mid: 2_600 }) },
  flushed: true,
  ...of,
});

export const aRouter = (of: Partial<RouterStatus> = {}): RouterStatus => ({
  ...base('router'),
  part: 'router',
  paused: false,
  switches: 0,
  symbols: {},
  ...of,
});

type Held = HarmoniserStatus['symbols'][string];
const aPosition = (of: Partial<Held>): Held => ({
  edgeBps: 1,
  confidence: 0.7,
  positionLots: 0,
  positionUsd: 0,
  varPct: 0,
  blockedBy: [],
  reconciled: true,
  ...of,
});

export const aHarmoniser = (btc: Partial<Held> = {}, of: Partial<HarmoniserStatus> = {}): HarmoniserStatus => ({
  ...base('harmoniser'),
  part: 'harmoniser',
  replica: 0,
  lease: { held: true, epoch: 1 },
  tradingStopped: false,
  kellyFraction: 0.2,
  equityUsd: 1e6,
  drawdownPct: 0,
  varPct: 0,
  varDemandPct: 0,
  breaker: { state: 'CLOSED', tripSeq: 0 },
  decisions: 1,
  trades: 0,
  openOrders: 0,
  flushed: true,
  calibrated: true,
  symbols: { 'BTC-USD': aPosition(btc), 'ETH-USD': aPosition({}) },
  ...of,
});

export const seen = (parts: readonly PartStatus[], more: Partial<Seen> = {}): Seen => ({
  system,
  redisConnected: true,
  document: { epoch: 1, version: 2, hash: HASH, trading: 'Enabled', holds: [] } as unknown as NonNullable<
    Seen['document']
  >,
  holds: [],
  parts,
  now: NOW,
  ...more,
});
