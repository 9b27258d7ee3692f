// Carries the desired document to Redis, gathers what the pods answer, and reports it. Started by main.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { Ack, ActiveHold, DesiredDocument } from '../contract/desired.ts';
import { acksKey, holdsKey, partsKey } from '../contract/keys.ts';
import { parseJson } from '../contract/json.ts';
import { liveParts, storedParts } from '../contract/live-parts.ts';
import { storedHolds } from '../contract/restraint.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import type { PartStatus } from '../contract/status.ts';
import type { PodConfig } from '../kit/config.ts';
import { newEpisode, type Episode } from '../kit/episode.ts';
import type { Logger } from '../kit/log.ts';
import { isConnected, type Redis } from '../kit/redis.ts';
import type { ApiSide } from './api-side.ts';
import { carry, tell, type Carried } from './carry.ts';
import { lateOf, lookAtLags, type Lateness } from './lateness.ts';
import { runtimeOf, writeIn, type Runtime } from './runtime.ts';

/** Everything is looked at this often, also when nothing seems to have happened. */
const LOOK_EVERY_MS = 1_000;
/** Nothing is reported before Redis was read once; where it is away, not longer than this. */
const FIRST_LOOK_WITHIN_MS = 5_000;
/** An acknowledgement of a pod that has been gone for so long is removed. */
const FORGET_AFTER_MS = 60_000;

export interface ServerOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly redis: Redis;
  /** A connection of its own: it subscribes. */
  readonly subscriber: Redis;
  readonly api: () => ApiSide;
  /** Where the connections go, and to move them. */
  readonly redisUrl: () => string;
  readonly moveRedis: (url: string) => void;
  readonly signal: AbortSignal;
}

