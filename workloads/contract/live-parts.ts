// The live figures in `parts:{system}`: read, and which of them still count. Pure; gateway and param server.
import { isObject, parseJson } from './json.ts';
import type { HarmoniserStatus, IngestStatus, PartStatus, RouterStatus } from './status.ts';

/** An older status is silence: it is never shown as live. */
const STALE_MS = 5_000;

/** The values of the Redis hash; what cannot be read is passed over, and its part counts as silent. */
export const storedParts = (fields: Readonly<Record<string, string>>): PartStatus[] =>
  Object.values(fields).flatMap((text) => {
    const value = parseJson(text);
    return isObject(value) ? [value as unknown as PartStatus] : [];
  });

export interface LiveParts {
  readonly ingest: readonly IngestStatus[];
  readonly router: readonly RouterStatus[];
  readonly harmoniser: readonly HarmoniserStatus[];
  /** Of those, the one that acts for each shard: its figures are the shard's, and a standby's would count them twice. */
  readonly acting: readonly HarmoniserStatus[];
}

/** `now` is epoch ms. */
export function liveParts(parts: readonly PartStatus[], now: number): LiveParts {
  const live = parts.filter(({ at }) => now - at <= STALE_MS);
  const harmoniser = live.filter((part) => part.part === 'harmoniser');
  return {
    ingest: live.filter((part) => part.part === 'ingest'),
    router: live.filter((part) => part.part === 'router'),
    harmoniser,
    acting: actingOf(harmoniser),
  };
}

/** For a moment two may say so, each of its own clock: the later epoch is the one that the venue hears. */
function actingOf(harmonisers: readonly HarmoniserStatus[]): HarmoniserStatus[] {
  const acting = new Map<number, HarmoniserStatus>();
  for (const status of harmonisers) {
    if (epochOf(status) > epochOf(acting.get(status.shard))) acting.set(status.shard, status);
  }
  return [...acting.values()];
}

/** 0 where it does not act; an earlier version's status has no word about it. */
const epochOf = (status: Partial<HarmoniserStatus> | undefined): number =>
  status?.lease?.held === true ? status.lease.epoch : 0;
