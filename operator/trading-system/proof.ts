// What the pods have said of the desired document, as the param server reports it. Pure.
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { isTradingPart, PART_LABEL, tradingParts } from '@tradewind/workloads/contract/pods.ts';
import type { Pod, TradingSystem } from '../kinds.ts';
import type { ComponentStatus } from './components.ts';
import type { Known } from './observe.ts';

/** Whether every pod that must run `document` has said so. */
export function isProven({ system: { status }, topology }: Known, document: DesiredDocument | undefined): boolean {
  const { acks } = status?.runtime ?? {};
  const expected = Math.max(tradingParts(topology).length, acknowledging(status?.components).length);
  return document !== undefined && acks?.hash === document.hash && acks.acked >= expected && acks.pending.length === 0;
}

/** Those whose pods must acknowledge: of every shard, standbys too. A pod that is missing has not. */
const acknowledging = (components: readonly ComponentStatus[] = []): ComponentStatus[] =>
  components.filter(({ part }) => isTradingPart(part));

/** Pods that must acknowledge, those on their way out included. */
export const acknowledgingPods = ({ pods }: Known): Pod[] =>
  pods.filter(({ metadata }) => isTradingPart(metadata.labels?.[PART_LABEL]));

/** Most names that the schema takes of pods that have not acknowledged: there may be more. */
const PENDING_LIMIT = 64;

/**
 * Those of `pods` of which it is not proven that they run what is published: all of them while the param server has not counted
 * as many pods as there are, as its report then says nothing of the others.
 */
export function unprovenOf(known: Known, pods: readonly Pod[]): readonly Pod[] {
  const { acks } = known.system.status?.runtime ?? {};
  const isCounted = acks?.hash === known.published?.hash && (acks?.expected ?? 0) >= acknowledgingPods(known).length;
  if (!isCounted || acks === undefined || acks.pending.length >= PENDING_LIMIT) return pods;
  return pods.filter(({ metadata }) => acks.pending.includes(metadata.name));
}

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
