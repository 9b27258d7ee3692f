// Follows the desired document: Redis first, the mounted file when Redis is away. Called by the shell of every part.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalJson } from '../contract/canonical.ts';
import { type Ack, type ActiveHold, type DesiredDocument, isNewer } from '../contract/desired.ts';
import { acksKey, desiredKey, holdsKey, RELOAD } from '../contract/keys.ts';
import { parseDesired, type ParsedDesired } from '../contract/parse-desired.ts';
import { newRestraint, type Restraint, storedHolds } from '../contract/restraint.ts';
import type { PodConfig } from './config.ts';
import { newEpisode, type Episode } from './episode.ts';
import type { Logger } from './log.ts';
import { executed, isConnected, movesOf, type Redis } from './redis.ts';

const POLL_MS = 3_000;
/** Control older than this is unreadable: no new positions. */
const READABLE_MS = 15_000;

export interface DesiredOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  /** For commands. */
  readonly redis: Redis;
  /** A connection of its own: it subscribes. */
  readonly subscriber: Redis;
  /**
   * Puts a document into force between two events; synchronous. A throw means that it can't be: the old one stays, and the
   * acknowledgement carries the message.
   */
  readonly apply: (document: DesiredDocument) => void;
  /** The document says which Redis is in use; nothing happens where it is the one that is used. */
  readonly moveRedis?: (url: string) => void;
  readonly signal: AbortSignal;
}

export interface DesiredFollower {
  current(): DesiredDocument | undefined;
  /**
   * What the newest document restrains, also one that this pod could not put into force, joined with the holds in Redis.
   * `now` is epoch ms.
   */
  restraint(now: number): Restraint;
  /**
   * Connected, and in the last 15 s the key held a document that can be read and is not older than ours. Its age does not
   * matter: the API server may be away.
   */
  controlReadable(now: number): boolean;
  /** Resolves when the signal has aborted and nothing is under way. */
  readonly done: Promise<void>;
}

/**
 * Starts following. Older documents are ignored, whoever sends them; an invalid one leaves the old one in force. The key and
 * the mounted file are looked at every 3 s, too: a lost message only delays, and so does a Redis that nobody writes to.
 */
export function followDesired(options: DesiredOptions): DesiredFollower {
  const follower = new Follower(options);
  const restraint = newRestraint();
  return {
    current: () => follower.current,
    restraint: (now) => restraint(follower.newest, follower.holds, now),
    controlReadable: (now) => isConnected(options.redis) && now - follower.readAt < READABLE_MS,
    done: follower.run(),
  };
}

class Follower {
  current: DesiredDocument | undefined;
  newest: DesiredDocument | undefined;
  holds: readonly ActiveHold[] = [];
  readAt = Number.NEGATIVE_INFINITY;
  readonly #options: DesiredOptions;
  readonly #reading: Episode;
  readonly #acknowledging: Episode;
  #ack: Ack | undefined;
  /** As Redis has taken it last. */
  #acknowledged: Ack | undefined;
  /** The text that was looked at last, in Redis and in the file: most looks find it again. */
  readonly #considered = new Map<Source, { readonly text: string; readonly parsed: ParsedDesired }>();
  #busy: Promise<void> = Promise.resolve();
  #again = false;

  constructor(options: DesiredOptions) {
    this.#options = options;
    this.#reading = newEpisode(options.log, 'desired document not read from Redis');
    this.#acknowledging = newEpisode(options.log, 'not acknowledged');
  }

  async run(): Promise<void> {
    const { subscriber, redis, signal } = this.#options;
    const look = (): void => this.#lookSoon();
    const subscribe = (): void => {
      subscriber.subscribe(RELOAD).then(look, () => undefined);
    };
    subscriber.on('ready', subscribe).on('message', look);
    redis.on('ready', () => void this.#acknowledgeAgain());
    if (isConnected(subscriber)) subscribe();
    while (!signal.aborted) {
      this.#lookSoon();
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    subscriber.off('ready', subscribe).off('message', look);
    await this.#busy;
  }

  /** One look at a time; messages that arrive during one cause exactly one more. */
  #lookSoon(): void {
    if (this.#again) return;
    this.#again = true;
    this.#busy = this.#busy.then(() => {
      this.#again = false;
      return this.#look();
    });
  }

