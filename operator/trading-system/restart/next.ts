// What comes next in an ordered restart: begin, advance, fail, abort. A total function of the record and of what was seen. Pure.
// The record is written before anything is done for it, so whoever takes over goes on at the same step.
import { LONGEST_ID } from '@tradewind/crds/schema/trading-system-status.ts';
import { isFirstSight } from '../annotations.ts';
import type { Seen } from '../observe.ts';
import { isProven, publishedAt } from '../proof.ts';
import { waitOf } from './gates.ts';
import { START_ORDER, startOrderOf, type Restarted } from './graph.ts';
import type { Pending } from './held-back.ts';
import {
  currentOf,
  isStopped,
  isUnderWay,
  isUnfinished,
  stopsTrading,
  type Restart,
  type StepRecord,
} from './record.ts';
import { ASK_AGAIN_MS, type PrometheusSeen } from './prometheus.ts';
import { AFTER_ABORT, stepNamed, stepsFor, type Step } from './steps.ts';

/** Annotation that asks for a restart: a new value starts one, `abort` (or `abort-…`) brings all up. */
export const REQUEST = 'tradewind.io/restart';
/** A document that is on its way when a restart is asked for has this long to arrive; one that never does must not keep the remedy away. */
const LET_ARRIVE_MS = 10_000;

export interface Facts {
  /** Epoch ms; for the record only. */
  readonly now: number;
  /** Since this process first saw the step under way, by its monotonic clock. */
  readonly stepMs: number;
  /** Since it has seen the step's gate open without a break; 0 where it has not. */
  readonly openMs: number;
  /** Templates that wait for their turn. */
  readonly pending: Pending;
  /** Undefined until it was asked. */
  readonly prometheus: PrometheusSeen | undefined;
}

export interface Next {
  readonly restart: Restart | undefined;
  /** Of the step under way: why it is not over; absent where its gate is open, or none is under way. */
  readonly wait?: string | undefined;
  /** Something is due by then though nothing may change, ms. */
  readonly lookAgainMs?: number;
}

export function nextRestart(seen: Seen, facts: Facts): Next {
  const restart = seen.system.status?.restart;
  const request = newRequest(seen);
  // Found with the object at first sight: restored or re-applied, nobody asks for it now.
  if (request !== undefined && isFirstSight(seen.system)) {
    return { restart: { ...restart, requested: request } };
  }
  if (isAbort(request)) return { restart: aborted(seen, { ...restart, requested: request }, facts.now) };
  const due = request === undefined ? rollout(restart, facts.pending) : requested(seen, request);
  if (due === undefined) return isUnderWay(restart) ? advance(seen, restart, facts) : { restart };
  const arrivesMs = isUnderWay(restart) ? 0 : arrivalMs(seen, facts.now);
  if (arrivesMs > 0) return { restart, lookAgainMs: arrivesMs };
  return { restart: begun(due, restart, { seen, now: facts.now }) };
}

/** A value that was not taken yet. */
function newRequest({ system: { metadata, status } }: Seen): string | undefined {
  const value = metadata.annotations?.[REQUEST]?.slice(0, LONGEST_ID) ?? '';
  return value === '' || value === status?.restart?.requested ? undefined : value;
}

/** How long a document that is on its way may still take; 0 where none is. */
function arrivalMs(seen: Seen, now: number): number {
  if (isProven(seen, seen.published)) return 0;
  return Math.max(0, publishedAt(seen, now) + LET_ARRIVE_MS - now);
}

const isAbort = (request: string | undefined): request is string =>
  request === 'abort' || request?.startsWith('abort-') === true;

interface Due {
  readonly id: string;
  readonly cause: 'Requested' | 'Rollout';
  readonly requested: string | undefined;
  readonly parts: readonly Restarted[];
  readonly withPrometheus: boolean;
}

const requested = ({ spec }: Seen, request: string): Due => ({
  id: request,
  cause: 'Requested',
  requested: request,
  parts: startOrderOf(spec.topology),
  withPrometheus: spec.monitoring.prometheusRef !== undefined,
});

/** Templates that changed: not beside a requested restart, which gives them to the pods anyway, and not again what was aborted. */
function rollout(restart: Restart | undefined, { parts, id }: Pending): Due | undefined {
  if (parts.length === 0 || restart?.id === id) return undefined;
  if (isUnderWay(restart) && restart.cause === 'Requested') return undefined;
  return { id, cause: 'Rollout', requested: restart?.requested, parts, withPrometheus: false };
}

/** From the first step; who is stopped stays so, and trading that is stopped stays so until this one has resumed it. */
function begun(
  due: Due,
  before: Restart | undefined,
  { seen, now }: { readonly seen: Seen; readonly now: number },
): Restart {
  const stopped = START_ORDER.filter((part) => isStopped(before, part));
  const parts = START_ORDER.filter((part) => due.parts.includes(part) || stopped.includes(part));
  const steps = stepsFor(parts, { withPrometheus: due.withPrometheus, withTrading: stopsTrading(before) });
  const at = new Date(now).toISOString();
  const records = steps.map((step): StepRecord => {
    const isDone = 'stop' in step && stopped.includes(step.stop);
    return isDone
      ? { name: step.name, state: 'Done', startedAt: at, endedAt: at }
      : { name: step.name, state: 'Pending' };
  });
  const begins: Restart = {
    id: due.id,
    cause: due.cause,
    ...(due.requested === undefined ? {} : { requested: due.requested }),
    state: 'Running',
    startedAt: at,
    steps: records,
  };
  return entered(begins, seen, now);
}

