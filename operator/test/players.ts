// What a cluster with nodes would do, played on one without: Deployments and StatefulSets get their pods and become ready,
// what has lost its owner is collected, and the param server acknowledges what is published. Level-based, as the real ones.
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { CHILDREN, MONITORING_GROUP, PODS, SECRETS, TRADING_SYSTEMS, type Child, type Pod } from '../kinds.ts';
import { isSame } from '../runtime/apply.ts';
import { Api } from '../runtime/client.ts';
import type { Credentials } from '../runtime/credentials.ts';
import { ApiError } from '../runtime/errors.ts';
import { keyOf, type Live, type Resource } from '../runtime/object.ts';
import { Store } from '../runtime/store.ts';
import { watch } from '../runtime/watch.ts';
import { isReady } from '../trading-system/components.ts';
import { ParamServer } from './param-server.ts';
import type { Scene, Workload } from './scene.ts';

const TEMPLATE = 'test.tradewind.io/template';
/** Kinds of children that this API server knows. */
export const PRESENT = Object.values(CHILDREN).filter(({ group }) => group !== MONITORING_GROUP);
const WORKLOADS = [CHILDREN.Deployment, CHILDREN.StatefulSet] as const;

export interface PlayersOptions {
  readonly credentials: Credentials;
  readonly namespace: string;
}

export class Players {
  readonly #scene: Scene;
  readonly #ending = new AbortController();
  readonly #paramServer: ParamServer;
  readonly #wake: () => void;
  #changed = Promise.withResolvers<void>();
  #done: Promise<unknown> = Promise.resolve();
  /** Names of pods made, in order: a part that is rolled without need shows here. */
  readonly podsMade: string[] = [];
  /** Parts whose pods are made and do not become ready. */
  readonly stuck = new Set<string>();

