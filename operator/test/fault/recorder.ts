// Sees every version of what the operator writes in one namespace, past the proxy, and keeps what is needed to judge it.
import { pino } from 'pino';
import { isNewer, type DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { parseDesired } from '@tradewind/workloads/contract/parse-desired.ts';
import {
  CHILDREN,
  HOLDS,
  RISK_PARAMS,
  ROUTER_RULES,
  TRADING_SYSTEMS,
  type Child,
  type Hold,
  type Revisioned,
  type TradingSystem,
} from '../../kinds.ts';
import type { Api } from '../../runtime/client.ts';
import { keyOf, type Live, type Resource } from '../../runtime/object.ts';
import { Store } from '../../runtime/store.ts';
import { watch } from '../../runtime/watch.ts';
import { violationsIn, type Told } from './invariants.ts';

export class Recorder {
  readonly systems = new Store<TradingSystem>();
  readonly riskParams = new Store<Revisioned>();
  readonly routerRules = new Store<Revisioned>();
  readonly holds = new Store<Hold>();
  readonly maps = new Store<Child>();
  /** What a status said that it must not, and documents that came out of order. */
  readonly violations: string[] = [];
  /** Every document that was published, in order. */
  readonly documents: DesiredDocument[] = [];
  /** When each of them was seen, performance.now(). */
  readonly seenAt: number[] = [];
  readonly #api: Api;
  readonly #namespace: string;
  readonly #ending = new AbortController();
  readonly #last = new Map<string, Told>();
  #done: Promise<unknown> = Promise.resolve();

  constructor(api: Api, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  async start(): Promise<void> {
    for (const store of this.#ours) store.onChange((item) => this.#judge(item as Told));
    this.maps.onChange((map) => this.#read(map));
    const watches = [
      this.#follow(TRADING_SYSTEMS, this.systems),
      this.#follow(RISK_PARAMS, this.riskParams),
      this.#follow(ROUTER_RULES, this.routerRules),
      this.#follow(HOLDS, this.holds),
      this.#follow(CHILDREN.ConfigMap, this.maps),
    ];
    await Promise.all(watches.map(({ synced }) => synced));
    this.#done = Promise.all(watches.map(({ ended }) => ended));
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }

  /** All objects of our kinds. */
  ours(): Told[] {
    return this.#ours.flatMap((store) => [...store.all()] as Told[]);
  }

  /** What is published now. */
  get document(): DesiredDocument | undefined {
    const map = this.maps.get(keyOf({ namespace: this.#namespace, name: 'demo-desired' }));
    const parsed = parseDesired(map?.data?.['desired.json'] ?? '');
    return parsed.ok ? parsed.document : undefined;
  }

  /** Whether every status speaks of what is published now, and every pod has acknowledged it. */
  get isTold(): boolean {
    const { document } = this;
    const told = [...this.systems.all()].every(
      ({ status }) => status?.desired?.hash === document?.hash && status?.runtime?.acks?.hash === document?.hash,
    );
    const [risk, rules] = [this.riskParams, this.routerRules].map((store) => [...store.all()]);
    const isActive = (items: Revisioned[] = [], revision?: string): boolean =>
      items.every(({ status }) => (status?.systems ?? []).every(({ active }) => active === revision));
    return told && isActive(risk, document?.risk.revision) && isActive(rules, document?.rules.revision);
  }

  get #ours(): readonly [Store<TradingSystem>, Store<Revisioned>, Store<Revisioned>, Store<Hold>] {
    return [this.systems, this.riskParams, this.routerRules, this.holds];
  }

  #follow<T extends Live>(resource: Resource, store: Store<T>) {
    const { promise: synced, resolve } = Promise.withResolvers<void>();
    const common = { api: this.#api, namespace: this.#namespace, log: pino({ level: 'silent' }) };
    return { synced, ended: watch({ ...common, resource, store, onSynced: resolve, signal: this.#ending.signal }) };
  }

  #judge(item: Told): void {
    const key = `${item.kind} ${keyOf(item.metadata)}`;
    this.violations.push(...violationsIn(this.#last.get(key), item));
    this.#last.set(key, item);
  }

  #read({ metadata, data }: Child): void {
    if (!metadata.name.endsWith('-desired')) return;
    const parsed = parseDesired(data?.['desired.json'] ?? '');
    if (!parsed.ok) return;
    const { document } = parsed;
    const last = this.documents.findLast(({ owner }) => owner === document.owner);
    if (last?.epoch === document.epoch && last.version === document.version) return;
    if (!isNewer(document, last))
      this.violations.push(`document ${document.epoch}.${document.version} came after ${last?.epoch}.${last?.version}`);
    this.documents.push(document);
    this.seenAt.push(performance.now());
  }
}
