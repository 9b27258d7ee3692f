// What the pods have said of the desired document, as the param server reports it. Pure.
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { ACKNOWLEDGING } from '@tradewind/workloads/contract/pods.ts';
import type { TradingSystem } from '../kinds.ts';
import type { ComponentStatus } from './components.ts';
import type { Known } from './observe.ts';

/** Whether every pod that must run `document` has said so. */
export function isProven({ system: { status } }: Known, document: DesiredDocument | undefined): boolean {
  const { acks } = status?.runtime ?? {};
  const expected = Math.max(ACKNOWLEDGING.length, acknowledging(status?.components).length);
  return document !== undefined && acks?.hash === document.hash && acks.acked >= expected && acks.pending.length === 0;
}

/** Those whose pods must acknowledge: of every shard, standbys too. A pod that is missing has not. */
const acknowledging = (components: readonly ComponentStatus[] = []): ComponentStatus[] =>
  components.filter(({ part }) => ACKNOWLEDGING.some((one) => one === part));

/** What the pods said who refused the document; undefined where none did. */
export function refusalIn({ status }: TradingSystem): string | undefined {
  const said = status?.runtime?.acks?.errors?.map(({ pod, message }) => `${pod}: ${message}`).join('; ');
  return said === '' ? undefined : said;
}

/** Annotation of the desired document's ConfigMap. */
export const PUBLISHED_AT = 'tradewind.io/published-at';
/** Epoch ms; 0 where nothing is published, or by a clock that is ahead of ours: what waits for it must not wait for that clock. */
export function publishedAt({ map }: Known, now: number): number {
  const at = Date.parse(map?.metadata.annotations?.[PUBLISHED_AT] ?? '') || 0;
  return at > now ? 0 : at;
}