  constructor({ credentials, namespace }: PlayersOptions) {
    // Of two kinds in one store the names must differ; those of the children do.
    this.#scene = {
      api: Api.open({ credentials }),
      namespace,
      systems: new Store(),
      maps: new Store(),
      workloads: new Store(),
      pods: new Store(),
    };
    this.#paramServer = new ParamServer(this.#scene);
    this.#wake = () => this.#changed.resolve();
  }

  get paramServer(): ParamServer {
    return this.#paramServer;
  }

  /** Whether nothing is left of any system: no workload, no pod, no document. */
  get isEmpty(): boolean {
    const { workloads, pods, maps } = this.#scene;
    return [workloads, pods, maps].every((store) => [...store.all()].length === 0);
  }

  /** Plays until `stop`. */
  async start(): Promise<void> {
    const { api, namespace, systems, maps, pods } = this.#scene;
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } };
    await api.create(CHILDREN.ServiceAccount, account).catch(ignore(409));
    const watches = [
      this.#follow(TRADING_SYSTEMS, systems),
      this.#follow(CHILDREN.ConfigMap, maps),
      this.#follow(PODS, pods),
      ...WORKLOADS.map((resource) => this.#follow(resource, new Store<Workload>(), this.#scene.workloads)),
    ];
    await Promise.all(watches.map(({ synced }) => synced));
    this.#done = Promise.all([...watches.map(({ ended }) => ended), this.#play()]);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#wake();
    await this.#done;
    this.#scene.api.close();
  }

  /** Looks again: something that no watch shows has changed, such as `stuck`. */
  wake(): void {
    this.#wake();
  }

  #follow<T extends Live>(resource: Resource, store: Store<T>, shared: Store<T> = store) {
    const { promise: synced, resolve } = Promise.withResolvers<void>();
    const { api, namespace } = this.#scene;
    store.onChange((item) => {
      if (shared !== store && store.get(keyOf(item.metadata)) === item) shared.put(item);
      else if (shared !== store) shared.drop(item);
      this.#wake();
    });
    const log = pino({ level: 'silent' });
    const options = { api, resource, namespace, store, log, onSynced: resolve, signal: this.#ending.signal };
    return { synced, ended: watch(options) };
  }

  async #play(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#changed = Promise.withResolvers();
      try {
        await this.#collect();
        for (const workload of Array.from(this.#scene.workloads.all())) await this.#runPods(workload);
        await this.#paramServer.pass();
      } catch (error) {
        // A conflict, or gone in between: what is seen next tells.
        if (!(error instanceof ApiError)) throw error;
        await delay(20);
        continue;
      }
      await this.#changed.promise;
    }
  }

  /** As the garbage collector: what names an owner that is not there any more. The owners are asked for last, and live. */
  async #collect(): Promise<void> {
    const { api, namespace, systems, maps, workloads, pods } = this.#scene;
    const seen = ownersAmong([...systems.all(), ...workloads.all()]);
    if (![...maps.all(), ...workloads.all(), ...pods.all()].some((item) => isOrphan(item, seen))) return;
    const found: [Resource, Live][] = [];
    for (const resource of [...PRESENT, SECRETS, PODS])
      found.push(
        ...(await api.list<Live>(resource, namespace, {})).items.map((item): [Resource, Live] => [resource, item]),
      );
    const live = await Promise.all(
      [TRADING_SYSTEMS, ...WORKLOADS].map((resource) => api.list<Live>(resource, namespace, {})),
    );
    const owners = ownersAmong(live.flatMap(({ items }) => items));
    for (const [resource, item] of found) if (isOrphan(item, owners)) await this.#remove(resource, item);
  }

  async #remove(resource: Resource, item: Live): Promise<void> {
    await this.#scene.api.delete(resource, item).catch(ignore(404, 409));
  }

  async #runPods(workload: Workload): Promise<void> {
    const { pods } = this.#scene;
    const { metadata, spec } = workload;
    if (metadata.deletionTimestamp !== undefined) return;
    const template = contentHash(spec?.template);
    const own = [...pods.all()].filter((pod) => isOf(pod, workload));
    const old = own.filter((pod) => pod.metadata.annotations?.[TEMPLATE] !== template);
    const surplus = own.filter((pod) => !old.includes(pod)).slice(spec?.replicas ?? 1);
    for (const pod of [...old, ...surplus]) await this.#remove(PODS, pod);
    const kept = own.filter((pod) => !old.includes(pod) && !surplus.includes(pod));
    for (let count = kept.length; count < (spec?.replicas ?? 1); count++)
      kept.push(await this.#make(workload, template));
    const ready = [];
    for (const pod of kept) if (await this.#makeReady(pod)) ready.push(pod);
    await this.#tell(workload, kept.length, ready.length);
  }

  async #make(workload: Workload, template: string): Promise<Pod> {
    const { api, namespace, pods } = this.#scene;
    const { apiVersion, kind, metadata, spec } = workload;
    const name = `${metadata.name}-${this.podsMade.length}`;
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
    const container = { name: 'main', image: 'none' };
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace,
        name,
        labels: spec?.template?.metadata?.labels ?? {},
        annotations: { ...spec?.template?.metadata?.annotations, [TEMPLATE]: template },
        ownerReferences: [owner],
      },
      spec: { automountServiceAccountToken: false, terminationGracePeriodSeconds: 0, containers: [container] },
    };
    const pod = await api.create<Pod>(PODS, object);
    this.podsMade.push(name);
    pods.put(pod);
    return pod;
  }

  /** Whether it is. */
  async #makeReady(pod: Pod): Promise<boolean> {
    const part = pod.metadata.labels?.['app.kubernetes.io/component'] ?? '';
    const isUp = !this.stuck.has(part);
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: isUp ? 'True' : 'False' }] };
    if (isReady(pod) !== isUp || pod.status?.phase !== 'Running') {
      const { pods, api } = this.#scene;
      pods.put(await api.apply<Pod>(PODS, statusOnly(pod, status), 'kubelet', 'status'));
    }
    return isUp;
  }

  async #tell(workload: Workload, replicas: number, ready: number): Promise<void> {
    const { api, workloads } = this.#scene;
    const { kind, metadata, status: before } = workload;
    const counts = { observedGeneration: metadata.generation ?? 0, replicas, updatedReplicas: replicas };
    const status = { ...counts, ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }) };
    if (isSame(relevant(before), relevant(status))) return;
    const resource = CHILDREN[kind as 'Deployment' | 'StatefulSet'];
    workloads.put(await api.apply<Workload>(resource, statusOnly(workload, status), 'controllers', 'status'));
  }
}

const ownersAmong = (items: readonly Live[]): ReadonlySet<string> => new Set(items.map(({ metadata }) => metadata.uid));

const isOrphan = ({ metadata }: Live, owners: ReadonlySet<string>): boolean =>
  metadata.deletionTimestamp === undefined && metadata.ownerReferences?.some(({ uid }) => !owners.has(uid)) === true;

const relevant = ({
  observedGeneration,
  replicas,
  updatedReplicas,
  readyReplicas,
}: NonNullable<Child['status']> = {}) => [
  observedGeneration ?? 0,
  replicas ?? 0,
  updatedReplicas ?? 0,
  readyReplicas ?? 0,
];

const statusOnly = ({ apiVersion, kind, metadata: { namespace, name, uid } }: Live, status: object) => ({
  apiVersion,
  kind,
  metadata: { name, uid, ...(namespace === undefined ? {} : { namespace }) },
  status,
});

const isOf = (pod: Pod, { metadata }: Workload): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true;

/** Lets pass what has one of these codes. */
const ignore =
  (...codes: readonly number[]) =>
  (error: unknown): void => {
    if (!(error instanceof ApiError) || !codes.includes(error.status)) throw error;
  };
