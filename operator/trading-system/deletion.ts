// The way of a system out: trading is stopped, then drained, then the finalizer lets it go and the garbage collector takes its
// children. Pure; finalizer.ts does the writing.
import type { TradingSystemSpec, TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import { PART_LABEL, type Part } from '@tradewind/workloads/contract/pods.ts';
import type { Pod, TradingSystem } from '../kinds.ts';
import { desiredContent, lastContent, nextDocument } from './desired.ts';
import { knownIn, type Known, type Look } from './observe.ts';
import { lookAgainAt, NOTHING, pokesOf, type Plan } from './plan.ts';
import { acknowledgingPods, unprovenOf } from './proof.ts';

/** Under way: as the status records it. */
type Underway = NonNullable<TradingSystemStatus['deletion']>;

export type Deletion =
  /** Until every pod that sends orders has acknowledged that trading is stopped. */
  | (Underway & { readonly step: 'Stopping' })
  /** Until no order is open and every log is on disk. */
  | (Underway & { readonly step: 'Draining' })
  /** The finalizer goes. */
  | { readonly step: 'Over'; readonly reason: 'Drained' | 'NobodyLeft' | 'NotStopped' | 'NotDrained' };

export interface Facts {
  /** No pod that trades exists, terminating ones included, and what is published lets none begin. */
  readonly isAlone: boolean;
  readonly isStopped: boolean;
  readonly isDrained: boolean;
}

export type Limits = Pick<TradingSystemSpec['restart'], 'drainSeconds' | 'timeoutSeconds'>;

/** What time has to do with it. */
export interface Timing {
  readonly limits: Limits;
  /** Epoch ms; for the record only. */
  readonly now: number;
  /** Since this process first saw the step under way, by its monotonic clock. */
  readonly stepMs: number;
}

/** Where a deletion stands, given where it stood. */
export function deletionAfter(before: Underway | undefined, facts: Facts, timing: Timing): Deletion {
  const first: Deletion = before ?? begun('Stopping', timing);
  let state = first;
  for (;;) {
    // What has just begun has lasted no time.
    const stepMs = before !== undefined && state === first ? timing.stepMs : 0;
    const next = nextStep(state, facts, { ...timing, stepMs });
    if (next === state) return state;
    state = next;
  }
}

function nextStep(state: Deletion, facts: Facts, timing: Timing): Deletion {
  switch (state.step) {
    case 'Stopping':
      if (facts.isAlone) return { step: 'Over', reason: 'NobodyLeft' };
      if (facts.isStopped) return begun('Draining', timing);
      return leftMs(state, timing) <= 0 ? { step: 'Over', reason: 'NotStopped' } : state;
    case 'Draining':
      if (facts.isAlone) return { step: 'Over', reason: 'NobodyLeft' };
      if (facts.isDrained) return { step: 'Over', reason: 'Drained' };
      return leftMs(state, timing) <= 0 ? { step: 'Over', reason: 'NotDrained' } : state;
    case 'Over':
      return state;
  }
}

const limitMs = (step: Underway['step'], { timeoutSeconds, drainSeconds }: Limits): number =>
  (step === 'Stopping' ? timeoutSeconds : drainSeconds) * 1_000;
const leftMs = ({ step }: Underway, { limits, stepMs }: Timing): number => limitMs(step, limits) - stepMs;

function begun(step: Underway['step'], { limits, now }: Timing): Deletion {
  const deadline = new Date(now + limitMs(step, limits)).toISOString();
  return { step, since: new Date(now).toISOString(), deadline };
}

/** What tells a step from any other, for a stopwatch. */
export const lapOf = ({ status }: TradingSystem): string =>
  `deletion ${status?.deletion?.step} ${status?.deletion?.since}`;

/** The schema's own, where the spec cannot be read. */
const DEFAULT_LIMITS: Limits = { drainSeconds: 10, timeoutSeconds: 300 };

/** What to do about a system that is being deleted. Nothing is made or put right any more; Holds still reach the pods. */
export function planDeletion(
  look: Exclude<Look, { kind: 'gone' }>,
  { epoch, now, stepMs }: { readonly epoch: number; readonly now: number; readonly stepMs: number },
): Plan {
  const known = knownIn(look);
  const before = known.system.status?.deletion;
  const timing = { limits: look.kind === 'seen' ? look.seen.spec.restart : DEFAULT_LIMITS, now, stepMs };
  const deletion = deletionAfter(before, factsOf(known), timing);
  const blockers = [{ who: 'others', reason: 'Deleting', message: messageOf(deletion, known) }] as const;
  const { restart } = known.system.status ?? {};
  const left = { ...NOTHING, restart, isGateOpen: false, blockers, deletion };
  if (deletion.step === 'Over') return { ...left, document: undefined, pokes: [], lookAgainAt: undefined };
  return {
    ...left,
    document: mayPublish(known) ? nextDocument(known, stoppedContent(look, now), epoch) : undefined,
    pokes: pokesOf(known, now),
    lookAgainAt: lookAgainAt(
      known,
      now,
      deletion === before ? leftMs(deletion, timing) : limitMs(deletion.step, timing.limits),
    ),
  };
}

function stoppedContent(look: Exclude<Look, { kind: 'gone' }>, now: number) {
  const content =
    lastContent(knownIn(look), now) ?? (look.kind === 'seen' ? desiredContent(look.seen, undefined, now) : undefined);
  return content === undefined ? undefined : { ...content, trading: 'Stopped' as const };
}

/** In a deletion in the foreground the garbage collector takes the children first: one made anew would keep it going for ever. */
const mayPublish = ({ system, map }: Known): boolean =>
  map !== undefined || system.metadata.finalizers?.includes('foregroundDeletion') !== true;

function factsOf(known: Known): Facts {
  const { published, system } = known;
  const isStopped = published?.trading === 'Stopped' && whoMayTrade(known).length === 0;
  return {
    isAlone: acknowledgingPods(known).length === 0 && published?.trading !== 'Enabled',
    isStopped,
    isDrained: isStopped && system.status?.runtime?.drained === true,
  };
}

/** Parts whose pods send orders. */
const SENDERS: ReadonlySet<string> = new Set<Part>(['harmoniser', 'fused']);

/**
 * Those that send orders, and of which it is not proven that they have stopped. Whether the others have acknowledged is no
 * matter any more.
 */
const whoMayTrade = (known: Known): readonly Pod[] =>
  unprovenOf(
    known,
    acknowledgingPods(known).filter(({ metadata }) => SENDERS.has(metadata.labels?.[PART_LABEL] ?? '')),
  );

function messageOf(deletion: Deletion, known: Known): string {
  switch (deletion.step) {
    case 'Stopping': {
      const names = whoMayTrade(known).map(({ metadata }) => metadata.name);
      return `waits until ${deletion.deadline} for pods to acknowledge that trading is stopped: ${names.join(', ')}`;
    }
    case 'Draining':
      return `trading is stopped; waits until ${deletion.deadline} for open orders to end and logs to be on disk`;
    case 'Over':
      return TOLD[deletion.reason];
  }
}

/** What the last Event says. */
export const TOLD: Readonly<Record<Extract<Deletion, { step: 'Over' }>['reason'], string>> = {
  Drained: 'trading was stopped and drained',
  NobodyLeft: 'no pod that trades is left',
  NotStopped: 'not every pod acknowledged in time that trading is stopped; they are ended now',
  NotDrained: 'trading was stopped; what was open in the end is not known',
};
