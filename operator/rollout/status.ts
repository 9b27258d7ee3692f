// Where a revision of RiskParams or RouterRules stands in each system that refers to it, and what the object's status says of
// it. Pure.
import type { Condition, RevisionStatus } from '@tradewind/crds/schema/status.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { withoutEmptyLists } from '../runtime/apply.ts';
import { conditionsOf, MESSAGE_LIMIT, no, yes, type Verdict } from '../runtime/conditions.ts';

/** One system that refers to the object. */
export interface Follower {
  readonly name: string;
  readonly published: DesiredDocument | undefined;
  /** Revision of this object in what is published. */
  readonly publishedRevision: string | undefined;
  readonly proven: boolean;
  readonly acked: number;
  readonly expected: number;
  /** Changes wait for somebody to enable them. */
  readonly disabled: boolean;
  /** What pods said who refused. */
  readonly refusal: string | undefined;
}

type SystemRevision = NonNullable<RevisionStatus['systems']>[number];

export interface Standing {
  readonly generation: number;
  readonly revision: string;
  readonly followers: readonly Follower[];
  readonly before: RevisionStatus | undefined;
  /** RFC 3339. */
  readonly now: string;
}

/** Most systems that the schema takes. */
const MAX_SYSTEMS = 64;

/** From the least to the most advanced. */
const STAGES: readonly SystemRevision['stage'][] = ['Accepted', 'Propagating', 'Active'];

export function revisionStatusAfter(standing: Standing): RevisionStatus {
  const { generation, revision, followers, before, now } = standing;
  const systems = followers.map((follower) => systemRevision(standing, follower));
  const stage = STAGES.find((one) => systems.some((system) => system.stage === one));
  const isActive = stage === undefined || stage === 'Active';
  const active = isActive ? revision : (systems.find((system) => system.active !== revision)?.active ?? before?.active);
  return withoutEmptyLists<RevisionStatus>({
    observedGeneration: generation,
    ...(active === undefined ? {} : { active }),
    ...(isActive ? {} : { candidate: revision }),
    stage: stage ?? 'Accepted',
    systems: systems.slice(0, MAX_SYSTEMS),
    conditions: threeConditions(verdictOn(systems), { before: before?.conditions, generation, now }),
  });
}

/** What is stored does not fit the schema: what was active stays so. */
export function invalidRevisionStatus(
  before: RevisionStatus | undefined,
  issue: { path: string; found: string; expected: string } | undefined,
  { generation, now }: { readonly generation: number; readonly now: string },
): RevisionStatus {
  const verdict = no('Invalid', `spec.${issue?.path}: found ${issue?.found}, expected ${issue?.expected}`);
  return {
    ...before,
    observedGeneration: generation,
    conditions: threeConditions(verdict, { before: before?.conditions, generation, now, stalled: true }),
  };
}

function systemRevision(standing: Standing, follower: Follower): SystemRevision {
  const { revision, before, now } = standing;
  const { name, expected } = follower;
  const old = before?.systems?.find((system) => system.name === name);
  const stage = stageOf(revision, follower, old);
  const isUnchanged = old?.stage === stage && (old.candidate ?? old.active) === revision;
  const since = isUnchanged ? (old.since ?? now) : now;
  if (stage === 'Active') return { name, active: revision, stage, since, ...countOf(follower, old) };
  return {
    name,
    ...(old?.active === undefined ? {} : { active: old.active }),
    candidate: revision,
    stage,
    since,
    // While a document is on its way its count changes with every pod: only the end is worth a write.
    acked: 0,
    expected,
    message: messageOf(stage, follower).slice(0, MESSAGE_LIMIT),
  };
}

function messageOf(stage: SystemRevision['stage'], { refusal, disabled, expected }: Follower): string {
  if (refusal !== undefined) return refusal;
  if (stage !== 'Accepted') return `waits for ${expected} pods`;
  return disabled ? 'reconcile of the system is disabled' : 'waits for the operator to publish it';
}

/** Of the last time when all had: while another part of the document is on its way, it changes with every pod. */
const countOf = (
  { proven, acked, expected }: Follower,
  old: SystemRevision | undefined,
): Pick<SystemRevision, 'acked' | 'expected'> =>
  proven || old === undefined ? { acked, expected } : { acked: old.acked, expected: old.expected };

/** What every pod has acknowledged once stays Active while another part of the document is on its way, unless a pod refuses. */
function stageOf(revision: string, follower: Follower, old: SystemRevision | undefined): SystemRevision['stage'] {
  const { publishedRevision, proven, refusal } = follower;
  if (publishedRevision !== revision) return 'Accepted';
  const wasActive = old?.stage === 'Active' && old.active === revision && refusal === undefined;
  return proven || wasActive ? 'Active' : 'Propagating';
}

function verdictOn(systems: readonly SystemRevision[]): Verdict {
  if (systems.length === 0) return yes('NotReferenced', 'valid; no TradingSystem of this namespace refers to it');
  const late = systems.filter(({ stage }) => stage !== 'Active');
  if (late.length === 0) return yes('Active', 'every pod of every system has acknowledged it');
  const what = late.map(
    ({ name, stage, message }) => `${name}: ${stage}${message === undefined ? '' : `, ${message}`}`,
  );
  return no('Propagating', what.join('; '));
}

interface ConditionContext {
  readonly before: readonly Condition[] | undefined;
  readonly generation: number;
  readonly now: string;
  readonly stalled?: boolean;
}

function threeConditions(ready: Verdict, { before, stalled = false, ...at }: ConditionContext): Condition[] {
  const isMoving = ready.status !== 'True' && !stalled;
  return conditionsOf(
    {
      Ready: ready,
      Reconciling: isMoving ? yes(ready.reason, ready.message) : no(ready.reason),
      Stalled: stalled ? yes(ready.reason, ready.message) : no(ready.reason),
    },
    before,
    at,
  );
}