/** All is brought up at once; what was not done is skipped, and trading resumes only when data flows. */
function aborted(seen: Seen, restart: Restart, now: number): Restart {
  if (!isUnfinished(restart) || restart.state === 'Aborting') return restart;
  const at = new Date(now).toISOString();
  const { step: _, endedAt: __, ...kept } = restart;
  const steps = restart.steps?.map((step): StepRecord => {
    if (AFTER_ABORT.has(step.name)) return { name: step.name, state: 'Pending' };
    return step.state === 'Done' ? step : { ...step, state: 'Skipped', endedAt: at, message: 'aborted' };
  });
  return entered({ ...kept, state: 'Aborting', ...(steps === undefined ? {} : { steps }) }, seen, now);
}

function advance(seen: Seen, restart: Restart, { now, stepMs, openMs, prometheus }: Facts): Next {
  const step = stepNamed(currentOf(restart)?.name ?? '');
  // A record that this version does not know: nothing is brought up by guess.
  if (step === undefined) return { restart: failed(restart, 'the record has no step to go on with', now) };
  const { settleSeconds, timeoutSeconds } = seen.spec.restart;
  const wait = waitOf(step, seen, { id: restart.id ?? '', stepMs, prometheus });
  const settleMs = 'start' in step ? settleSeconds * 1_000 - openMs : 0;
  if (wait === undefined && settleMs <= 0) {
    const why = step.name === 'RestartPrometheus' && prometheus?.is === 'beyond-us' ? prometheus.why : undefined;
    return { restart: entered(ended(restart, now, why), seen, now) };
  }
  const leftMs = timeoutSeconds * 1_000 - stepMs;
  if (leftMs <= 0) return { wait, restart: failed(restart, wait ?? `not steady for ${settleSeconds} s`, now) };
  const lookAgainMs = Math.min(leftMs, wait === undefined ? settleMs : dueMs(step, seen, stepMs));
  return { restart, wait, lookAgainMs };
}

/** When the gate may open without anything that we would see. */
function dueMs(step: Step, { spec }: Seen, stepMs: number): number {
  if (step.name === 'RestartPrometheus') return ASK_AGAIN_MS;
  const drainMs = spec.restart.drainSeconds * 1_000 - stepMs;
  return step.name === 'Drain' && drainMs > 0 ? drainMs : Infinity;
}

const mapCurrent = (restart: Restart, of: (step: StepRecord) => StepRecord): Restart => ({
  ...restart,
  steps: (restart.steps ?? []).map((step) => (step.state === 'Running' ? of(step) : step)),
});

/** `why`: it is skipped for that. */
function ended(restart: Restart, now: number, why: string | undefined): Restart {
  const endedAt = new Date(now).toISOString();
  return mapCurrent(restart, ({ deadline: _deadline, ...step }) =>
    why === undefined ? { ...step, state: 'Done', endedAt } : { ...step, state: 'Skipped', endedAt, message: why },
  );
}

function failed(restart: Restart, message: string, now: number): Restart {
  const endedAt = new Date(now).toISOString();
  return {
    ...mapCurrent(restart, (step) => ({ ...step, state: 'Failed', endedAt, message: message.slice(0, 1_024) })),
    state: 'Failed',
  };
}

/** The first step that waits begins; those that have nothing to do are skipped; after the last the restart is over. */
function entered(restart: Restart, seen: Seen, now: number): Restart {
  const [at, deadline] = [now, now + seen.spec.restart.timeoutSeconds * 1_000].map((ms) => new Date(ms).toISOString());
  const steps = [...(restart.steps ?? [])];
  for (const [i, step] of steps.entries()) {
    if (step.state !== 'Pending') continue;
    const message = needless(stepNamed(step.name), seen);
    if (message === undefined) {
      const running: StepRecord = { name: step.name, state: 'Running', startedAt: at, deadline };
      return { ...restart, step: step.name, steps: steps.with(i, running) };
    }
    steps[i] = { name: step.name, state: 'Skipped', message };
  }
  const { step: _, ...kept } = restart;
  return { ...kept, state: restart.state === 'Aborting' ? 'Aborted' : 'Done', endedAt: at, steps };
}

function needless(step: Step | undefined, { spec }: Seen): string | undefined {
  if (step?.name === 'RestartRedis' && spec.redis.managed === undefined) return 'Redis is not ours to restart';
  if (step?.name === 'ResumeTrading' && spec.trading === 'Stopped') return 'spec.trading is Stopped';
  return undefined;
}
