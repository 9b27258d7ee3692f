// What each step of an ordered restart waits for. Pure: one question per step, answered from what was seen.
import { isTradingPart, PART_LABEL, tradingParts, type Part } from '@tradewind/workloads/contract/pods.ts';
import { isReady, isUp } from '../components.ts';
import { isOwnedBy, type Seen } from '../observe.ts';
import { acknowledgingPods, isProven, refusalIn, unprovenOf } from '../proof.ts';
import { RESTART_ID } from './held-back.ts';
import type { Child, Pod } from '../../kinds.ts';
import type { PrometheusSeen } from './prometheus.ts';
import type { Step } from './steps.ts';

export interface Moment {
  /** Of the restart. */
  readonly id: string;
  /** Since the step was first seen under way. */
  readonly stepMs: number;
  /** Undefined until it was asked. */
  readonly prometheus: PrometheusSeen | undefined;
}

/** Why the step is not over; undefined when it is. */
export function waitOf(step: Step, seen: Seen, { id, stepMs, prometheus }: Moment): string | undefined {
  if ('stop' in step) return stopping(seen, step.stop);
  if ('start' in step) return starting(seen, step.start);
  switch (step.name) {
    case 'StopTrading':
      return untold(seen);
    case 'Drain':
      return undrained(seen, stepMs);
    case 'RestartRedis':
      return renewing(seen, id);
    case 'RestartPrometheus':
      if (prometheus === undefined) return 'it was not asked yet';
      return prometheus.is === 'renewing' ? prometheus.wait : undefined;
    case 'WaitRedis':
      return first(notUp(seen, 'redis'), redisAway(seen));
    case 'VerifyDataFlow':
      return first(...tradingParts(seen.topology).map((part) => starting(seen, part)), notFlowing(seen));
    case 'ResumeTrading':
      return atRisk(seen);
  }
}

const first = (...reasons: readonly (string | undefined)[]): string | undefined =>
  reasons.find((reason) => reason !== undefined);

const podsOf = ({ pods }: Seen, part: Part): Pod[] =>
  pods.filter(({ metadata }) => metadata.labels?.[PART_LABEL] === part);

const workloadsOf = ({ children, system }: Seen, part: Part): Child[] =>
  [...children.values()].filter(
    (child) =>
      (child.kind === 'Deployment' || child.kind === 'StatefulSet') &&
      child.metadata.labels?.[PART_LABEL] === part &&
      isOwnedBy(child, system.metadata.uid),
  );

const namesOf = (objects: readonly (Child | Pod)[]): string => objects.map(({ metadata }) => metadata.name).join(', ');

/**
 * Every pod that is up runs a document that says Stopped. One that is not ready has lost Redis or does not run: it opens nothing,
 * and to wait for it would keep the remedy from what is ill.
 */
function untold(seen: Seen): string | undefined {
  const { published } = seen;
  if (published === undefined) return undefined;
  if (published.trading !== 'Stopped') return 'the document that stops trading is not published yet';
  const late = unprovenOf(seen, acknowledgingPods(seen).filter(isReady));
  return late.length === 0 ? undefined : `not acknowledged by ${namesOf(late)}`;
}

/** What cannot be known is waited for as long as the runbook does, and no longer: no pod opens anything without Redis. */
function undrained(seen: Seen, stepMs: number): string | undefined {
  const { drained } = seen.system.status?.runtime ?? {};
  if (drained === true) return undefined;
  if (drained === false) return 'orders are open, or a log is not on disk yet';
  return stepMs < seen.spec.restart.drainSeconds * 1_000 ? 'no pod says whether orders are open' : undefined;
}

function stopping(seen: Seen, part: Part): string | undefined {
  const unscaled = workloadsOf(seen, part).filter(
    ({ spec, status, metadata }) =>
      spec?.replicas !== 0 || (status?.observedGeneration ?? 0) < (metadata.generation ?? 0),
  );
  if (unscaled.length > 0) return `${namesOf(unscaled)} is being scaled to 0`;
  const left = podsOf(seen, part);
  return left.length === 0 ? undefined : `${namesOf(left)} still exists`;
}

function renewing(seen: Seen, id: string): string | undefined {
  const pods = podsOf(seen, 'redis');
  const old = pods.filter(({ metadata }) => metadata.annotations?.[RESTART_ID] !== id);
  if (old.length > 0) return `${namesOf(old)} still exists`;
  return pods.length === 0 ? 'no pod of Redis yet' : undefined;
}

function notUp(seen: Seen, part: Part): string | undefined {
  const workloads = workloadsOf(seen, part);
  const late = workloads.filter((workload) => !isUp(workload));
  return late.length === 0 ? undefined : `${namesOf(late)} is not ready`;
}

function starting(seen: Seen, part: Part): string | undefined {
  const workloads = workloadsOf(seen, part);
  if (workloads.length === 0) return `no Deployment of ${part} yet`;
  return notUp(seen, part) ?? (isTradingPart(part) ? unacknowledged(seen, part) : undefined);
}

function unacknowledged(seen: Seen, part: Part): string | undefined {
  const late = unprovenOf(seen, podsOf(seen, part));
  return late.length === 0 ? undefined : (refusalIn(seen.system) ?? `not acknowledged by ${namesOf(late)}`);
}

const redisAway = ({ system }: Seen): string | undefined =>
  system.status?.runtime?.redisConnected === true ? undefined : 'the param server is not connected to Redis';

function notFlowing(seen: Seen): string | undefined {
  const { runtime } = seen.system.status ?? {};
  if (!isProven(seen, seen.published)) return 'not every pod has acknowledged the desired document';
  if (runtime?.dataFlowing !== true) return 'no data flows yet';
  return runtime.reconciled === true ? undefined : 'positions are not reconciled with the venue yet';
}

function atRisk({ system, risk }: Seen): string | undefined {
  const { breaker, risk: now } = system.status?.runtime ?? {};
  if (breaker?.state !== 'CLOSED') return `the breaker is ${breaker?.state ?? 'not reported'}`;
  const gatePct = risk.found === 'yes' ? risk.spec.limits.var.gatePct : undefined;
  if (gatePct === undefined) return 'the RiskParams cannot be read';
  const varPct = now?.varPct;
  if (varPct === undefined) return 'VaR is not reported';
  return varPct > gatePct ? `VaR is ${varPct} %, above gatePct ${gatePct} %` : undefined;
}
