// The job of the peer in controller-runtime/ on our own runtime, put together as operator/operator.ts is: Param → ConfigMap by
// server-side apply → status.observedSeq, drift repaired by watching the ConfigMaps it owns, eight workers. Bundled and run by
// the benchmarks; in its environment NS, MOUNT (as a pod's mounted token and CA) and the API server's host and port.
import { controllerReference, keyOf, type Live, type Resource } from '@tradewind/operator/runtime/object.ts';
import { MANAGER, STATUS_MANAGER, withHash } from '@tradewind/operator/runtime/apply.ts';
import { Api } from '@tradewind/operator/runtime/client.ts';
import { fromPod } from '@tradewind/operator/runtime/credentials.ts';
import { controllerMetrics } from '@tradewind/operator/runtime/metrics.ts';
import { withForeignFields } from '@tradewind/operator/runtime/drift.ts';
import { Queue } from '@tradewind/operator/runtime/queue.ts';
import { Store } from '@tradewind/operator/runtime/store.ts';
import { look, putRight } from '@tradewind/operator/runtime/upkeep.ts';
import { watch } from '@tradewind/operator/runtime/watch.ts';
import { SETTLED, work, type Outcome } from '@tradewind/operator/runtime/worker.ts';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

const WORKERS = 8;
const PARAMS: Resource = { group: 'bench.tradewind.io', version: 'v1', plural: 'params', kind: 'Param' };
const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
const OWNED = { 'app.kubernetes.io/managed-by': MANAGER };

interface Param extends Live {
  readonly spec: { readonly value: string; readonly seq: number };
  readonly status?: { readonly observedSeq?: number };
}
interface ConfigMap extends Live {
  readonly data?: Readonly<Record<string, string>>;
}

const { NS: namespace = 'default', MOUNT: mount = '', ...env } = process.env;
const log = pino({ level: 'info' });
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort());

const api = Api.open({ credentials: fromPod(env, mount), registry });
const params = new Store<Param>();
const maps = new Store<ConfigMap>({ trim: withForeignFields });
const target = { api, store: maps, resource: CONFIG_MAPS, shared: false, fenced: false };
const metrics = controllerMetrics(registry, 'param');
const queue = new Queue({ metrics });

async function reconcile(key: string): Promise<Outcome> {
  const param = params.get(key);
  if (param === undefined || param.metadata.deletionTimestamp !== undefined) return SETTLED;
  const { name, uid } = param.metadata;
  const { value, seq } = param.spec;
  const wanted = withHash({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, labels: OWNED, ownerReferences: [controllerReference(param)] },
    data: { value, seq: String(seq) },
  });
  const seen = look(target, wanted).kind;
  if (seen === 'due' || seen === 'drifted') await putRight(target, wanted);
  if (param.status?.observedSeq === seq) return SETTLED;
  const status = { observedSeq: seq };
  const told = { apiVersion: 'bench.tradewind.io/v1', kind: 'Param', metadata: { namespace, name, uid }, status };
  params.put(await api.apply<Param>(PARAMS, told, STATUS_MANAGER, 'status'));
  return SETTLED;
}

async function follow<T extends Live>(resource: Resource, store: Store<T>, labelSelector?: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onRecovered = (): void => queue.hurry();
  const scope = labelSelector === undefined ? {} : { labelSelector };
  const common = { api, log, signal: stopping.signal, onRecovered, onSynced: resolve };
  void watch({ ...common, ...scope, namespace, resource, store });
  await promise;
}

const [[label, manager]] = Object.entries(OWNED) as [[string, string]];
await Promise.all([follow(PARAMS, params), follow(CONFIG_MAPS, maps, `${label}=${manager}`)]);
const changed = ({ metadata }: Live): void => queue.add(keyOf(metadata));
params.onChange(changed);
maps.onChange(changed);
for (const { metadata } of params.all()) queue.add(keyOf(metadata), 0, 'resync');
stopping.signal.addEventListener('abort', () => queue.close(), { once: true });
await work({ controller: 'param', queue, reconcile, metrics, log, onFatal: () => process.exit(1) }, WORKERS);
api.close();
