// The param server and the pods behind it, played: each pod that is ready takes a document that is newer than its own and
// acknowledges it; an older one is refused, as the real ones do.
import { isNewer, type DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { parseDesired } from '@tradewind/workloads/contract/parse-desired.ts';
import { ACKNOWLEDGING, desiredMapOf, PART_LABEL, SYSTEM_LABEL } from '@tradewind/workloads/contract/pods.ts';
import { restraintOf } from '@tradewind/workloads/contract/restraint.ts';
import { TRADING_SYSTEMS, type Pod, type TradingSystem } from '../kinds.ts';
import { isSame } from '../runtime/apply.ts';
import { keyOf } from '../runtime/object.ts';
import { isReady } from '../trading-system/components.ts';
import type { Scene } from './scene.ts';

const MANAGER = 'tradewind-param-server';

export class ParamServer {
  readonly #scene: Scene;
  /** By uid of the system. */
  readonly #carried = new Map<string, DesiredDocument>();
  /** Every document that was carried, in order. */
  readonly taken: DesiredDocument[] = [];
  /** Those that were older than the one in force. */
  readonly refused: DesiredDocument[] = [];
  /** While true, nothing is carried and nothing reported. */
  isAway = false;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async pass(): Promise<void> {
    if (this.isAway) return;
    for (const system of Array.from(this.#scene.systems.all())) {
      const pods = this.#podsOf(system);
      if (pods.some((pod) => partOf(pod) === 'param-server' && isReady(pod))) await this.#report(system, pods);
    }
  }

  #podsOf({ metadata }: TradingSystem): Pod[] {
    return [...this.#scene.pods.all()].filter(
      (pod) => pod.metadata.labels?.[SYSTEM_LABEL] === metadata.name && pod.metadata.deletionTimestamp === undefined,
    );
  }

  async #report(system: TradingSystem, pods: readonly Pod[]): Promise<void> {
    const document = this.#carry(system);
    if (document === undefined) return;
    const { hash, version } = document;
    const trading = pods.filter((pod) => ACKNOWLEDGING.some((part) => part === partOf(pod)));
    const pending = trading.filter((pod) => !isReady(pod)).map(({ metadata }) => metadata.name);
    const isUp = (part: string): boolean => pods.some((pod) => partOf(pod) === part && isReady(pod));
    const next = {
      acks: {
        acked: trading.length - pending.length,
        expected: trading.length,
        version,
        hash,
        pending: pending.sort(),
      },
      dataFlowing: isUp('ingest') || isUp('fused'),
      reconciled: (isUp('harmoniser') && isUp('ingest')) || isUp('fused'),
      drained: restraintOf(document, [], Date.now()).tradingStopped,
      redisConnected: isUp('redis'),
      breaker: { state: 'CLOSED', tripSeq: 0 },
      risk: { varPct: 0.5, drawdownPct: 0 },
    };
    const { observedAt: _, ...before } = system.status?.runtime ?? {};
    if (isSame(before, next)) return;
    const { apiVersion, kind, metadata } = system;
    const { namespace = '', name, uid } = metadata;
    const status = { runtime: { observedAt: new Date().toISOString(), ...next } };
    const object = { apiVersion, kind, metadata: { namespace, name, uid }, status };
    const { api, systems } = this.#scene;
    systems.put(await api.apply<TradingSystem>(TRADING_SYSTEMS, object, MANAGER, 'status'));
  }

  #carry({ metadata }: TradingSystem): DesiredDocument | undefined {
    const map = this.#scene.maps.get(keyOf({ ...metadata, name: desiredMapOf(metadata.name) }));
    const parsed = parseDesired(map?.data?.['desired.json'] ?? '');
    const carried = this.#carried.get(metadata.uid);
    if (!parsed.ok || parsed.document.owner !== metadata.uid || isSame(parsed.document, carried)) return carried;
    if (!isNewer(parsed.document, carried)) {
      this.refused.push(parsed.document);
      return carried;
    }
    this.taken.push(parsed.document);
    this.#carried.set(metadata.uid, parsed.document);
    return parsed.document;
  }
}

const partOf = ({ metadata }: Pod): string => metadata.labels?.[PART_LABEL] ?? '';
