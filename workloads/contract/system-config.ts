// What a pod must know of its system that cannot change under it. Rendered by the operator into a ConfigMap; its hash is
// in the pod template, so a change rolls the pods. What may change under a running pod is in the desired document.
import type { TradingSystemSpec } from '@tradewind/crds/schema/trading-system.ts';

export interface SystemConfig {
  readonly system: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly execution: TradingSystemSpec['execution'];
  readonly symbols: TradingSystemSpec['symbols'];
  readonly sources: TradingSystemSpec['sources'];
  readonly shards: number;
  /** Absent: Split, so that the text, and with it the hash, is as it was before there was another. */
  readonly topology?: 'Fused';
  /** `redis://host:port`: the only one, or where to begin before a document was read. Credentials come by environment. */
  readonly redisUrl: string;
  /** An external Redis; absent where the operator runs it. */
  readonly redis?: {
    /** The document says which of them is in use, except where they are Sentinels. */
    readonly urls: readonly string[];
    /** `urls` are Sentinels, and this is the master that they watch. */
    readonly masterName?: string;
    /** To every url, whatever its scheme. */
    readonly tls: boolean;
  };
  /** Where simulator sources are served: `ws://demo-simulator:8090` by source name. */
  readonly venueUrls: Readonly<Record<string, string>>;
}
