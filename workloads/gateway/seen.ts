// What the gateway has read of a system, and which of it is live. Made by reader.ts; summary.ts and health.ts judge it. Pure.
import type { ActiveHold, DesiredDocument } from '../contract/desired.ts';
import type { HarmoniserStatus, IngestStatus, PartStatus, RouterStatus } from '../contract/status.ts';
import type { SystemConfig } from '../contract/system-config.ts';

export interface Seen {
  readonly system: SystemConfig;
  readonly redisConnected: boolean;
  readonly document: DesiredDocument | undefined;
  /** Holds in Redis, beside those of the document. */
  readonly holds: readonly ActiveHold[];
  readonly parts: readonly PartStatus[];
  /** Epoch ms. */
  readonly now: number;
}

/** A status older than this is not shown as live. */
const STALE_MS = 5_000;

export interface Live {
  readonly ingest: readonly IngestStatus[];
  readonly router: readonly RouterStatus[];
  readonly harmoniser: readonly HarmoniserStatus[];
}

export function liveOf({ parts, now, redisConnected }: Seen): Live {
  const live = redisConnected ? parts.filter(({ at }) => now - at <= STALE_MS) : [];
  return {
    ingest: live.filter((part): part is IngestStatus => part.part === 'ingest'),
    router: live.filter((part): part is RouterStatus => part.part === 'router'),
    harmoniser: live.filter((part): part is HarmoniserStatus => part.part === 'harmoniser'),
  };
}

const BREAKER_ORDER = ['CLOSED', 'HALF_OPEN', 'OPEN'];

/** The most severe of all shards; null where none is heard. */
export function worstBreaker(harmonisers: readonly HarmoniserStatus[]): HarmoniserStatus['breaker'] | null {
  const breakers = harmonisers.map(({ breaker }) => breaker);
  return breakers.toSorted((a, b) => BREAKER_ORDER.indexOf(b.state) - BREAKER_ORDER.indexOf(a.state))[0] ?? null;
}
