// Params in a namespace of their own, changed one at a time, and when each change was seen in its ConfigMap. The benchmark's
// own way to the API server, past every relay.
import { setTimeout as delay } from 'node:timers/promises';
import { Api } from '@tradewind/operator/runtime/client.ts';
import { findCredentials } from '@tradewind/operator/runtime/credentials.ts';
import type { Live, Resource } from '@tradewind/operator/runtime/object.ts';
import { Store } from '@tradewind/operator/runtime/store.ts';
import { watch } from '@tradewind/operator/runtime/watch.ts';
import { pino } from 'pino';

const PARAMS: Resource = { group: 'bench.tradewind.io', version: 'v1', plural: 'params', kind: 'Param' };
const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
const NAMESPACES: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

interface ConfigMap extends Live {
  readonly data?: { readonly seq?: string };
}

export interface Change {
  readonly name: string;
  readonly seq: number;
  /** `performance.now()`. */
  readonly at: number;
}

export class Changes {
  readonly namespace: string;
  readonly #api: Api;
  readonly #stop = new AbortController();
  readonly #seen = new Map<string, { readonly seq: number; readonly at: number }[]>();
  readonly #count: number;
  #seq = 0;

  private constructor(api: Api, namespace: string, count: number) {
    this.#api = api;
    this.namespace = namespace;
    this.#count = count;
  }

  static async begin(kubeconfig: string, namespace: string, count: number): Promise<Changes> {
    const api = Api.open({ credentials: await findCredentials({ KUBECONFIG: kubeconfig }) });
    const changes = new Changes(api, namespace, count);
    await api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const store = new Store<ConfigMap>();
    store.onChange((map) => changes.#saw(map));
    const { promise, resolve } = Promise.withResolvers<void>();
    const log = pino({ level: 'silent' });
    void watch({ api, resource: CONFIG_MAPS, namespace, store, log, onSynced: resolve, signal: changes.#stop.signal });
    await promise;
    return changes;
  }

  /** Every Param once. */
  async all(): Promise<Change[]> {
    return Promise.all(Array.from({ length: this.#count }, (_, i) => this.#change(`p${i}`)));
  }

  /** One of them, tried until the API server takes it. */
  one(): Promise<Change> {
    return this.#change(`p${Math.floor(Math.random() * this.#count)}`);
  }

  async #change(name: string): Promise<Change> {
    const seq = ++this.#seq;
    const at = performance.now();
    const { namespace } = this;
    const object = {
      apiVersion: 'bench.tradewind.io/v1',
      kind: 'Param',
      metadata: { namespace, name },
      spec: { value: `v${seq}`, seq },
    };
    for (;;) {
      const done = await this.#api.apply(PARAMS, object, 'bench').then(
        () => true,
        () => false,
      );
      if (done) return { name, seq, at };
      await delay(50);
    }
  }

  #saw({ metadata, data }: ConfigMap): void {
    const seen = this.#seen.get(metadata.name) ?? [];
    this.#seen.set(metadata.name, seen);
    seen.push({ seq: Number(data?.seq), at: performance.now() });
  }

  /** When this or a later change of the same Param was seen. */
  #seenAt({ name, seq }: Change): number | undefined {
    return this.#seen.get(name)?.find((one) => one.seq >= seq)?.at;
  }

  /** Waits until all were seen, `withinMs` at most. Seconds since `from` until the first and the last; those that never came. */
  async judge(all: readonly Change[], from: number, withinMs = 60_000): Promise<Judged> {
    const deadline = performance.now() + withinMs;
    while (all.some((change) => this.#seenAt(change) === undefined) && performance.now() < deadline) await delay(10);
    const times = all.flatMap((change) => this.#seenAt(change) ?? []).map((at) => Math.max(0, at - from) / 1_000);
    const waits = all.flatMap((change) => (this.#seenAt(change) ?? Infinity) - change.at);
    return {
      firstS: Math.min(...times),
      allS: Math.max(...times),
      longestS: Math.max(...waits) / 1_000,
      lost: all.length - times.length,
    };
  }

  end(): void {
    this.#stop.abort();
    this.#api.close();
  }
}

export interface Judged {
  readonly firstS: number;
  readonly allS: number;
  /** From a change until it was seen. */
  readonly longestS: number;
  readonly lost: number;
}
