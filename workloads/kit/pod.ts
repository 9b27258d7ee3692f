// What every pod starts with and ends with. Called first by each main.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { DesiredDocument } from '../contract/desired.ts';
import type { PartStatus } from '../contract/status.ts';
import { bootId } from './clock.ts';
import { readPodConfig, type PodConfig } from './config.ts';
import { activeAtStart, followDesired, type DesiredFollower } from './desired.ts';
import { measureDesired } from './desired-metrics.ts';
import { reasonsOf, serveHealth, type HealthServer, type ReadyChecks } from './health.ts';
import { createLog, type Logger } from './log.ts';
import { publishStatus } from './part-status.ts';
import { connectRedis, isConnected, measureCommands, moveConnection, type Redis } from './redis.ts';
import { untilStopped } from './shutdown.ts';

/** What is decided has this long to be written, once the pod is told to stop; the kubelet waits longer. */
const END_WITHIN_MS = 5_000;

export interface Pod {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly registry: Registry;
  /** Aborts at SIGTERM. */
  readonly signal: AbortSignal;
  /** A connection for commands, timed into the registry. */
  commands(): Redis;
  /** A connection of its own for what blocks. */
  blocking(name: string): Redis;
  /** Where its connections go. */
  redisUrl(): string;
  /** Moves all of them, now and to come; one that is not the system's is refused with a line in the log. */
  moveRedis(url: string): void;
  /** Starts /livez, /readyz and /metrics, and says so in the log. */
  serveHealth(ready: ReadyChecks): Promise<HealthServer>;
  /** Waits for `work`, a few seconds at most, then closes what was opened. */
  end(work: Promise<unknown>): Promise<void>;
}

/** Reads the pod's configuration; throws where it is not what the operator renders. Nothing is connected yet. */
export function openPod(): Pod {
  const pod = readPodConfig();
  const log = createLog(pod);
  const signal = untilStopped(log);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const connections: Redis[] = [];
  let url = activeAtStart(pod);
  const connect = (name: string, blocking: boolean): Redis => {
    const redis = connectRedis(pod, log, { name, blocking, url });
    connections.push(redis);
    return redis;
  };
  let health: HealthServer | undefined;
  return {
    pod,
    log,
    registry,
    signal,
    commands: () => {
      const redis = connect('commands', false);
      measureCommands(redis, registry);
      return redis;
    },
    blocking: (name) => connect(name, true),
    redisUrl: () => url,
    moveRedis: (next) => {
      if (next === url) return;
      if (pod.system.redis?.urls.includes(next) !== true) {
        log.error({ url: next }, 'not one of the Redis servers of the system: staying');
        return;
      }
      log.warn({ from: url, to: next }, 'moving to another Redis');
      url = next;
      for (const connection of connections) moveConnection(connection, pod, url);
    },
    serveHealth: async (ready) => {
      health = await serveHealth({ port: pod.healthPort, ready, registry, log });
      log.info({ bootId, port: health.port }, 'started');
      return health;
    },
    end: async (work) => {
      await within(END_WITHIN_MS, work);
      await health?.close();
      for (const connection of connections) connection.disconnect();
      log.info('stopped');
    },
  };
}

/** Waits for `work`, but not longer than `ms`; leaves no timer behind that would keep the process alive. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const late = delay(ms, undefined, { signal: enough.signal }).catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    enough.abort();
  }
}

/** A part that trades: it runs the desired document, acknowledges it, and tells how it is. */
export interface TradingPart {
  /** Puts a document into force between two events; a throw leaves the old one in force and is told. */
  apply(document: DesiredDocument): void;
  /** Of each stage that the pod runs. */
  status(): PartStatus | readonly PartStatus[];
  /** Nothing is under way that somebody may wait for the end of. */
  isSettled(): boolean;
  /**
   * Resolves after the signal has aborted, when everything that must be kept is kept. A rejection ends the process at
   * once: what cannot go on must not look alive.
   */
  run(): Promise<void>;
}

export interface TradingPod extends Pod {
  readonly redis: Redis;
  /** The follower of the desired document; not to be asked before `serve`. */
  readonly desired: () => DesiredFollower;
  /** Connected, and a document applied. */
  readonly isReady: () => boolean;
  /** Runs the part until the pod is told to stop, then ends in order: no more input, what is decided written, then closed. */
  serve(part: TradingPart): Promise<void>;
}

export function openTradingPod(): TradingPod {
  const opened = openPod();
  const { pod, log, signal } = opened;
  const redis = opened.commands();
  const subscriber = opened.blocking('desired');
  let follower: DesiredFollower | undefined;
  const desired = (): DesiredFollower => {
    if (follower === undefined) throw new Error('the desired document is followed once the part is served');
    return follower;
  };
  const ready: ReadyChecks = {
    redis: () => (isConnected(redis) ? undefined : 'not connected'),
    desired: () => (follower?.current() === undefined ? 'no desired document applied yet' : undefined),
  };
  return {
    ...opened,
    redis,
    desired,
    isReady: () => reasonsOf(ready).length === 0,
    serve: async (part) => {
      const holds = () => follower?.restraint(Date.now()).holds ?? [];
      const apply = measureDesired(opened.registry, (document) => part.apply(document), holds);
      follower = followDesired({
        pod,
        log,
        redis,
        subscriber,
        apply,
        moveRedis: (url) => opened.moveRedis(url),
        signal,
      });
      await opened.serveHealth(ready);
      const running = part.run().catch((error: unknown) => {
        log.fatal({ error }, 'cannot go on: stopping');
        process.exit(1);
      });
      await publishStatus({
        pod,
        redis,
        log,
        make: () => [part.status()].flat(),
        isSettled: () => part.isSettled(),
        signal,
      });
      await opened.end(Promise.all([running, follower.done]));
    },
  };
}
