// What a pod must know of its system that cannot change under it. Rendered by the operator into a ConfigMap; its hash is
// in the pod template, so a change rolls the pods. What may change under a running pod is in the desired document.
import type { TradingSystemSpec } from '@tradewind/crds/schema/trading-system.ts';

export interface SystemConfig {
  readonly system: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly execution: TradingSystemSpec['execution'];
  readonly symbols: TradingSystemSpec['symbols'];
  readonly sources: TradingSystemSpec['sources'];
  readonly shards: number;
  /** `redis://host:port`; the password comes by environment from a Secret. */
  readonly redisUrl: string;
  /** Where simulator sources are served: `ws://demo-simulator:8090` by source name. */
  readonly venueUrls: Readonly<Record<string, string>>;
}
