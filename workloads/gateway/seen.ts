// What the gateway has read of a system, and which of it is live. Made by reader.ts; summary.ts and health.ts judge it. Pure.
import type { ActiveHold, DesiredDocument } from '../contract/desired.ts';
import { liveParts, type LiveParts } from '../contract/live-parts.ts';
import type { HarmoniserStatus, PartStatus } from '../contract/status.ts';
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

const SILENCE: LiveParts = { ingest: [], router: [], harmoniser: [], acting: [] };

/** Without Redis nobody is heard. */
export const liveOf = ({ parts, now, redisConnected }: Seen): LiveParts =>
  redisConnected ? liveParts(parts, now) : SILENCE;

const BREAKER_ORDER = ['CLOSED', 'HALF_OPEN', 'OPEN'];

/** The most severe of all shards; null where none is heard. */
export function worstBreaker(harmonisers: readonly HarmoniserStatus[]): HarmoniserStatus['breaker'] | null {
  const breakers = harmonisers.map(({ breaker }) => breaker);
  return breakers.toSorted((a, b) => BREAKER_ORDER.indexOf(b.state) - BREAKER_ORDER.indexOf(a.state))[0] ?? null;
}
