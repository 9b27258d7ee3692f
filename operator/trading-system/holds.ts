// Holds as the desired document carries them, and what their own status says.
import type { HoldStatus } from '@tradewind/crds/schema/hold.ts';
import type { ActiveHold, DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import type { Hold, TradingSystem } from '../kinds.ts';
import { isSame } from '../runtime/apply.ts';
import { conditionsOf, no, yes, type Verdict } from '../runtime/conditions.ts';

export const BY = 'tradewind.io/by';
/** Longest name of a maker that the schemas take. */
const BY_LIMIT = 256;

/** Who made it: as annotated by our own tools, else the field manager that wrote it first. */
export function makerOf({ metadata, status }: Hold): string {
  const maker = metadata.annotations?.[BY] ?? status?.by ?? metadata.managedFields?.[0]?.manager ?? 'unknown';
  return maker.slice(0, BY_LIMIT);
}

/** A time that cannot be read never comes: the Hold restrains until it is deleted. */
export const isOver = ({ spec }: Hold, now: number): boolean =>
  spec?.until !== undefined && Date.parse(spec.until) <= now;

/** Holds in force at `now` (epoch ms), by name. One that is being deleted restrains until it is gone. */
export function holdsInForce(holds: readonly Hold[], now: number): ActiveHold[] {
  return holds
    .filter((hold) => hold.spec !== undefined && !isOver(hold, now))
    .map(activeHold)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function activeHold(hold: Hold): ActiveHold {
  const { effect, kellyFraction, reason, until } = hold.spec ?? { effect: 'StopTrading', reason: '' };
  return {
    id: hold.metadata.name,
    effect,
    ...(kellyFraction === undefined ? {} : { kellyFraction }),
    reason,
    by: makerOf(hold),
    ...(until === undefined ? {} : { until }),
  };
}

/** Holds that are in Redis, as the param server reports them. */
export const redisHolds = ({ status }: TradingSystem): ActiveHold[] =>
  (status?.runtime?.holds ?? []).map(({ until, ...hold }) => ({ ...hold, ...(until === undefined ? {} : { until }) }));

/** When the next of these ends by itself, epoch ms. */
export function nextEnd(holds: readonly { readonly until?: string | undefined }[], now: number): number | undefined {
  const ends = holds.flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until)]));
  return ends.filter((end) => end > now).sort((a, b) => a - b)[0];
}

/** What a Hold's status is to say. */
export interface HoldSeen {
  readonly hold: Hold;
  /** Whether what it names is there. */
  readonly system: 'found' | 'missing';
  /** The document in force, and whether every pod runs it. */
  readonly document: DesiredDocument | undefined;
  readonly proven: boolean;
  readonly now: number;
}

export function holdStatus(seen: HoldSeen): HoldStatus {
  const { hold, now } = seen;
  const { generation = 0 } = hold.metadata;
  const at = new Date(now).toISOString();
  const ready = readiness(seen);
  const since = hold.status?.effectiveSince ?? (ready.reason === 'InForce' ? at : undefined);
  return {
    observedGeneration: generation,
    by: makerOf(hold),
    ...(since === undefined ? {} : { effectiveSince: since }),
    conditions: conditionsOf(
      {
        Ready: ready,
        Reconciling:
          ready.reason === 'Propagating' || ready.reason === 'SystemNotFound' ? yes(ready.reason) : no(ready.reason),
        Stalled: no(ready.reason),
      },
      hold.status?.conditions,
      { generation, now: at },
    ),
  };
}

function readiness({ hold, system, document, proven, now }: HoldSeen): Verdict {
  if (isOver(hold, now)) return yes('Over', `ended at ${hold.spec?.until}; delete it when convenient`);
  if (system === 'missing') {
    return no('SystemNotFound', `systemRef: found no TradingSystem ${hold.spec?.systemRef.name} in this namespace`);
  }
  const carried = document?.holds.find(({ id }) => id === hold.metadata.name);
  if (!isSame(carried, activeHold(hold))) return no('Propagating', 'the desired document does not carry it yet');
  if (!proven) return no('Propagating', 'not every pod has acknowledged yet');
  const { effect } = hold.spec ?? {};
  return yes('InForce', isFlattening(effect) ? `every pod runs it: ${NOT_FLATTENED}` : 'every pod runs it');
}

/** What Flatten and Kill do in this version. */
export const NOT_FLATTENED = 'no new positions, but nothing is flattened yet';
export const isFlattening = (effect: string | undefined): boolean => effect === 'Flatten' || effect === 'Kill';
