// Carries the desired document to Redis, gathers what the pods answer, and reports it. Started by main.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { Ack } from '../contract/desired.ts';
import { acksKey, partsKey } from '../contract/keys.ts';
import type { PartStatus } from '../contract/status.ts';
import type { PodConfig } from '../kit/config.ts';
import type { Logger } from '../kit/log.ts';
import { isConnected, type Redis } from '../kit/redis.ts';
import type { ApiSide } from './api-side.ts';
import { carry } from './carry.ts';
import { runtimeOf, writeIn, type Runtime } from './runtime.ts';

/** Everything is looked at this often, also when nothing seems to have happened. */
const LOOK_EVERY_MS = 1_000;
/** An acknowledgement of a pod that has been gone for so long is removed. */
const FORGET_AFTER_MS = 60_000;

export interface ServerOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly redis: Redis;
  /** A connection of its own: it subscribes. */
  readonly subscriber: Redis;
  readonly api: () => ApiSide;
  readonly signal: AbortSignal;
}

export class ParamServer {
  readonly #options: ServerOptions;
  readonly #acks = new Map<string, Ack>();
  #parts: PartStatus[] = [];
  #carried = '';
  #written: Runtime | undefined;
  #changedAt = 0;
  #writing: Promise<void> = Promise.resolve();
  #writeTimer: NodeJS.Timeout | undefined;
  #foreign = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Why it is not ready; undefined when the newest document is in Redis. */
  notReady(): string | undefined {
    const document = this.#options.api().document();
    if (document === undefined) return 'no desired document yet';
    if (this.#foreign) return 'Redis holds the document of a system of this name in another namespace';
    return this.#carried === orderOf(document) ? undefined : 'desired document not yet in Redis';
  }

  /** The document or the pods changed: carries at once. */
  onChange(): void {
    this.#changedAt = Date.now();
    void this.#carry().then(() => this.#report());
  }

  /** Runs until the signal aborts. Survives any loss of Redis or of the API server. */
  async run(): Promise<void> {
    const { redis, subscriber, pod, signal } = this.#options;
    const channel = acksKey(pod.system.system.name);
    const subscribe = (): void => void subscriber.subscribe(channel).catch(() => undefined);
    subscriber.on('ready', subscribe).on('message', (_channel: string, text: string) => this.#onAck(text));
    if (isConnected(subscriber)) subscribe();
    redis.on('ready', () => {
      this.#carried = ''; // Redis may have come back without it
      this.onChange();
    });
    while (!signal.aborted) {
      await this.#look();
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    clearTimeout(this.#writeTimer);
    await this.#writing;
  }

  #onAck(text: string): void {
    this.#keep(ackOf(text));
    this.#report();
  }

  #keep(ack: Ack | undefined): void {
    if (ack !== undefined) this.#acks.set(ack.uid, ack);
  }

  async #look(): Promise<void> {
    const { redis, pod, log } = this.#options;
    const { name } = pod.system.system;
    if (isConnected(redis)) {
      try {
        const [acks, parts] = await Promise.all([redis.hgetall(acksKey(name)), redis.hgetall(partsKey(name))]);
        for (const text of Object.values(acks)) this.#keep(ackOf(text));
        this.#parts = Object.values(parts).flatMap(partOf);
        await this.#forgetOld();
      } catch (error) {
        log.debug({ error }, 'acknowledgements not read');
      }
      await this.#carry();
    }
    this.#report();
  }

  async #forgetOld(): Promise<void> {
    const { redis, pod, api } = this.#options;
    const live = new Set(
      api()
        .pods()
        .map(({ uid }) => uid),
    );
    const old = [...this.#acks.values()].filter(({ uid, at }) => !live.has(uid) && Date.now() - at > FORGET_AFTER_MS);
    for (const { uid } of old) this.#acks.delete(uid);
    if (old.length > 0) await redis.hdel(acksKey(pod.system.system.name), ...old.map(({ uid }) => uid));
  }

  async #carry(): Promise<void> {
    const { redis, log, api } = this.#options;
    const document = api().document();
    if (document === undefined || !isConnected(redis) || this.#carried === orderOf(document)) return;
    try {
      const carried = await carry(redis, document);
      if (carried === 'set') log.info({ version: document.version, hash: document.hash }, 'desired document carried');
      if (carried === 'foreign') {
        if (!this.#foreign) log.error('redis holds the document of a system of this name in another namespace');
        this.#foreign = true;
        return;
      }
      this.#foreign = false;
      this.#carried = orderOf(document);
    } catch (error) {
      log.warn({ error }, 'desired document not carried, trying again');
    }
  }

  /** Writes `.status.runtime` when it is due; one write at a time. */
  #report(): void {
    const { redis, api, signal } = this.#options;
    clearTimeout(this.#writeTimer);
    if (signal.aborted || api().document() === undefined) return;
    const now = Date.now();
    const next = runtimeOf({
      document: api().document(),
      pods: api().pods(),
      acks: this.#acks,
      parts: this.#parts,
      redisConnected: isConnected(redis),
      now,
    });
    const inMs = writeIn(this.#written, next, { now, changedAt: this.#changedAt });
    if (inMs === undefined) return;
    if (inMs > 0) {
      this.#writeTimer = setTimeout(() => this.#report(), inMs);
      return;
    }
    this.#written = next;
    this.#writing = this.#write(next, this.#writing);
  }

  async #write(runtime: Runtime, previous: Promise<void>): Promise<void> {
    await previous;
    if (this.#written !== runtime) return; // a newer one waits behind this one
    try {
      await this.#options.api().write(runtime);
    } catch (error) {
      this.#options.log.warn({ error }, 'status not written, trying again');
      if (this.#written === runtime) this.#written = undefined;
    }
  }
}

const orderOf = ({
  owner,
  epoch,
  version,
  hash,
}: {
  owner: string;
  epoch: number;
  version: number;
  hash: string;
}): string => `${owner} ${epoch} ${version} ${hash}`;

function ackOf(text: string): Ack | undefined {
  try {
    const ack = JSON.parse(text) as Partial<Ack>;
    return typeof ack.uid === 'string' && typeof ack.hash === 'string' ? (ack as Ack) : undefined;
  } catch {
    return undefined;
  }
}

function partOf(text: string): PartStatus[] {
  try {
    return [JSON.parse(text) as PartStatus];
  } catch {
    return [];
  }
}