  async #look(): Promise<void> {
    const { pod, redis } = this.#options;
    const system = pod.system.system.name;
    if (isConnected(redis)) {
      const moves = movesOf(redis);
      try {
        const [text, holds] = await Promise.all([redis.get(desiredKey(system)), redis.hgetall(holdsKey(system))]);
        const document = await this.#consider('redis', text ?? undefined);
        if (moves === movesOf(redis)) this.#take(document, storedHolds(holds));
        this.#reading.worked();
      } catch (error) {
        this.#reading.failed(error);
      }
    }
    // Also where Redis answers: it may be one that is not in use any more, of which nobody tells it.
    await this.#consider('file', readFile(pod.desiredFile));
    if (this.#acknowledged !== this.#ack) await this.#acknowledgeAgain();
  }

  /** A Redis that does not know the newest document yet does not know all holds either: of it, none lifts one. */
  #take(document: DesiredDocument | undefined, holds: readonly ActiveHold[]): void {
    const isCurrent = document !== undefined && !isNewer(this.newest ?? document, document);
    if (isCurrent) this.readAt = Date.now();
    this.holds = isCurrent
      ? holds
      : [...new Map([...this.holds, ...holds].map((hold) => [canonicalJson(hold), hold])).values()];
  }

  /** The document in the text, put into force where it is newer; undefined where none can be read. */
  async #consider(source: Source, text: string | undefined): Promise<DesiredDocument | undefined> {
    if (text === undefined) return undefined;
    const before = this.#considered.get(source);
    const isNew = text !== before?.text;
    const parsed = isNew ? parseDesired(text) : before.parsed;
    this.#considered.set(source, { text, parsed });
    if (!parsed.ok) {
      if (isNew) this.#options.log.error({ source, problem: parsed.problem }, 'desired document refused');
      return undefined;
    }
    if (isNewer(parsed.document, this.newest) && this.#mayReplace(source, parsed.document)) {
      await this.#takeOver(parsed.document);
    }
    return parsed.document;
  }

  /** Of two owners Redis decides while it answers: the file's would be replaced by Redis's, and that by the file's. */
  #mayReplace(source: Source, { owner }: DesiredDocument): boolean {
    const { newest } = this;
    return source === 'redis' || newest === undefined || newest.owner === owner || !isConnected(this.#options.redis);
  }

  async #takeOver(document: DesiredDocument): Promise<void> {
    const { log, apply, redis, moveRedis } = this.#options;
    const { version, hash } = document;
    this.newest = document;
    const moves = movesOf(redis);
    if (document.redis !== undefined) moveRedis?.(document.redis.active);
    if (moves !== movesOf(redis)) this.readAt = Number.NEGATIVE_INFINITY;
    try {
      apply(document);
      this.current = document;
      log.info({ version, hash }, 'Configuration reloaded');
      await this.#acknowledge(document);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ version, hash, reason }, 'desired document not applied');
      await this.#acknowledge(document, reason);
    }
  }

  #acknowledge(document: DesiredDocument, error?: string): Promise<void> {
    const { pod } = this.#options;
    const { epoch, version, hash } = document;
    const who = { uid: pod.podUid, pod: pod.podName, part: pod.part, shard: pod.shard };
    this.#ack = { ...who, epoch, version, hash, at: Date.now(), ...(error === undefined ? {} : { error }) };
    return this.#acknowledgeAgain();
  }

  /** After each reconnect, as Redis may have come back without it, and at each look until Redis has taken it. */
  async #acknowledgeAgain(): Promise<void> {
    const { pod, redis } = this.#options;
    const ack = this.#ack;
    if (ack === undefined || !isConnected(redis)) return;
    const key = acksKey(pod.system.system.name);
    const text = JSON.stringify(ack);
    const isTaken = await this.#acknowledging.of(
      executed(redis.multi().hset(key, pod.podUid, text).publish(key, text)),
    );
    if (isTaken) this.#acknowledged = ack;
    else if (this.#acknowledged === ack) this.#acknowledged = undefined;
  }
}

type Source = 'redis' | 'file';

/** Which Redis the mounted document names; where there is none yet, the first of the system's. */
export function activeAtStart({ desiredFile, system }: PodConfig): string {
  const parsed = parseDesired(readFile(desiredFile) ?? '');
  const active = parsed.ok ? parsed.document.redis?.active : undefined;
  return active !== undefined && system.redis?.urls.includes(active) ? active : system.redisUrl;
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not mounted yet, or being swapped by the kubelet: the next look finds it.
    return undefined;
  }
}
