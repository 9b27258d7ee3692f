// The finalizer that keeps a deleted system until it has stopped: put on before anything is made, taken off at the end.
import { TRADING_SYSTEMS, type TradingSystem } from '../kinds.ts';
import { MANAGER } from '../runtime/apply.ts';
import { isNotFound } from '../runtime/errors.ts';
import type { Hands } from './carry-out.ts';
import { TOLD, type Deletion } from './deletion.ts';
import { FINALIZER, hasFinalizer } from './observe.ts';

/** Puts it on unless it is there. Throws a conflict where somebody has changed the object since. Idempotent. */
export async function addFinalizer({ api, stores }: Hands, system: TradingSystem): Promise<void> {
  if (hasFinalizer(system)) return;
  const { resourceVersion, finalizers = [] } = system.metadata;
  const metadata = { resourceVersion, finalizers: [...finalizers, FINALIZER] };
  stores.systems.put(await api.patchMetadata<TradingSystem>(TRADING_SYSTEMS, system.metadata, metadata, MANAGER));
}

/**
 * Takes it off, at the resource version that was seen. The answer is not kept: the object may be gone, and the watch says so.
 * Then tells how it ended.
 */
export async function release(
  { api, events }: Hands,
  system: TradingSystem,
  { reason }: Extract<Deletion, { step: 'Over' }>,
): Promise<void> {
  const { resourceVersion, finalizers = [] } = system.metadata;
  const metadata = { resourceVersion, finalizers: finalizers.filter((one) => one !== FINALIZER) };
  try {
    await api.patchMetadata(TRADING_SYSTEMS, system.metadata, metadata, MANAGER);
  } catch (error) {
    // Somebody else has taken it off.
    if (!isNotFound(error)) throw error;
    return;
  }
  const isGood = reason === 'Drained' || reason === 'NobodyLeft';
  events.emit(system, { type: isGood ? 'Normal' : 'Warning', reason, action: 'Delete', note: TOLD[reason] });
}
