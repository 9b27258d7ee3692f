// One pass over one trading system: observe → plan → apply → status. It may be stopped after any line and run again.
import type { Condition } from '@tradewind/crds/schema/status.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { desiredMapOf } from '@tradewind/workloads/contract/pods.ts';
import {
  CHILDREN,
  HOLDS,
  PODS,
  SECRETS,
  TRADING_SYSTEMS,
  type Child,
  type Hold,
  type TradingSystem,
} from '../kinds.ts';
import { applyIfNeeded, isSame, STATUS_MANAGER } from '../runtime/apply.ts';
import type { Api } from '../runtime/client.ts';
import { turned } from '../runtime/conditions.ts';
import { isConflict, isNotFound } from '../runtime/errors.ts';
import type { Events } from '../runtime/events.ts';
import { again, SETTLED, type Outcome } from '../runtime/worker.ts';
import type { Stores } from '../stores.ts';
import { holdStatus } from './holds.ts';
import { child, type Images } from './objects/frame.ts';
import { childKey, observe, type Seen } from './observe.ts';
import { planTradingSystem, POKED, pokeValue, PUBLISHED_AT, type Plan } from './plan.ts';
import { documentAfter, invalidStatus, isProven, statusAfter, type OwnStatus } from './status.ts';

export interface Deps {
  readonly api: Api;
  readonly stores: Stores;
  readonly events: Events;
  readonly images: Images;
  readonly lease: { readonly epoch: number; raise(least: number): Promise<void> };
  /** Epoch ms. */
  readonly now: () => number;
}

export async function reconcileTradingSystem(key: string, deps: Deps): Promise<Outcome> {
  const look = observe(key, deps.stores);
  if (look.kind === 'gone') {
    // Owner references collect the children; Holds stay, and say that they hold nothing.
    for (const hold of look.holds) await writeHoldStatus(deps, { hold, system: 'missing', proven: false });
    return SETTLED;
  }
  if (look.kind === 'invalid') {
    await writeStatus(deps, look.system, invalidStatus(look.system, look.issues[0], deps.now()));
    return SETTLED;
  }
  const { seen } = look;
  // Somebody deleted the Lease: what was published under the old one must not be newer than what we publish.
  if (isOfLaterEpoch(seen, deps.lease.epoch)) await deps.lease.raise((seen.published?.epoch ?? 0) + 1);

  const plan = planTradingSystem(seen, { images: deps.images, epoch: deps.lease.epoch, now: deps.now() });
  await applyInOrder(deps, seen, plan);

  await writeStatus(deps, seen.system, statusAfter(seen, plan, deps.now()));
  const proven = isProven(seen, documentAfter(seen, plan));
  for (const hold of seen.holds) await writeHoldStatus(deps, { hold, system: 'found', proven });
  return plan.lookAgainAt === undefined ? SETTLED : again(Math.max(1, plan.lookAgainAt - deps.now()));
}

const isOfLaterEpoch = ({ published, system }: Seen, epoch: number): boolean =>
  published !== undefined && published.owner === system.metadata.uid && published.epoch > epoch;

/** Each write is idempotent, and stopped between two of them the next pass does the rest. */
async function applyInOrder(deps: Deps, seen: Seen, plan: Plan): Promise<void> {
  const { api, stores, events } = deps;
  if (plan.document !== undefined) {
    await publish(deps, seen, plan.document);
    const { epoch, version, hash } = plan.document;
    events.emit(seen.system, {
      type: 'Normal',
      reason: 'Published',
      action: 'Publish',
      note: `desired document ${epoch}.${version} ${hash}`,
    });
  }
  if (plan.secret !== undefined) await createOnce(api, plan.secret);
  for (const wanted of plan.children) {
    const kind = wanted.kind as keyof typeof CHILDREN;
    await applyIfNeeded({ api, store: stores.children[kind], resource: CHILDREN[kind] }, wanted);
  }
  for (const item of plan.surplus) await deleteOnce(deps, item);
  for (const pod of plan.pokes) {
    await api.patchMetadata(PODS, pod.metadata, { annotations: { [POKED]: pokeValue(seen) ?? '' } }).catch(ignoreGone);
  }
}

