// One pass over one trading system: observe → plan → carry out → status. It may be stopped after any line and run again.
import type { Condition } from '@tradewind/crds/schema/status.ts';
import { HOLDS, type Hold, type TradingSystem } from '../kinds.ts';
import { applyStatus } from './apply-status.ts';
import { isSame, STATUS_MANAGER } from '../runtime/apply.ts';
import { conditionIn, turned } from '../runtime/conditions.ts';
import { endsPass, ignoreGone, isConflict, isNotFound } from '../runtime/errors.ts';
import type { Events } from '../runtime/events.ts';
import { again, SETTLED, type Outcome } from '../runtime/worker.ts';
import { isDisabled, type Command } from './annotations.ts';
import { carryOut, type Hands } from './carry-out.ts';
import { obeyCommands, tellCommands } from './commands.ts';
import { lapOf, planDeletion } from './deletion.ts';
import { floorOf } from './desired.ts';
import { planDisabled } from './disabled.ts';
import { addFinalizer, release } from './finalizer.ts';
import { holdStatus, type HoldSeen } from './holds.ts';
import type { Images } from './objects/frame.ts';
import { afterOurWrites, isDeleting, knownIn, observe, type Known, type Look } from './observe.ts';
import { planMismatch, planTradingSystem, planUnreadable, type Plan } from './plan.ts';
import { Refusals } from './refusals.ts';
import { isProven } from './proof.ts';
import { renewPrometheus, type PrometheusSeen } from './restart/prometheus.ts';
import type { Stopwatch } from './restart/stopwatch.ts';
import { settledAt, statusAfter, type OwnStatus } from './status.ts';

export interface Deps extends Hands {
  readonly images: Images;
  /** Of restarts, one for all passes of this process. */
  readonly stopwatch: Stopwatch;
  readonly lease: { readonly epoch: number; raise(least: number): Promise<void> };
}

export async function reconcileTradingSystem(key: string, deps: Deps): Promise<Outcome> {
  const refusals = new Refusals();
  const now = deps.now();
  const first = observe(key, deps.stores);
  const commands = first.kind === 'gone' ? [] : await prepare(deps, knownIn(first), { refusals, now });
  // Again, as a pause that was just commanded must be in the document of this pass.
  const look = observe(key, deps.stores);
  if (look.kind === 'gone') {
    deps.stopwatch.forget(key);
    // Owner references collect the children; Holds stay, and say that they hold nothing.
    const nothing = { system: 'missing', document: undefined, proven: false } as const;
    await writeHoldStatuses(deps, refusals, { ...nothing, holds: look.holds });
    return outcomeOf(refusals, undefined);
  }
  const known = knownIn(look);
  // Somebody deleted the Lease: what was published under the old one must not be newer than what we publish.
  const floor = floorOf(known);
  if (floor !== undefined && floor.epoch > deps.lease.epoch) await deps.lease.raise(floor.epoch + 1);

  const prometheus = look.kind === 'seen' ? await renewPrometheus(deps.api, look.seen) : undefined;
  const plan = planOf(key, look, { deps, now, prometheus });
  if (plan.deletion?.step === 'Over') {
    await release(deps, known.system, plan.deletion);
    return SETTLED;
  }
  const { document, system } = await carryOut(deps, known, { plan, refusals });

  const after = afterOurWrites(system, deps.stores);
  const status = statusAfter(after, plan, { document, blockers: refusals.blockers, commands }, deps.now());
  const untilMs = settledAt(after, status, deps.now()) - deps.now();
  if (untilMs <= 0) {
    await refusals.attempt('status', () => writeStatus(deps, system, status));
    const proven = isProven(known, document);
    await writeHoldStatuses(deps, refusals, { system: 'found', document, proven, holds: known.holds });
  }
  // What came due while this pass went on was not in its plan: then another follows at once.
  const waits = [
    plan.lookAgainAt === undefined ? Infinity : plan.lookAgainAt - deps.now(),
    untilMs > 0 ? untilMs : Infinity,
    refusals.againAt - deps.now(),
  ];
  const nextMs = Math.min(...waits);
  return outcomeOf(refusals, nextMs === Infinity ? undefined : Math.max(1, nextMs));
}

interface Pass {
  readonly refusals: Refusals;
  /** Epoch ms. */
  readonly now: number;
}

/** What must be there before anything is planned. Gives the commands that were seen. */
async function prepare(deps: Deps, known: Known, pass: Pass): Promise<readonly Command[]> {
  const { system } = known;
  if (isDeleting(system)) return system.status?.commands ?? [];
  const isStale = (error: unknown): boolean => endsPass(error) || isConflict(error) || isNotFound(error);
  await pass.refusals.attempt('finalizer', () => addFinalizer(deps, system), isStale);
  return obeyCommands(deps, known, pass);
}

