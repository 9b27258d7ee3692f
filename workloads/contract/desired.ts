// The desired document: what one system's pods must run, as one JSON text. The operator writes it, the param server
// carries it, pods apply and acknowledge it.
import type { RiskParamsSpec } from '@tradewind/crds/schema/risk-params.ts';
import type { RouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import type { HoldSpec } from '@tradewind/crds/schema/hold.ts';
import type { TradingSystemSpec } from '@tradewind/crds/schema/trading-system.ts';
import { contentHash } from './canonical.ts';

/** One Hold in force: by name, so that only a release that names it lifts it. */
export interface ActiveHold {
  readonly id: string;
  readonly effect: HoldSpec['effect'];
  readonly kellyFraction?: number;
  readonly reason: string;
  readonly by: string;
  /** RFC 3339; absent = until deleted. Pods enforce it by their own clock. */
  readonly until?: string;
}

/** Everything that the hash covers. */
export interface DesiredContent {
  readonly system: { readonly name: string; readonly namespace: string };
  readonly trading: 'Enabled' | 'Stopped';
  readonly capitalUsd: number;
  readonly hardLimits: TradingSystemSpec['hardLimits'];
  readonly risk: { readonly revision: string; readonly params: RiskParamsSpec };
  readonly rules: { readonly revision: string; readonly rules: RouterRulesSpec };
  readonly holds: readonly ActiveHold[];
  /** Which of the system's Redis servers is in use; absent where there is only one, or Sentinels say. */
  readonly redis?: { readonly active: string };
}

/** Documents are ordered by epoch, then version, within one owner. A new owner replaces a document only by the operator's
 * word: the param server checks that the old owner is gone. */
export interface DesiredOrder {
  /** uid of the TradingSystem. */
  readonly owner: string;
  /** Transitions of the operator's Lease: the later leader wins. */
  readonly epoch: number;
  readonly version: number;
}

export interface DesiredDocument extends DesiredOrder, DesiredContent {
  readonly hash: string;
}

/** The document for a content; its hash is over the content alone, so that the same content keeps its hash. */
export function desiredDocument(order: DesiredOrder, content: DesiredContent): DesiredDocument {
  return { owner: order.owner, epoch: order.epoch, version: order.version, hash: contentHash(content), ...content };
}

/** Whether `next` may replace `current` in a pod or in Redis: same owner and later, or another owner. */
export function isNewer(next: DesiredOrder, current: DesiredOrder | undefined): boolean {
  if (current === undefined || next.owner !== current.owner) return true;
  if (next.epoch !== current.epoch) return next.epoch > current.epoch;
  return next.version > current.version;
}

/** A pod's word that it runs a document (or why it does not). */
export interface Ack {
  readonly uid: string;
  readonly pod: string;
  readonly part: string;
  readonly shard: number;
  readonly epoch: number;
  readonly version: number;
  readonly hash: string;
  /** Epoch ms at which the document was in force in the pod. */
  readonly at: number;
  readonly error?: string;
}
