// The param server's side toward the API server: one ConfigMap and the system's pods in, `.status.runtime` out.
import { Api } from '@tradewind/operator/runtime/client.ts';
import { findCredentials } from '@tradewind/operator/runtime/credentials.ts';
import type { Live, Resource } from '@tradewind/operator/runtime/object.ts';
import { Store } from '@tradewind/operator/runtime/store.ts';
import { watch } from '@tradewind/operator/runtime/watch.ts';
import type { Registry } from 'prom-client';
import type { DesiredDocument } from '../contract/desired.ts';
import { parseDesired } from '../contract/parse-desired.ts';
import { ACKNOWLEDGING, desiredMapOf, PART_LABEL, SHARD_LABEL, shardIn, SYSTEM_LABEL } from '../contract/pods.ts';
import type { PodConfig } from '../kit/config.ts';
import type { Logger } from '../kit/log.ts';
import type { ExpectedPod } from './evidence.ts';
import type { Runtime } from './runtime.ts';

const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
const PODS: Resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' };
const SYSTEMS: Resource = {
  group: 'tradewind.io',
  version: 'v1alpha1',
  plural: 'tradingsystems',
  kind: 'TradingSystem',
};
/** Field manager of `.status.runtime`, and of nothing else. */
const MANAGER = 'tradewind-param-server';

interface ConfigMap extends Live {
  readonly data?: Readonly<Record<string, string>>;
}
interface Pod extends Live {
  readonly status?: { readonly phase?: string };
}

export interface ApiSide {
  /** What the operator published last; undefined before the first. One that cannot be read is logged and leaves the old one. */
  document(): DesiredDocument | undefined;
  /** Whether document and pods are known whole; before, nothing follows from a pod's absence. */
  isSynced(): boolean;
  /** Pods that must acknowledge: those that are not on their way out. */
  pods(): ExpectedPod[];
  /** Server-side apply of `.status.runtime`. Rejects with an ApiError. */
  write(runtime: Runtime): Promise<void>;
  readonly done: Promise<void>;
  close(): void;
}

export interface ApiSideOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly registry: Registry;
  /** The document or the pods changed. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

export async function openApiSide({ pod, log, registry, onChange, signal }: ApiSideOptions): Promise<ApiSide> {
  const api = Api.open({ credentials: await findCredentials(), registry });
  const { name, namespace, uid } = pod.system.system;
  const maps = new Store<ConfigMap>();
  const pods = new Store<Pod>({ trim: trimPod });
  let document: DesiredDocument | undefined;
  maps.onChange(({ data }) => {
    const parsed = parseDesired(data?.['desired.json'] ?? '');
    if (!parsed.ok) return log.error({ problem: parsed.problem }, 'desired document of the ConfigMap refused');
    if (parsed.document.owner !== uid)
      return log.error({ owner: parsed.document.owner }, 'desired document of another owner refused');
    document = parsed.document;
    return onChange();
  });
  pods.onChange(onChange);
  const unsynced = new Set<Resource>([CONFIG_MAPS, PODS]);
  const onSynced = (resource: Resource) => (): void => {
    if (unsynced.delete(resource) && unsynced.size === 0) onChange();
  };
  const common = { api, log, namespace, signal };
  const done = Promise.all([
    watch({
      ...common,
      resource: CONFIG_MAPS,
      fieldSelector: `metadata.name=${desiredMapOf(name)}`,
      store: maps,
      onSynced: onSynced(CONFIG_MAPS),
    }),
    watch({
      ...common,
      resource: PODS,
      labelSelector: `${SYSTEM_LABEL}=${name}`,
      store: pods,
      onSynced: onSynced(PODS),
    }),
  ]);
  return {
    document: () => document,
    isSynced: () => unsynced.size === 0,
    pods: () => [...pods.all()].flatMap(expected),
    write: async (runtime) => {
      const status = { runtime };
      const system = {
        apiVersion: 'tradewind.io/v1alpha1',
        kind: 'TradingSystem',
        metadata: { namespace, name },
        status,
      };
      await api.apply(SYSTEMS, system, MANAGER, 'status');
    },
    done: done.then(() => undefined),
    close: () => api.close(),
  };
}

function expected({ metadata: { uid, name, labels = {}, deletionTimestamp }, status }: Pod): ExpectedPod[] {
  const part = ACKNOWLEDGING.find((one) => one === labels[PART_LABEL]);
  if (part === undefined || deletionTimestamp !== undefined) return [];
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return [];
  return [{ uid, name, part, shard: shardIn(labels[SHARD_LABEL] ?? '0') }];
}

const trimPod = ({ apiVersion, kind, metadata, status }: Pod): Pod => {
  const { managedFields: _, ...kept } = metadata;
  return { apiVersion, kind, metadata: kept, status: { phase: status?.phase ?? '' } };
};
