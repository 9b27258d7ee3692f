// What the pods of all shards show together: that data flows, that positions are known, that nothing is under way. Pure.
import type { DesiredDocument } from '../contract/desired.ts';
import type { LiveParts } from '../contract/live-parts.ts';
import { runsStage, STAGES, type Stage, type TradingPart } from '../contract/pods.ts';
import type { HarmoniserStatus, IngestStatus, PartStatus } from '../contract/status.ts';

/** A pod that must acknowledge, and so must tell. */
export interface ExpectedPod {
  readonly uid: string;
  readonly name: string;
  readonly part: TradingPart;
  readonly shard: number;
}

export interface Shards {
  /** Names of the symbols of each shard, by its number. */
  readonly symbols: readonly (readonly string[])[];
  /** Those that are not on their way out. */
  readonly pods: readonly ExpectedPod[];
  readonly live: LiveParts;
}

/** A source that was not heard for so long gives no data, whatever its book says. */
const SILENT_MS = 15_000;

/** Every stage of every shard runs and tells, and every book is valid, or halted by its venue, and heard of. What a pod said that is gone counts for nothing. */
export const isDataFlowing = (shards: Shards): boolean =>
  shards.symbols.every((symbols, shard) =>
    STAGES.every((stage) => {
      const told = toldBy(shards, stage, shard);
      return told.length > 0 && told.every((status) => status?.part !== 'ingest' || hasBooks(status, symbols));
    }),
  ) &&
  shards.pods.every((pod) =>
    STAGES.every((stage) => !runsStage(pod.part, stage) || statusOf(shards, pod, stage) !== undefined),
  );

const hasBooks = ({ symbols }: IngestStatus, wanted: readonly string[]): boolean =>
  wanted.every((name) => {
    const book = symbols[name];
    // A halt is the venue's affair: what it says comes.
    const isTold = book !== undefined && (book.valid || book.halted !== undefined);
    return isTold && book.ageMs >= 0 && book.ageMs <= SILENT_MS;
  });

/** The harmoniser that acts for each shard knows account and orders from the venue. Undefined where one that may act is silent. */
export function isReconciled(shards: Shards): boolean | undefined {
  const { live, pods } = shards;
  const byShard = shards.symbols.map((_, shard) => {
    const acting = live.acting.find((one) => one.shard === shard && pods.some(({ name }) => name === one.pod));
    if (acting !== undefined) return knowsPositions(acting);
    const told = toldBy(shards, 'harmoniser', shard);
    return told.length === 0 || told.includes(undefined) ? undefined : false;
  });
  if (byShard.includes(false)) return false;
  return byShard.includes(undefined) ? undefined : true;
}

const knowsPositions = ({ symbols }: HarmoniserStatus): boolean =>
  Object.values(symbols).every(({ reconciled }) => reconciled);

/**
 * `document` stops trading (or a hold does): whether every harmoniser has stopped under it, has no order open, and what
 * harmonisers and paper venues decided is on disk. Undefined where one that must tell is silent. Reductions go on while
 * trading is stopped, so it may turn false again for the moments that one takes.
 */
export function isDrained(shards: Shards, { epoch, version, hash }: DesiredDocument): boolean | undefined {
  const runsIt = ({ desired }: PartStatus): boolean =>
    desired?.epoch === epoch && desired.version === version && desired.hash === hash;
  const isAtRest = (status: PartStatus): boolean => {
    if (status.part === 'router') return true;
    if (!status.flushed) return false;
    return status.part === 'ingest' || (runsIt(status) && status.tradingStopped && status.openOrders === 0);
  };
  const told = shards.symbols.flatMap((_, shard) =>
    (['ingest', 'harmoniser'] as const).flatMap((stage) => {
      const ofStage = toldBy(shards, stage, shard);
      return ofStage.length === 0 ? [undefined] : ofStage;
    }),
  );
  // One that says no decides; silence, or a shard without a pod, leaves it unknown.
  if (told.some((status) => status !== undefined && !isAtRest(status))) return false;
  return told.includes(undefined) ? undefined : true;
}

const toldBy = (shards: Shards, stage: Stage, shard: number): (PartStatus | undefined)[] =>
  shards.pods
    .filter((pod) => runsStage(pod.part, stage) && pod.shard === shard)
    .map((pod) => statusOf(shards, pod, stage));

const statusOf = ({ live }: Shards, { name }: ExpectedPod, stage: Stage): PartStatus | undefined =>
  live[stage].find(({ pod }) => pod === name);