export class ParamServer {
  readonly #options: ServerOptions;
  readonly #acks = new Map<string, Ack>();
  readonly #startedAt = Date.now();
  readonly #symbols: readonly (readonly string[])[];
  readonly #telling: Episode;
  readonly #reading: Episode;
  #parts: PartStatus[] = [];
  #lateness: Lateness = new Map();
  #holds: ActiveHold[] = [];
  /** As they are stored, and those that the Redis we moved to must have before anything else. */
  #stored: Readonly<Record<string, string>> = {};
  #toKeep: Readonly<Record<string, string>> | undefined;
  #hasLooked = false;
  #carried = '';
  /** The word that it is there has not gone out. */
  #isToTell = false;
  #movingTo: string | undefined;
  /** Why the newest document is not in Redis, although Redis is there. */
  #refusal: string | undefined;
  #written: Runtime | undefined;
  #changedAt = 0;
  #writing: Promise<void> = Promise.resolve();
  #writeTimer: NodeJS.Timeout | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#telling = newEpisode(options.log, 'pods not told of the desired document: they find it within 3 s');
    this.#reading = newEpisode(options.log, 'acknowledgements not read');
    const { symbols, shards } = options.pod.system;
    this.#symbols = Array.from({ length: shards }, (_, shard) =>
      symbolsOfShard(symbols, shard, shards).map(({ name }) => name),
    );
  }

  /** Why it is not ready; undefined when the newest document is in Redis. */
  notReady(): string | undefined {
    const document = this.#options.api().document();
    if (document === undefined) return 'no desired document yet';
    if (this.#refusal !== undefined) return this.#refusal;
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
    const [acks, parts] = [acksKey, partsKey].map((key) => key(pod.system.system.name)) as [string, string];
    const subscribe = (): void => void subscriber.subscribe(acks, parts).catch(() => undefined);
    subscriber.on('ready', subscribe).on('message', (channel: string, text: string) => {
      if (channel === acks) this.#onAck(text);
      else void this.#look();
    });
    if (isConnected(subscriber)) subscribe();
    redis.on('ready', () => this.onChange());
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

  /** The newest of each pod: a look may be overtaken by a message that came after it began. */
  #keep(ack: Ack | undefined): void {
    if (ack === undefined || (this.#acks.get(ack.uid)?.at ?? 0) > ack.at) return;
    this.#acks.set(ack.uid, ack);
  }

  async #look(): Promise<void> {
    const { redis, pod } = this.#options;
    const { name } = pod.system.system;
    if (isConnected(redis)) {
      try {
        const [acks, parts, holds] = await Promise.all([
          redis.hgetall(acksKey(name)),
          redis.hgetall(partsKey(name)),
          redis.hgetall(holdsKey(name)),
        ]);
        for (const text of Object.values(acks)) this.#keep(ackOf(text));
        this.#parts = storedParts(parts);
        if (this.#toKeep === undefined) this.#takeHolds(holds);
        this.#hasLooked = true;
        await this.#forgetOld();
        this.#reading.worked();
      } catch (error) {
        this.#reading.failed(error);
      }
      await this.#carry();
    }
    this.#report();
  }

  #takeHolds(stored: Readonly<Record<string, string>>): void {
    this.#stored = stored;
    this.#holds = storedHolds(stored).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * Another of the system's Redis servers is in use from now on. Who is still at the old one learns it there, where that still
   * answers; the others from the mounted document. What was held stays held.
   */
  async #move(document: DesiredDocument): Promise<void> {
    const { redis, log, redisUrl, moveRedis } = this.#options;
    const active = document.redis?.active;
    if (active === undefined || active === redisUrl() || active === this.#movingTo) return;
    this.#movingTo = active;
    if (isConnected(redis)) {
      const told = carry(redis, document).then((carried) => (carried === 'set' ? tell(redis, document) : undefined));
      await told.catch((error: unknown) => log.warn({ error }, 'not told at the old Redis'));
    }
    this.#carried = '';
    this.#toKeep = { ...this.#toKeep, ...this.#stored };
    moveRedis(active);
    this.#movingTo = undefined;
  }

  /** Holds before the document: who finds the one finds the others. */
  async #keepHolds(): Promise<void> {
    const { redis, pod } = this.#options;
    const key = holdsKey(pod.system.system.name);
    for (const [id, text] of Object.entries(this.#toKeep ?? {})) await redis.hsetnx(key, id, text);
    this.#toKeep = undefined;
  }

  async #forgetOld(): Promise<void> {
    const { redis, pod, api } = this.#options;
    if (!api().isSynced()) return;
    const live = new Set(
      api()
        .pods()
        .map(({ uid }) => uid),
    );
    const old = [...this.#acks.values()].filter(({ uid, at }) => !live.has(uid) && Date.now() - at > FORGET_AFTER_MS);
    for (const { uid } of old) this.#acks.delete(uid);
    if (old.length > 0) await redis.hdel(acksKey(pod.system.system.name), ...old.map(({ uid }) => uid));
  }

  /** At each look, too: the key may be lost without the connection being. */
  async #carry(): Promise<void> {
    const { redis, log, api } = this.#options;
    const document = api().document();
    if (document !== undefined) await this.#move(document);
    if (document === undefined || !isConnected(redis)) return;
    try {
      await this.#keepHolds();
      const carried = await carry(redis, document);
      if (carried === 'set') {
        log.info({ version: document.version, hash: document.hash }, 'desired document carried');
        this.#isToTell = true;
      }
      const refusal = refusalOf(carried, document);
      if (refusal !== undefined && refusal !== this.#refusal) log.error(refusal);
      this.#refusal = refusal;
      if (refusal === undefined) this.#carried = orderOf(document);
      if (this.#isToTell) this.#isToTell = !(await this.#telling.of(tell(redis, document)));
    } catch (error) {
      log.warn({ error }, 'desired document not carried, trying again');
    }
  }

  /** Writes `.status.runtime` when it is due; one write at a time. */
  #report(): void {
    const { redis, api, signal, pod } = this.#options;
    clearTimeout(this.#writeTimer);
    const now = Date.now();
    this.#lateness = lookAtLags(this.#lateness, liveParts(this.#parts, now).ingest, now);
    if (signal.aborted || api().document() === undefined || !api().isSynced()) return;
    if (!this.#hasLooked && now - this.#startedAt < FIRST_LOOK_WITHIN_MS) return;
    const next = runtimeOf({
      document: api().document(),
      pods: api().pods(),
      symbols: this.#symbols,
      acks: this.#acks,
      parts: this.#parts,
      holds: this.#holds,
      late: lateOf(this.#lateness),
      refusal: this.#refusal === undefined ? undefined : { pod: pod.podName, message: this.#refusal },
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

const orderOf = ({ owner, epoch, version, hash }: DesiredDocument): string => `${owner} ${epoch} ${version} ${hash}`;

function refusalOf(carried: Carried, { epoch, version }: DesiredDocument): string | undefined {
  if (carried === 'foreign') return 'Redis holds the document of a system of this name in another namespace';
  if (carried === 'older') return `Redis holds a later document than ${epoch}.${version}, which the pods would refuse`;
  return undefined;
}

function ackOf(text: string): Ack | undefined {
  const ack = parseJson(text) as Ack | null | undefined;
  return typeof ack?.uid === 'string' && typeof ack.hash === 'string' ? ack : undefined;
}
