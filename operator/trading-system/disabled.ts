// A system whose reconcile is switched off: changes wait, what restrains does not. Pure.
import type { DesiredContent } from '@tradewind/workloads/contract/desired.ts';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { covers } from '../runtime/apply.ts';
import type { TradingSystem } from '../kinds.ts';
import type { Wanted } from '../runtime/object.ts';
import { annotationOf, annotatorOf, isFirstSight, RECONCILE } from './annotations.ts';
import { desiredContent, lastContent, nextDocument } from './desired.ts';
import { childKey, type Seen } from './observe.ts';
import { lookAgainAt, NOTHING, planTradingSystem, type Plan, type PlanOptions } from './plan.ts';
import { isUnderWay } from './restart/record.ts';

/** Nothing is made, changed or removed, a restart stands still, and the document keeps what it says, but for Holds and a stop. */
export function planDisabled(seen: Seen, options: Pick<PlanOptions, 'images' | 'kinds' | 'epoch' | 'now'>): Plan {
  const { epoch, now } = options;
  const { restart } = seen.system.status ?? {};
  const enabled = planTradingSystem(seen, { ...options, stepMs: 0, openMs: 0, prometheus: undefined });
  const waiting = waitingIn(seen, enabled, now);
  const message = `changes wait for ${RECONCILE}=enabled: ${waiting.join(', ')}`;
  return {
    ...NOTHING,
    // A request that was there at first sight is taken note of, so that it does not count as new once this is enabled.
    restart: isFirstSight(seen.system) && !isUnderWay(enabled.restart) ? enabled.restart : restart,
    isGateOpen: false,
    document: nextDocument(seen, disabledContent(seen, now), epoch),
    pokes: enabled.pokes,
    blockers: [
      ...(waiting.length === 0 ? [] : [{ who: 'others', reason: 'Disabled', message } as const]),
      ...enabled.blockers.filter(({ reason }) => reason !== 'Restarting' || isUnderWay(restart)),
    ],
    lookAgainAt: lookAgainAt(seen, now),
    ...(enabled.unmonitored === undefined ? {} : { unmonitored: enabled.unmonitored }),
  };
}

function waitingIn(seen: Seen, enabled: Plan, now: number): string[] {
  const { restart } = seen.system.status ?? {};
  const toApply = new Set(enabled.children.map(nameOf));
  const objects = [
    ...(enabled.secret === undefined ? [] : [enabled.secret]),
    ...enabled.children.filter((one) => !isThere(seen, one)),
    ...enabled.wanted.filter((one) => !toApply.has(nameOf(one))),
    ...enabled.surplus,
  ];
  const isRestartWaiting = isUnderWay(restart) || isUnderWay(enabled.restart);
  const isSame = isSameContent(disabledContent(seen, now), desiredContent(seen, restart, now));
  return [
    ...(isSame ? [] : ['the desired document']),
    ...(isRestartWaiting ? ['an ordered restart'] : []),
    ...objects.map(nameOf),
  ];
}

const nameOf = ({ kind, metadata }: Wanted): string => `${kind} ${metadata.name}`;

/** Where the document is lost, what it said is not known: then Holds reach the pods in one that says Stopped. */
function disabledContent(seen: Seen, now: number): DesiredContent | undefined {
  const last = lastContent(seen, now);
  if (last !== undefined || seen.system.status?.desired === undefined) return last;
  const next = desiredContent(seen, seen.system.status?.restart, now);
  return next === undefined ? undefined : { ...next, trading: 'Stopped' };
}

const isSameContent = (a: DesiredContent | undefined, b: DesiredContent | undefined): boolean =>
  b === undefined || (a !== undefined && contentHash(a) === contentHash(b));

const isThere = ({ children }: Seen, wanted: Plan['children'][number]): boolean =>
  covers(children.get(childKey(wanted.kind, wanted.metadata.name)), wanted);

/** Who switched it off, and what that means. */
export function disabledBy(system: TradingSystem): string {
  const value = annotationOf(system, RECONCILE);
  const by = `${RECONCILE}=${value} by ${annotatorOf(system, RECONCILE)}`;
  const means = 'no change is carried out; Holds, pauses, stops and deletion are';
  if (value === 'disabled') return `${by}: ${means}`;
  return `metadata.annotations[${RECONCILE}]: found ${JSON.stringify(value).slice(0, 80)}, expected enabled or disabled; taken for disabled: ${means}`;
}
