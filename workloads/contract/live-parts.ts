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
}

/** `now` is epoch ms. */
export function liveParts(parts: readonly PartStatus[], now: number): LiveParts {
  const live = parts.filter(({ at }) => now - at <= STALE_MS);
  return {
    ingest: live.filter((part) => part.part === 'ingest'),
    router: live.filter((part) => part.part === 'router'),
    harmoniser: live.filter((part) => part.part === 'harmoniser'),
  };
}
