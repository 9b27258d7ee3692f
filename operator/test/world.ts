// A small world for tests of restarts: carries out plans on plain objects as the API server, the controllers and the param
// server would, one write at a time, so that a test can stop between any two.
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { desiredDocument, type DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { ACKNOWLEDGING, PART_LABEL } from '@tradewind/workloads/contract/pods.ts';
import type { Child, ChildKind, Pod, TradingSystem } from '../kinds.ts';
import type { Live, Wanted } from '../runtime/object.ts';
import { keyOf } from '../runtime/object.ts';
import type { Stores } from '../stores.ts';
import { desiredMap } from '../trading-system/desired.ts';
import type { Plan } from '../trading-system/plan.ts';
import { covers } from '../runtime/apply.ts';
import type { PrometheusSeen } from '../trading-system/restart/prometheus.ts';
import type { StepRecord } from '../trading-system/restart/record.ts';
import { KEY, live, NOW, planFor, seenIn, statusOf, theDemo } from './builders.ts';

export type Write = readonly [what: string, run: () => void];
type Runtime = NonNullable<NonNullable<TradingSystem['status']>['runtime']>;

export class World {
  readonly stores: Stores;
  /** What was done, in order: `record StopRouter`, `publish Stopped`, `scale demo-router-0 0`. */
  readonly done: string[] = [];
  now = NOW;
  /** Of the step under way, as the stopwatch would say. */
  stepMs = 0;
  openMs = 0;
  prometheus: PrometheusSeen | undefined;
  /** What the param server would say beside acknowledgements. */
  runtime: Partial<Runtime> = {
    dataFlowing: true,
    reconciled: true,
    drained: true,
    redisConnected: true,
    breaker: { state: 'CLOSED', tripSeq: 0 },
    risk: { varPct: 0.4 },
  };
  /** Parts whose pods come up; others stay unready. */
  healthy: (part: string) => boolean = () => true;

  constructor(stores = theDemo()) {
    this.stores = stores;
  }

  get system(): TradingSystem {
    const found = this.stores.systems.get(KEY);
    if (found === undefined) throw new Error('no system');
    return found;
  }

  plan(): Plan {
    return planFor(seenIn(this.stores), 1, this.now, {
      stepMs: this.stepMs,
      openMs: this.openMs,
      prometheus: this.prometheus,
    });
  }

  change(spec: object, annotations: Record<string, string> = {}): void {
    const { metadata, ...rest } = this.system;
    const next = {
      ...metadata,
      generation: (metadata.generation ?? 1) + 1,
      annotations: { ...metadata.annotations, ...annotations },
    };
    this.stores.systems.put(live({ ...rest, metadata: next, spec: { ...(rest.spec as object), ...spec } } as never));
  }

  /** The writes of one pass, in the order of carry-out.ts. */
  writes(): Write[] {
    const plan = this.plan();
    const { restart } = plan;
    const status = (more: object): void =>
      this.stores.systems.put(live({ ...this.system, status: { ...this.system.status, ...more } } as never));
    const writes: Write[] = [];
    if (JSON.stringify(restart) !== JSON.stringify(this.system.status?.restart)) {
      const running = restart?.steps?.find(({ state }: StepRecord) => state === 'Running')?.name ?? restart?.state;
      writes.push([`record ${running}`, () => status({ restart })]);
    }
    const { document } = plan;
    if (document !== undefined) writes.push([`publish ${document.trading}`, () => this.#publish(document)]);
    for (const wanted of plan.children) {
      if (covers(this.#live(wanted), wanted)) continue;
      const replicas = (wanted as Child).spec?.replicas;
      writes.push([`apply ${wanted.metadata.name} ${replicas ?? ''}`.trim(), () => this.#apply(wanted)]);
    }
    const after = (): void => {
      const { runtime: _, ...own } = this.system.status ?? {};
      const next = statusOf(seenIn(this.stores), plan, this.now);
      if (JSON.stringify(own) !== JSON.stringify(next)) status(next);
    };
    writes.push(['status', after]);
    return writes;
  }

  /** One pass, stopped after `most` writes; then the world moves on. Whether anything but the status was written. */
  pass(most = Infinity): boolean {
    const writes = this.writes();
    for (const [what, run] of writes.slice(0, most)) {
      run();
      if (what !== 'status') this.done.push(what);
    }
    this.#move();
    return writes.length > 1;
  }

  /** Passes until the restart has no step under way, at most `most`. Time passes by a second each. */
  settle(most = 200): void {
    for (let i = 0; i < most; i++) {
      const before = this.#step();
      const isOpen = this.plan().isGateOpen;
      const wrote = this.pass();
      this.now += 1_000;
      const isSame = before === this.#step();
      this.stepMs = isSame ? this.stepMs + 1_000 : 0;
      this.openMs = isSame && isOpen ? this.openMs + 1_000 : 0;
      if (!wrote && this.#step() === undefined) return;
    }
    throw new Error(`not settled: ${this.done.slice(-5).join(', ')}`);
  }

  #step = (): string | undefined => this.system.status?.restart?.steps?.find(({ state }) => state === 'Running')?.name;

  #live({ kind, metadata }: Wanted): Live | undefined {
    return this.stores.children[kind as ChildKind].get(keyOf(metadata));
  }

  #publish(document: DesiredDocument): void {
    const { owner, epoch, version, ...content } = document;
    const made = desiredDocument({ owner, epoch, version }, content);
    this.stores.children.ConfigMap.put(live(desiredMap(seenIn(this.stores), made)));
  }

  #apply(wanted: Wanted): void {
    const replicas = (wanted as Child).spec?.replicas ?? 0;
    const generation = (this.#live(wanted)?.metadata.generation ?? 0) + 1;
    const status = { observedGeneration: generation, replicas, updatedReplicas: replicas, readyReplicas: 0 };
    this.stores.children[wanted.kind as ChildKind].put(
      live({ ...wanted, metadata: { ...wanted.metadata, generation } } as never, { status }),
    );
  }

  /** Controllers and kubelet: pods follow their workloads; the param server reports what they have acknowledged. */
  #move(): void {
    for (const kind of ['Deployment', 'StatefulSet'] as const)
      for (const workload of Array.from(this.stores.children[kind].all())) this.#movePods(workload);
    const document = seenIn(this.stores).published;
    const pods = [...this.stores.pods.all()].filter(({ metadata }) =>
      ACKNOWLEDGING.some((one) => one === metadata.labels?.[PART_LABEL]),
    );
    const acks = {
      acked: pods.length,
      expected: pods.length,
      version: document?.version ?? 0,
      hash: document?.hash ?? '',
      pending: [],
    };
    const runtime = { observedAt: new Date(this.now).toISOString(), ...this.runtime, acks } as Runtime;
    this.stores.systems.put(live({ ...this.system, status: { ...this.system.status, runtime } } as never));
  }

  #movePods(workload: Child): void {
    const { metadata, spec } = workload;
    const { name, labels = {} } = metadata;
    const pod: PodMade = {
      name: `${name}-${contentHash(spec?.template).slice(0, 8)}`,
      labels,
      annotations: spec?.template?.metadata?.annotations ?? {},
      isReady: this.healthy(labels[PART_LABEL] ?? ''),
    };
    const wanted = spec?.replicas === 0 ? [] : [pod];
    this.#keepPods(name, wanted);
    const readyReplicas = wanted.filter(({ isReady }) => isReady).length;
    this.stores.children[workload.kind as 'Deployment'].put(
      live(workload, { status: { ...workload.status, readyReplicas } }),
    );
  }

  #keepPods(workload: string, wanted: readonly PodMade[]): void {
    const own = Array.from(this.stores.pods.all()).filter(({ metadata }) => metadata.name.startsWith(`${workload}-`));
    for (const pod of own) if (!wanted.some(({ name }) => name === pod.metadata.name)) this.stores.pods.drop(pod);
    for (const pod of wanted) this.stores.pods.put(aPodOf(pod));
  }
}

interface PodMade {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly isReady: boolean;
}

const aPodOf = ({ name, labels, annotations, isReady }: PodMade): Pod =>
  live(
    { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, annotations } },
    { status: { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] } },
  );
