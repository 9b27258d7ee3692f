// What needs what among the parts that an ordered restart touches: the one place that says in which order they stop and start.
import { isTradingPart, tradingParts, type Part, type Topology } from '@tradewind/workloads/contract/pods.ts';

export type Restarted = Extract<Part, 'gateway' | 'router' | 'harmoniser' | 'ingest' | 'fused' | 'redis'>;

const NEEDS: Readonly<Record<Restarted, readonly Restarted[]>> = {
  gateway: ['router', 'fused'],
  router: ['harmoniser', 'ingest'],
  harmoniser: ['redis'],
  ingest: ['redis'],
  fused: ['redis'],
  redis: [],
};

export const isRestarted = (part: string | undefined): part is Restarted => part !== undefined && part in NEEDS;

/** What others need comes first; of equals the alphabet decides. */
export const START_ORDER: readonly Restarted[] = ordered(Object.keys(NEEDS) as Restarted[]);
/** Of a system of that topology. */
export const startOrderOf = (topology: Topology): readonly Restarted[] =>
  START_ORDER.filter((part) => !isTradingPart(part) || tradingParts(topology).includes(part));
/** The other way round. */
export const STOP_ORDER: readonly Restarted[] = START_ORDER.toReversed();

function ordered(parts: readonly Restarted[]): Restarted[] {
  if (parts.length === 0) return [];
  const [first] = parts.filter((part) => !NEEDS[part].some((need) => parts.includes(need))).sort();
  if (first === undefined) throw new Error(`the parts need each other in a circle: ${parts.join(', ')}`);
  return [first, ...ordered(parts.filter((part) => part !== first))];
}