interface Planning {
  readonly deps: Deps;
  /** Epoch ms. */
  readonly now: number;
  readonly prometheus: PrometheusSeen | undefined;
}

function planOf(key: string, look: Exclude<Look, { kind: 'gone' }>, { deps, now, prometheus }: Planning): Plan {
  const { images, lease, stopwatch } = deps;
  const options = { images, epoch: lease.epoch, now };
  const { system } = knownIn(look);
  if (isDeleting(system)) return planDeletion(look, { ...options, ...stopwatch.readStep(key, lapOf(system)) });
  const { kinds, mismatch } = deps.stores.offers.now;
  if (mismatch !== undefined) return planMismatch(knownIn(look), mismatch, options);
  if (look.kind === 'invalid') return planUnreadable(look.known, look.issues, options);
  if (isDisabled(system)) {
    // A restart that stands still is not on the clock.
    stopwatch.forget(key);
    return planDisabled(look.seen, { ...options, kinds });
  }
  const { restart } = system.status ?? {};
  const plan = planTradingSystem(look.seen, { ...options, ...stopwatch.read(key, restart), prometheus, kinds });
  stopwatch.note(key, plan.isGateOpen);
  return plan;
}

function outcomeOf({ error }: Refusals, afterMs: number | undefined): Outcome {
  if (error !== undefined) return { kind: 'failed', error, afterMs };
  return afterMs === undefined ? SETTLED : again(afterMs);
}

async function writeStatus(deps: Deps, system: TradingSystem, status: OwnStatus): Promise<void> {
  const { runtime: _, ...before } = system.status ?? {};
  if (isSame(before, status)) return;
  await applyStatus(deps, system, status);
  const { events } = deps;
  // After the write, so that a retry tells nothing twice.
  for (const condition of turned(system.status?.conditions, status.conditions ?? [])) tell(events, system, condition);
  tellCommands(events, system, status.commands);
  tellDeletion(events, system, status);
  const { desired } = status;
  if (desired === undefined || isSame(desired, system.status?.desired)) return;
  const note = `desired document ${desired.epoch}.${desired.version} ${desired.hash}`;
  events.emit(system, { type: 'Normal', reason: 'Published', action: 'Publish', note });
}

/** Conditions whose turning a person wants to find under `kubectl describe`. */
const TOLD = new Set([
  'Ready',
  'Stalled',
  'TradingEnabled',
  'RouterActive',
  'BreakerClosed',
  'DataFlowing',
  'FlattenOnDelete',
  'Disabled',
]);

function tell(events: Events, system: TradingSystem, { type, status, reason, message }: Condition): void {
  const isGood = type === 'Stalled' ? status === 'False' : status === 'True';
  // Propagating lasts for milliseconds, at every change: Published says it already.
  if (!TOLD.has(type) || (type === 'Stalled' && isGood) || reason === 'Propagating') return;
  const note = `${type} is ${status}${message === '' ? '' : `: ${message}`}`;
  events.emit(system, { type: isGood || type === 'Ready' ? 'Normal' : 'Warning', reason, action: 'Reconcile', note });
}

function tellDeletion(events: Events, system: TradingSystem, { deletion, conditions }: OwnStatus): void {
  if (deletion === undefined || deletion.step === system.status?.deletion?.step) return;
  const note = conditionIn(conditions, 'Ready')?.message ?? '';
  events.emit(system, { type: 'Normal', reason: deletion.step, action: 'Delete', note });
}

interface Held extends Omit<HoldSeen, 'hold' | 'now'> {
  readonly holds: readonly Hold[];
}

async function writeHoldStatuses(deps: Deps, refusals: Refusals, { holds, ...held }: Held): Promise<void> {
  for (const hold of holds) {
    if (hold.metadata.deletionTimestamp !== undefined) continue;
    const seen = { ...held, hold, now: deps.now() };
    await refusals.attempt(`Hold ${hold.metadata.name}`, () => writeHoldStatus(deps, seen).catch(ignoreGone));
  }
}

async function writeHoldStatus({ api, stores }: Deps, seen: HoldSeen): Promise<void> {
  const { hold } = seen;
  const status = holdStatus(seen);
  if (isSame(hold.status, status)) return;
  const { apiVersion, kind, metadata } = hold;
  const { namespace = '', name, resourceVersion } = metadata;
  const object = { apiVersion, kind, metadata: { namespace, name, resourceVersion }, status };
  stores.holds.put(await api.apply<Hold>(HOLDS, object, STATUS_MANAGER, 'status'));
}
