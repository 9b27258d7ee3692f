// Looks every now and then what the cluster offers: kinds of a Prometheus operator, which are watched while they are there, and
// the schemas of our own CRDs. Asking is two requests' work and needs no right to watch anything cluster-wide (ADR 14).
import { setTimeout as delay } from 'node:timers/promises';
import { SCHEMA_HASHES } from '@tradewind/crds/schema-hashes.ts';
import type { Logger } from 'pino';
import { CHILDREN, CRDS, MONITORING_GROUP, OPTIONAL_KINDS, type OptionalKind } from './kinds.ts';
import type { Api } from './runtime/client.ts';
import { classify, isNotFound } from './runtime/errors.ts';
import { watch } from './runtime/watch.ts';
import { scopesOf, type Stores } from './stores.ts';
import { OWNED } from './trading-system/objects/frame.ts';

const EVERY_MS = 30_000;
/** At the start a store of an optional kind is waited for so long, so that no status tells that the kind is missing. */
const FIRST_SYNC_MS = 5_000;
const SCHEMA_HASH = 'tradewind.io/schema-hash';

export interface DiscoveryOptions {
  readonly api: Api;
  readonly stores: Stores;
  readonly log: Logger;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly everyMs?: number;
  readonly signal: AbortSignal;
}

/** Looks until the signal aborts; never throws. `first` resolves when it has looked once. */
export function discover(options: DiscoveryOptions): { readonly first: Promise<void>; readonly ended: Promise<void> } {
  const discovery = new Discovery(options);
  const { signal, everyMs = EVERY_MS } = options;
  const first = discovery.look().then(() => discovery.synced());
  const rest = async (): Promise<void> => {
    await first;
    while (!signal.aborted) {
      await delay(everyMs * (0.9 + Math.random() / 5), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await discovery.look();
    }
    await discovery.end();
  };
  return { first, ended: rest() };
}

interface Following {
  readonly stop: AbortController;
  readonly synced: Promise<unknown>;
  readonly ended: Promise<unknown>;
  isSynced: boolean;
}

class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #following = new Map<OptionalKind, Following>();
  #mismatch: string | undefined;
  #isTold = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const { api, log } = this.#options;
    try {
      const served = await api.kindsOf(MONITORING_GROUP, 'v1');
      for (const kind of OPTIONAL_KINDS) this.#follow(kind, served.includes(kind));
      this.#mismatch = await this.#mismatchFound();
      this.#publish();
    } catch (error) {
      // What was known stays: the next look is soon.
      log.warn({ reason: classify(error).message }, 'could not look what the cluster offers');
    }
  }

  /** What is followed is whole, or takes too long. */
  async synced(): Promise<void> {
    const all = Promise.all([...this.#following.values()].map(({ synced }) => synced));
    await Promise.race([all, delay(FIRST_SYNC_MS, undefined, { ref: false })]);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#following.values()].map(({ ended }) => ended));
  }

  #follow(kind: OptionalKind, isServed: boolean): void {
    const known = this.#following.get(kind);
    if (isServed === (known !== undefined)) return;
    this.#options.log.info({ kind }, isServed ? 'a kind has appeared' : 'a kind is not served any more');
    if (known === undefined) return void this.#following.set(kind, this.#start(kind));
    known.stop.abort();
    this.#following.delete(kind);
    this.#options.stores.children[kind].swap([]);
  }

  #start(kind: OptionalKind): Following {
    const { api, log, stores, namespaces, signal } = this.#options;
    const stop = new AbortController();
    const watches = scopesOf(namespaces).map((scope) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const ended = watch({
        api,
        log,
        ...scope,
        resource: CHILDREN[kind],
        store: stores.children[kind],
        labelSelector: OWNED,
        onSynced: resolve,
        signal: AbortSignal.any([signal, stop.signal]),
      });
      return { synced: promise, ended };
    });
    const synced = Promise.all(watches.map((one) => one.synced));
    const made: Following = { stop, synced, ended: Promise.all(watches.map((one) => one.ended)), isSynced: false };
    void this.#publishOnce(made);
    return made;
  }

  async #publishOnce(made: Following): Promise<void> {
    await made.synced;
    made.isSynced = true;
    this.#publish();
  }

  #publish(): void {
    const kinds = [...this.#following].filter(([, { isSynced }]) => isSynced).map(([kind]) => kind);
    this.#options.stores.offers.put({ kinds, mismatch: this.#mismatch });
  }

  async #mismatchFound(): Promise<string | undefined> {
    const found = await Promise.all(Object.entries(SCHEMA_HASHES).map(([crd, hash]) => this.#mismatchOf(crd, hash)));
    return found.find((text) => text !== undefined);
  }

  async #mismatchOf(name: string, expected: string): Promise<string | undefined> {
    const { api, log } = this.#options;
    try {
      const { metadata } = await api.getMetadata(CRDS, { name });
      const found = metadata.annotations?.[SCHEMA_HASH] ?? 'none';
      if (found === expected) return undefined;
      return `CustomResourceDefinition ${name}: found schema ${found}, expected ${expected}; upgrade the older of CRDs and operator`;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (classify(error).kind !== 'Forbidden') throw error;
      // Installed without a cluster-wide right: then nobody checks.
      if (!this.#isTold) log.warn({ name }, 'may not read CRDs: their schemas are not checked');
      this.#isTold = true;
      return undefined;
    }
  }
}
