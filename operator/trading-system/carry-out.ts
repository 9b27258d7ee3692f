// Does what a plan says. Each write is idempotent: stopped between two of them, the next pass does the rest.
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { CHILDREN, PODS, SECRETS, type Child, type TradingSystem } from '../kinds.ts';
import { isSame, MANAGER } from '../runtime/apply.ts';
import type { Api } from '../runtime/client.ts';
import { endsPass, ignoreGone, isConflict, isNotFound } from '../runtime/errors.ts';
import type { Events } from '../runtime/events.ts';
import type { Wanted } from '../runtime/object.ts';
import type { Stores } from '../stores.ts';
import { applyStatus } from './apply-status.ts';
import { keepChildren, named } from './children.ts';
import { desiredMap } from './desired.ts';
import type { Known } from './observe.ts';
import { POKED, pokeValue, type Plan } from './plan.ts';
import { PUBLISHED_AT } from './proof.ts';
import type { Refusals } from './refusals.ts';
import { tellings } from './restart/tellings.ts';
import type { OwnStatus } from './status.ts';

export interface Hands {
  readonly api: Api;
  readonly stores: Stores;
  readonly events: Events;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface CarriedOut {
  /** In force now. */
  readonly document: DesiredDocument | undefined;
  /** As seen, with what has been recorded since. */
  readonly system: TradingSystem;
}

/**
 * What is to be remembered first, then the document, as a Hold waits for nothing; then the rest, whatever is refused of it.
 * Throws a conflict over record or document: what was seen is not what is there.
 */
export async function carryOut(
  hands: Hands,
  known: Known,
  { plan, refusals }: { readonly plan: Plan; readonly refusals: Refusals },
): Promise<CarriedOut> {
  const { document, secret } = plan;
  const system = await record(hands, known, plan);
  const isPublished =
    document !== undefined &&
    (await refusals.attempt(
      'desired document',
      () => publish(hands, known, document),
      (error) => endsPass(error) || isConflict(error),
    ));
  // Pods that name a Secret that is not there cannot start: what runs goes on meanwhile.
  if (secret === undefined || (await refusals.attempt(named(secret), () => createOnce(hands.api, secret)))) {
    await keepChildren(hands, known, { plan, refusals });
  }
  for (const pod of plan.pokes) {
    const annotations = { [POKED]: pokeValue(known) ?? '' };
    await refusals.attempt(named(pod), () =>
      hands.api.patchMetadata(PODS, pod.metadata, { annotations }, MANAGER).catch(ignoreGone),
    );
  }
  return { document: isPublished ? document : known.published, system };
}

/** Only over what was seen: a leader that is none any more cannot take a restart a step back. */
async function record(hands: Hands, { system }: Known, { restart }: Plan): Promise<TradingSystem> {
  const { runtime, ...before } = system.status ?? {};
  if (isSame(before.restart, restart)) return system;
  const { restart: _, ...others } = before;
  const status: OwnStatus = { ...others, ...(restart === undefined ? {} : { restart }) };
  const { metadata } = await applyStatus(hands, system, status);
  for (const occurrence of tellings(before.restart, restart)) hands.events.emit(system, occurrence);
  return { ...system, metadata, status: { ...status, ...(runtime === undefined ? {} : { runtime }) } };
}

/** With the resource version that was seen: a leader that does not know it is not one any more cannot overwrite a newer. */
async function publish(hands: Hands, known: Known, document: DesiredDocument): Promise<void> {
  const { api, stores, now } = hands;
  const wanted = desiredMap(known, document);
  const annotations = { [PUBLISHED_AT]: new Date(now()).toISOString() };
  const object = { ...wanted, metadata: { ...wanted.metadata, annotations } };
  const { map } = known;
  try {
    // Somebody has frozen it: only another can say more.
    if (map?.immutable === true) await api.delete(CHILDREN.ConfigMap, map);
    const made =
      map === undefined || map.immutable === true
        ? await api.create<Child>(CHILDREN.ConfigMap, object)
        : await api.update<Child>(CHILDREN.ConfigMap, atVersion(object, map));
    stores.children.ConfigMap.put(made);
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) await lookAtMap(hands, known, wanted);
    throw error;
  }
}

const atVersion = (object: Wanted, { metadata: { uid, resourceVersion } }: Child): Child => ({
  ...object,
  metadata: { ...object.metadata, uid, resourceVersion },
});

/** The ConfigMap as it is: without our labels the watch does not show it. The next pass goes on from there. */
async function lookAtMap({ api, stores }: Hands, { map }: Known, { metadata }: Wanted): Promise<void> {
  const { ConfigMap: store } = stores.children;
  try {
    store.put(await api.get<Child>(CHILDREN.ConfigMap, metadata));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (map !== undefined) store.drop(map);
  }
}

async function createOnce(api: Api, secret: Wanted): Promise<void> {
  try {
    await api.create(SECRETS, secret);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
