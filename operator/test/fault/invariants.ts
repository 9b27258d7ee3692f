// What must hold of every version of a status, as kstatus and people read it. Pure; each gives what is wrong, in words.
import type { Condition } from '@tradewind/crds/schema/status.ts';
import type { Live } from '../../runtime/object.ts';

/** An object of ours, as it stands. */
export interface Told extends Live {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly phase?: string;
    readonly trading?: string;
    readonly ready?: string;
    readonly components?: readonly { readonly ready: number; readonly desired: number }[];
  };
}

interface Pair {
  readonly before: Told | undefined;
  readonly now: Told;
}

type Check = (pair: Pair) => string | false | undefined;

const conditionIn = ({ status }: Told, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);
const is = (object: Told, type: string, status: Condition['status']): boolean =>
  conditionIn(object, type)?.status === status;
const isUp = ({ status }: Told): boolean =>
  (status?.components?.length ?? 0) > 0 && status?.components?.every(({ ready, desired }) => ready >= desired) === true;

const REASON = /^[A-Z][A-Za-z0-9]{0,127}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function malformed({ now }: Pair): string | undefined {
  const conditions = now.status?.conditions ?? [];
  if (new Set(conditions.map(({ type }) => type)).size < conditions.length) return 'a type of condition is there twice';
  const bad = conditions.find(
    ({ status, reason, lastTransitionTime }) =>
      !['True', 'False', 'Unknown'].includes(status) || !REASON.test(reason) || !TIME.test(lastTransitionTime),
  );
  return bad && `malformed condition ${JSON.stringify(bad)}`;
}

/** A time moves when its status turns, and only then. */
function timeAstray({ before, now }: Pair): string | undefined {
  const astray = before?.status?.conditions?.find((old) => {
    const next = conditionIn(now, old.type);
    return next !== undefined && (next.lastTransitionTime === old.lastTransitionTime) !== (next.status === old.status);
  });
  // Within one second of the clock a turn may keep its time where times have no finer grain; ours are in ms.
  return astray && `${astray.type} turned without its time, or its time without it`;
}

function otherGeneration({ now }: Pair): string | undefined {
  const { observedGeneration = 0, conditions = [] } = now.status ?? {};
  if (observedGeneration > (now.metadata.generation ?? 0))
    return `has seen generation ${observedGeneration}, which is not there yet`;
  const other = conditions.find((condition) => condition.observedGeneration !== observedGeneration);
  return other && `${other.type} is of generation ${other.observedGeneration}, the status of ${observedGeneration}`;
}

function generationBackwards({ before, now }: Pair): string | false {
  const [old = 0, next = 0] = [before?.status?.observedGeneration, now.status?.observedGeneration];
  return next < old && `observedGeneration went from ${old} to ${next}`;
}

const readyAndMoving: Check = ({ now }) =>
  is(now, 'Ready', 'True') &&
  (is(now, 'Reconciling', 'True') || is(now, 'Stalled', 'True')) &&
  'Ready while Reconciling or Stalled';

const movingAndStalled: Check = ({ now }) =>
  is(now, 'Reconciling', 'True') && is(now, 'Stalled', 'True') && 'Reconciling and Stalled at once';

const neither: Check = ({ now }) =>
  conditionIn(now, 'Ready') !== undefined &&
  !is(now, 'Ready', 'True') &&
  !is(now, 'Reconciling', 'True') &&
  !is(now, 'Stalled', 'True') &&
  'neither Ready nor Reconciling nor Stalled';

const COMMON: readonly Check[] = [
  malformed,
  timeAstray,
  otherGeneration,
  generationBackwards,
  readyAndMoving,
  movingAndStalled,
  neither,
];

/** Phases in which every part is up; in all others but these and `ANY_PARTS`, some part is not. */
const UP_PHASES = ['Running', 'Stopped'];
const ANY_PARTS = ['Restarting', 'Deleting'];

function phaseAstray({ now }: Pair): string | false {
  const { phase = '', trading } = now.status ?? {};
  if (ANY_PARTS.includes(phase)) return false;
  if (isUp(now) !== UP_PHASES.includes(phase)) return `phase ${phase} while ${now.status?.ready} parts are ready`;
  return (
    UP_PHASES.includes(phase) &&
    (phase === 'Running') !== (trading === 'Enabled') &&
    `phase ${phase}, trading ${trading}`
  );
}

function readyAstray({ now }: Pair): string | false {
  const { components = [], ready, phase = '' } = now.status ?? {};
  const count = components.filter((one) => one.ready >= one.desired).length;
  if (ready !== `${count}/${components.length}`)
    return `ready says ${ready}, the components ${count}/${components.length}`;
  return is(now, 'Ready', 'True') && !UP_PHASES.includes(phase) && `Ready in phase ${phase}`;
}

const tradingAstray: Check = ({ now }) =>
  is(now, 'TradingEnabled', 'True') !== (now.status?.trading === 'Enabled') &&
  `TradingEnabled is ${conditionIn(now, 'TradingEnabled')?.status}, trading ${now.status?.trading}`;

const OF_SYSTEMS: readonly Check[] = [phaseAstray, readyAstray, tradingAstray];

/** All that is wrong with `now`, which followed `before`. A status that the operator has not written yet is in order. */
export function violationsIn(before: Told | undefined, now: Told): string[] {
  if (now.status?.conditions === undefined) return [];
  const isSameObject = before?.metadata.uid === now.metadata.uid;
  const pair = { before: isSameObject ? before : undefined, now };
  const checks = now.kind === 'TradingSystem' ? [...COMMON, ...OF_SYSTEMS] : COMMON;
  return checks.flatMap((check) => check(pair) || []).map((what) => `${now.kind} ${now.metadata.name}: ${what}`);
}

/** Current in kstatus' words: what it is to be, as of the generation that is there. */
export const isCurrent = (object: Told): boolean =>
  object.metadata.deletionTimestamp === undefined &&
  object.status?.observedGeneration === object.metadata.generation &&
  is(object, 'Ready', 'True');
