// The status of a trading system into the API server. The only place that writes it.
import { TRADING_SYSTEMS, type TradingSystem } from '../kinds.ts';
import { STATUS_MANAGER } from '../runtime/apply.ts';
import type { Hands } from './carry-out.ts';
import type { OwnStatus } from './status.ts';

/**
 * Server-side apply of all but `runtime`, over the object that was seen only: else it rejects with a conflict, so that neither
 * an old cache nor a leader that is none any more takes a status back. The answer goes into the store at once.
 */
export async function applyStatus(
  { api, stores }: Hands,
  { apiVersion, kind, metadata: { namespace = '', name, resourceVersion } }: TradingSystem,
  status: OwnStatus,
): Promise<TradingSystem> {
  const metadata = { namespace, name, resourceVersion };
  const written = await api.apply<TradingSystem>(
    TRADING_SYSTEMS,
    { apiVersion, kind, metadata, status } as never,
    STATUS_MANAGER,
    'status',
  );
  stores.systems.put(written);
  return written;
}
