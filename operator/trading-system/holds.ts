// Holds as the desired document carries them, and what their own status says.
import type { HoldStatus } from '@tradewind/crds/schema/hold.ts';
import type { ActiveHold } from '@tradewind/workloads/contract/desired.ts';
import type { Hold } from '../kinds.ts';
import { conditionsOf, no, yes, type Verdict } from '../runtime/conditions.ts';

export const BY = 'tradewind.io/by';

/** Who made it: as annotated by our own tools, else the field manager that wrote it first. */
export function makerOf({ metadata, status }: Hold): string {
  return metadata.annotations?.[BY] ?? status?.by ?? metadata.managedFields?.[0]?.manager ?? 'unknown';
}

export const isOver = ({ spec }: Hold, now: number): boolean =>
  spec?.until !== undefined && Date.parse(spec.until) <= now;

/** Holds in force at `now` (epoch ms), by name. One that is being deleted restrains until it is gone. */
export function holdsInForce(holds: readonly Hold[], now: number): ActiveHold[] {
  return holds
    .filter((hold) => hold.spec !== undefined && !isOver(hold, now))
    .map((hold): ActiveHold => {
      const { effect, kellyFraction, reason, until } = hold.spec ?? { effect: 'StopTrading', reason: '' };
      return {
        id: hold.metadata.name,
        effect,
        ...(kellyFraction === undefined ? {} : { kellyFraction }),
        reason,
        by: makerOf(hold),
        ...(until === undefined ? {} : { until }),
      };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** When the next Hold ends by itself, epoch ms. */
export function nextEnd(holds: readonly Hold[], now: number): number | undefined {
  const ends = holds.flatMap(({ spec }) => (spec?.until === undefined ? [] : [Date.parse(spec.until)]));
  return ends.filter((end) => end > now).sort((a, b) => a - b)[0];
}

/** What a Hold's status is to say. `proven`: every pod runs a document with it; `system`: whether what it names is there. */
export interface HoldSeen {
  readonly hold: Hold;
  readonly system: 'found' | 'missing';
  readonly proven: boolean;
  readonly now: number;
}

export function holdStatus({ hold, system, proven, now }: HoldSeen): HoldStatus {
  const { generation = 0 } = hold.metadata;
  const at = new Date(now).toISOString();
  const ready = readiness({ hold, system, proven, now });
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

function readiness({ hold, system, proven, now }: HoldSeen): Verdict {
  if (isOver(hold, now)) return yes('Over', `ended at ${hold.spec?.until}; delete it when convenient`);
  if (system === 'missing') {
    return no('SystemNotFound', `systemRef: found no TradingSystem ${hold.spec?.systemRef.name} in this namespace`);
  }
  return proven ? yes('InForce', 'every pod runs it') : no('Propagating', 'not every pod has acknowledged yet');
}
