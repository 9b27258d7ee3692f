// How long a change of RiskParams takes until every pod runs it, on the warm system of `make up`; every change is a little
// tighter than the last. From the moment the apply is sent: its answer, the desired document in its ConfigMap, the same in
// Redis, the last pod's acknowledgement heard there, and the proof in `.status.runtime`, seen by a watch.
import { setTimeout as delay } from 'node:timers/promises';
import { clusterName, recordedWay } from '@tradewind/hack/up/clusters.ts';
import { Api } from '@tradewind/operator/runtime/client.ts';
import { findCredentials } from '@tradewind/operator/runtime/credentials.ts';
import type { Live, Resource } from '@tradewind/operator/runtime/object.ts';
import { Store } from '@tradewind/operator/runtime/store.ts';
import { watch } from '@tradewind/operator/runtime/watch.ts';
import type { Ack } from '@tradewind/workloads/contract/desired.ts';
import { acksKey, RELOAD } from '@tradewind/workloads/contract/keys.ts';
import { desiredMapOf, STAGES } from '@tradewind/workloads/contract/pods.ts';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { spreadFigures, type Figures, type Options } from './stats.ts';

const resource = (kind: string, plural: string): Resource => ({
  group: 'tradewind.io',
  version: 'v1alpha1',
  plural,
  kind,
});
const core = (kind: string, plural: string): Resource => ({ group: '', version: 'v1', plural, kind });
const RISK = resource('RiskParams', 'riskparams');
const SYSTEMS = resource('TradingSystem', 'tradingsystems');
const PLACE = { namespace: 'trading', name: 'demo' };
const KEY = 'trading/demo';
const WARM_UP = 5;
const WITHIN_MS = 10_000;
const PAUSE_MS = 100;

interface System extends Live {
  readonly status?: {
    readonly runtime?: { readonly acks?: { readonly acked: number; readonly expected: number; readonly hash: string } };
  };
}
interface RedisPod extends Live {
  readonly spec: { readonly volumes: readonly { readonly secret?: { readonly secretName: string } }[] };
  readonly status: { readonly podIP: string };
}
interface Risk extends Live {
  readonly spec: { readonly positionSizing: { readonly kellyFraction: number } };
}

/** Ends that are measured, in the order in which they are reached. */
const ENDS = ['answer', 'publication', 'carrying', 'lastAck', 'proof'] as const;
type Times = Readonly<Record<(typeof ENDS)[number], number>>;

interface Seats {
  readonly api: Api;
  readonly systems: Store<System>;
  readonly maps: Store<Live>;
  readonly redis: Redis;
}

/** Kelly from .2 down to .15 in `--changes` steps (default 100), then as it was. Rejects where one takes over 10 s. */
export async function reload({ values, progress }: Options): Promise<Figures> {
  const changes = Number(values['changes'] ?? 100);
  const record = recordedWay(clusterName(process.env));
  if (record === undefined) throw new Error('no system to measure: run `make up` first');
  process.env['KUBECONFIG'] = record.kubeconfig;
  const api = Api.open({ credentials: await findCredentials() });
  const stopping = new AbortController();
  const seats: Seats = { api, systems: new Store<System>(), maps: new Store<Live>(), redis: await connect(api) };
  const common = { api, namespace: PLACE.namespace, log: pino({ level: 'warn' }), signal: stopping.signal };
  const fieldSelector = `metadata.name=${desiredMapOf(PLACE.name)}`;
  const watching = Promise.all([
    watch({ ...common, resource: SYSTEMS, store: seats.systems }),
    watch({ ...common, resource: core('ConfigMap', 'configmaps'), fieldSelector, store: seats.maps }),
  ]);
  const before = (await api.get<Risk>(RISK, PLACE)).spec.positionSizing.kellyFraction;
  const all: Times[] = [];
  try {
    for (let i = -WARM_UP; i < changes; i++) {
      const kelly = Number((0.2 - (0.05 * (i + WARM_UP + 1)) / (changes + WARM_UP)).toFixed(6));
      const times = await within(change(seats, kelly));
      if (i >= 0) all.push(times);
      if (i % 20 === 0) progress(`${i} of ${changes}: ${times.lastAck.toFixed(1)} ms`);
      await delay(PAUSE_MS);
    }
  } finally {
    await applyKelly(api, before);
    stopping.abort();
    seats.redis.disconnect();
    await watching;
    api.close();
  }
  const figures = ENDS.map((end) => {
    const name = `applyTo${end.charAt(0).toUpperCase()}${end.slice(1)}Ms`;
    return spreadFigures(name, all.map((times) => times[end])); // prettier-ignore
  });
  return Object.assign({ changes }, ...figures) as Figures;
}