/** With the resource version that was seen: a leader that does not know it is not one any more cannot overwrite a newer. */
async function publish({ api, stores, now }: Deps, seen: Seen, document: DesiredDocument): Promise<void> {
  const name = desiredMapOf(seen.system.metadata.name);
  const { ConfigMap: store } = stores.children;
  const live = seen.children.get(childKey('ConfigMap', name));
  const made = child(seen, 'ConfigMap', name, {
    data: { 'desired.json': JSON.stringify(document) },
  });
  const annotations = { [PUBLISHED_AT]: new Date(now()).toISOString() };
  const object = { ...made, metadata: { ...made.metadata, annotations } };
  if (live !== undefined) {
    const { uid, resourceVersion } = live.metadata;
    store.put(
      await api.update<Child>(CHILDREN.ConfigMap, {
        ...object,
        metadata: { ...object.metadata, uid, resourceVersion },
      }),
    );
    return;
  }
  try {
    store.put(await api.create<Child>(CHILDREN.ConfigMap, object));
  } catch (error) {
    // There, but not with our labels: taken over by the next pass.
    if (isConflict(error)) store.put(await api.get<Child>(CHILDREN.ConfigMap, { ...seen.system.metadata, name }));
    throw error;
  }
}

async function createOnce(api: Api, secret: NonNullable<Plan['secret']>): Promise<void> {
  try {
    await api.create(SECRETS, secret);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

async function deleteOnce({ api, events }: Deps, item: Child): Promise<void> {
  const kind = item.kind as keyof typeof CHILDREN;
  await api.delete(CHILDREN[kind], item).catch(ignoreGone);
  events.emit(item, { type: 'Normal', reason: 'Removed', action: 'Delete', note: 'no part of the system any more' });
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}

async function writeStatus({ api, stores, events }: Deps, system: TradingSystem, status: OwnStatus): Promise<void> {
  const { runtime: _, ...before } = system.status ?? {};
  if (isSame(before, status)) return;
  const { apiVersion, kind, metadata } = system;
  const { namespace = '', name } = metadata;
  const object = { apiVersion, kind, metadata: { namespace, name }, status };
  stores.systems.put(await api.apply<TradingSystem>(TRADING_SYSTEMS, object, STATUS_MANAGER, 'status'));
  // After the write, so that a retry tells nothing twice.
  for (const condition of turned(system.status?.conditions, status.conditions ?? [])) tell(events, system, condition);
}

/** Conditions whose turning a person wants to find under `kubectl describe`. */
const TOLD = new Set(['Ready', 'Stalled', 'TradingEnabled', 'RouterActive', 'BreakerClosed', 'DataFlowing']);

function tell(events: Events, system: TradingSystem, { type, status, reason, message }: Condition): void {
  const isGood = type === 'Stalled' ? status === 'False' : status === 'True';
  // Propagating lasts for milliseconds, at every change: Published says it already.
  if (!TOLD.has(type) || (type === 'Stalled' && isGood) || reason === 'Propagating') return;
  const note = `${type} is ${status}${message === '' ? '' : `: ${message}`}`;
  events.emit(system, { type: isGood || type === 'Ready' ? 'Normal' : 'Warning', reason, action: 'Reconcile', note });
}

interface HoldTold {
  readonly hold: Hold;
  readonly system: 'found' | 'missing';
  readonly proven: boolean;
}

async function writeHoldStatus({ api, stores, now }: Deps, told: HoldTold): Promise<void> {
  const { hold } = told;
  if (hold.metadata.deletionTimestamp !== undefined) return;
  const status = holdStatus({ ...told, now: now() });
  if (isSame(hold.status, status)) return;
  const { apiVersion, kind, metadata } = hold;
  const { namespace = '', name } = metadata;
  const object = { apiVersion, kind, metadata: { namespace, name }, status };
  try {
    stores.holds.put(await api.apply<Hold>(HOLDS, object, STATUS_MANAGER, 'status'));
  } catch (error) {
    ignoreGone(error);
  }
}
