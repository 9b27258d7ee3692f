// The annotation that pauses the router: which Hold stands for it, and what becomes of that Hold. Pure.
import { instant } from '@tradewind/crds/schema/field.ts';
import type { HoldSpec } from '@tradewind/crds/schema/hold.ts';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { HOLDS, type Hold, type TradingSystem } from '../kinds.ts';
import { apiVersionOf, type Wanted } from '../runtime/object.ts';
import {
  annotationOf,
  annotatorOf,
  handled,
  isFirstSight,
  PAUSE,
  PAUSE_UNTIL,
  seenCommand,
  type Command,
} from './annotations.ts';
import { BY, isOver } from './holds.ts';
import type { Known } from './observe.ts';
import { isProven } from './proof.ts';

/** Value that resumes; anything else pauses. */
const RESUME = 'false';

export interface WantedHold extends Wanted {
  readonly spec: HoldSpec;
}

export interface PausePlan {
  /** In force before anything else is done. Made once per value: when somebody deletes it, that is the resume. */
  readonly create: WantedHold | undefined;
  readonly remove: readonly Hold[];
  /** What the status records once that is done; undefined without the annotation. */
  readonly command: Command | undefined;
}

/** A vanished annotation lifts nothing, as tools drop annotations silently; but the same value counts anew when it comes back. */
export function planPause(known: Known, now: number): PausePlan {
  const value = annotationOf(known.system, PAUSE);
  if (value === undefined) return { create: undefined, remove: [], command: undefined };
  return value === RESUME ? planResume(known, now) : planHold(known, pauseAsked(known.system, value), now);
}

function planResume({ system, holds }: Known, now: number): PausePlan {
  const before = handled(system, PAUSE);
  if (before?.token === RESUME) return { create: undefined, remove: [], command: before };
  const outcome = isFirstSight(system) ? 'Recorded' : 'Resumed';
  return {
    create: undefined,
    remove: outcome === 'Resumed' ? annotationHolds(system, holds) : [],
    command: seenCommand(system, { annotation: PAUSE, token: RESUME, outcome, now }),
  };
}

function planHold(known: Known, asked: PauseAsked, now: number): PausePlan {
  const { system } = known;
  const before = handled(system, PAUSE);
  if (before?.token === asked.token) return { create: undefined, remove: replaced(known, asked.name), command: before };
  return {
    create: pauseHold(system, asked),
    remove: [],
    command: seenCommand(system, {
      annotation: PAUSE,
      token: asked.token,
      outcome: 'Paused',
      hold: asked.name,
      now,
    }),
  };
}

/** Holds of earlier values, once every pod runs the one that stands in their place: there is no gap. */
function replaced(known: Known, name: string): Hold[] {
  const { published, system, holds } = known;
  const isInForce = isProven(known, published) && published?.holds.some(({ id }) => id === name) === true;
  return isInForce ? annotationHolds(system, holds).filter(({ metadata }) => metadata.name !== name) : [];
}

interface PauseAsked {
  readonly reason: string;
  readonly until: string | undefined;
  /** What is wrong with the annotations; the router is paused all the same. */
  readonly complaint: string | undefined;
  readonly token: string;
  /** Of the Hold: each content has its own, as a Hold is immutable. */
  readonly name: string;
}

/** Longest reason that a Hold takes, in characters. */
const REASON_LIMIT = 256;
const UNTIL = instant('');

/** What the annotations ask for. A time that cannot be read pauses without end. */
function pauseAsked(system: TradingSystem, value: string): PauseAsked {
  const reason = Array.from(value).slice(0, REASON_LIMIT).join('') || 'no reason given';
  const end = annotationOf(system, PAUSE_UNTIL);
  const until = UNTIL.safeParse(end).success ? end : undefined;
  const complaint =
    end === until
      ? undefined
      : `metadata.annotations[${PAUSE_UNTIL}]: found ${JSON.stringify(end).slice(0, 80)}, ` +
        'expected a time such as 2026-12-31T15:00:00Z; paused without end';
  return { reason, until, complaint, token: tokenOf({ reason, until }), name: nameOf(system, { reason, until }) };
}

const tokenOf = ({ reason, until }: Pick<HoldSpec, 'reason' | 'until'>): string => contentHash({ reason, until });

const nameOf = ({ metadata }: TradingSystem, content: Pick<HoldSpec, 'reason' | 'until'>): string =>
  `${metadata.name}-pause-router-${tokenOf(content).slice(0, 8)}`;

/** Holds that stand for the annotation: no Hold that somebody made under a name of his own has the hash of its content in it. */
export const annotationHolds = (system: TradingSystem, holds: readonly Hold[]): Hold[] =>
  holds.filter(({ metadata, spec }) => spec?.effect === 'PauseRouter' && metadata.name === nameOf(system, spec));

function pauseHold(system: TradingSystem, { name, reason, until }: PauseAsked): WantedHold {
  const { namespace = '' } = system.metadata;
  const spec: HoldSpec = {
    systemRef: { name: system.metadata.name },
    effect: 'PauseRouter',
    reason,
    ...(until === undefined ? {} : { until }),
  };
  const by = `annotation (${annotatorOf(system, PAUSE)})`;
  return {
    apiVersion: apiVersionOf(HOLDS),
    kind: HOLDS.kind,
    metadata: { name, namespace, annotations: { [BY]: by } },
    spec,
  };
}

/** How to end the pause by annotation; undefined where none is in force. */
export function resumeHint({ system, holds }: Known, now: number): string | undefined {
  const isPaused = annotationHolds(system, holds).some((hold) => !isOver(hold, now));
  return isPaused ? `kubectl annotate tsys ${system.metadata.name} ${PAUSE}=${RESUME} --overwrite` : undefined;
}

/** What is wrong with the annotations, or not as whoever set them may think. */
export function pauseComplaints({ system, holds }: Known, now: number): string[] {
  const value = annotationOf(system, PAUSE);
  if (value === undefined) return [];
  const { outcome, token: seen } = handled(system, PAUSE) ?? {};
  if (value === RESUME) return outcome === 'Recorded' && seen === RESUME ? [NOT_ACTED_ON] : [];
  const { complaint, token, name } = pauseAsked(system, value);
  const isInForce = holds.some((hold) => hold.metadata.name === name && !isOver(hold, now));
  const spent = seen === token && !isInForce ? [SPENT] : [];
  return [...(complaint === undefined ? [] : [complaint]), ...spent];
}

const SPENT = `annotation ${PAUSE} is spent, as its Hold is over or deleted: another text pauses again`;
const NOT_ACTED_ON = `annotation ${PAUSE}=${RESUME} was there at first sight and lifted nothing`;