/** One change; how many ms after its start each end was reached. */
async function change({ api, systems, maps, redis }: Seats, kelly: number): Promise<Times> {
  const last = systems.get(KEY)?.status?.runtime?.acks?.hash ?? '';
  const started = performance.now();
  const ends = await Promise.all([
    applyKelly(api, kelly).then(() => performance.now()),
    firstChange(maps, () => true),
    heard(redis, RELOAD, () => true),
    lastAck(redis, last),
    firstChange(systems, ({ status }) => {
      const acks = status?.runtime?.acks;
      return acks !== undefined && acks.hash !== last && acks.expected > 0 && acks.acked >= acks.expected;
    }),
  ]);
  return Object.fromEntries(ENDS.map((end, i) => [end, (ends[i] ?? NaN) - started])) as Times;
}

/** What `kubectl apply --server-side` sends. */
async function applyKelly(api: Api, kellyFraction: number): Promise<void> {
  const spec = { positionSizing: { kellyFraction } };
  const object = { apiVersion: 'tradewind.io/v1alpha1', kind: 'RiskParams', metadata: PLACE, spec };
  await api.apply(RISK, object, 'tradewind-bench');
}

/** The managed Redis at its pod's own address, which this machine can reach in the embedded cluster. */
async function connect(api: Api): Promise<Redis> {
  const { namespace, name } = PLACE;
  const pod = await api.get<RedisPod>(core('Pod', 'pods'), { namespace, name: `${name}-redis-0` });
  const secretName = pod.spec.volumes.flatMap(({ secret }) => secret?.secretName ?? [])[0];
  if (secretName === undefined)
    throw new Error(`pod ${name}-redis-0: found no volume from a Secret, expected its password`);
  const secret = await api.get<Live & { data: Record<string, string> }>(core('Secret', 'secrets'), {
    namespace,
    name: secretName,
  });
  const password = Buffer.from(secret.data['password'] ?? '', 'base64').toString('utf8');
  const redis = new Redis({ host: pod.status.podIP, password, lazyConnect: true });
  await redis.connect();
  await redis.subscribe(acksKey(name), RELOAD);
  return redis;
}

/** When the last part acknowledged a document other than `last`. */
function lastAck(redis: Redis, last: string): Promise<number> {
  const waiting = new Set<string>(STAGES);
  return heard(redis, acksKey(PLACE.name), (text) => {
    const { part, hash, error } = JSON.parse(text) as Ack;
    if (hash !== last && error === undefined) waiting.delete(part);
    return waiting.size === 0;
  });
}

/** When the first message came on `channel` that is the last one to wait for. */
function heard(redis: Redis, channel: string, isLast: (text: string) => boolean): Promise<number> {
  return new Promise((resolve) => {
    const onMessage = (on: string, text: string): void => {
      if (on !== channel || !isLast(text)) return;
      redis.off('message', onMessage);
      resolve(performance.now());
    };
    redis.on('message', onMessage);
  });
}

/** When the store first had what was waited for. */
function firstChange<T extends Live>(store: Store<T>, isIt: (item: T) => boolean): Promise<number> {
  return new Promise((resolve) => {
    const undo = store.onChange((item) => {
      if (!isIt(item)) return;
      undo();
      resolve(performance.now());
    });
  });
}

async function within<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`not acknowledged by every pod within ${WITHIN_MS / 1_000} s`)),
    WITHIN_MS,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
