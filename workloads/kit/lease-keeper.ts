// Keeps a shard's lease in Redis: asks for it, renews it, gives it back. The state is in lease.ts; this is its shell.
import { newEpisode, type Episode } from './episode.ts';
import type { Logger } from './log.ts';
import { monotonicNow } from './clock.ts';
import { heldEpoch, LEASE_MS, stepLease, unasked, type Lease, type LeaseEvent } from './lease.ts';
import { isConnected, type Redis } from './redis.ts';

const LOOK_EVERY_MS = 100;

/**
 * KEYS[1] lease:{system}:<shard>; ARGV: holder, its pod, the epoch that it holds (0 none), ms, epoch that is known to be in
 * use, what to leave to the next holder. Ours: {1, epoch, what the holder before left, its epoch}. Another's: {0, its pod}.
 *
 * The same epoch is renewed, also where it has run out, as long as nobody has taken it. Every other grant counts the epoch up,
 * beyond what the asker has seen in use: a Redis that lost its data, or came back old, hands out no epoch twice. A later epoch
 * under our own name is that of another boot of this pod. An end farther ahead than a lease is long was written before the
 * clock of Redis was set back.
 */
const ASK = `
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'holder', 'pod', 'epoch', 'until', 'left', 'leftEpoch')
local holder, epoch, till = found[1] or '', tonumber(found[3]) or 0, tonumber(found[4]) or 0
local held, ms, known = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local another = holder ~= ARGV[1] or (held > 0 and epoch > held)
if holder ~= '' and another and till > now then
  if till > now + ms then redis.call('HSET', KEYS[1], 'until', now + ms) end
  return {0, found[2] or ''}
end
if not (holder == ARGV[1] and epoch == held and epoch >= known) then
  epoch = math.max(epoch, known) + 1
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'pod', ARGV[2], 'epoch', epoch, 'until', now + ms)
if epoch == held then redis.call('HSET', KEYS[1], 'left', ARGV[6], 'leftEpoch', epoch) end
return {1, epoch, found[5] or '', tonumber(found[6]) or 0}
`;

/** Free at once, with what is left to the next holder; nothing where it is another's, or ours under another epoch. */
const GIVE_BACK = `
local found = redis.call('HMGET', KEYS[1], 'holder', 'epoch')
if found[1] ~= ARGV[1] or tonumber(found[2]) ~= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'holder', '', 'until', 0, 'left', ARGV[3], 'leftEpoch', ARGV[2])
return 1
`;

/** What a holder left to the next one. */
export interface Left {
  readonly text: string;
  readonly epoch: number;
}

export interface LeaseOptions {
  readonly redis: Redis;
  readonly key: string;
  /** Unique to the pod, and the same for each of its boots: one that crashed does not wait for itself. */
  readonly holder: string;
  readonly podName: string;
  readonly log: Logger;
  /** The highest epoch that is known to have been in use. */
  readonly knownEpoch: () => number;
  /** What the next holder must know, as of now; stored with each renewal. */
  readonly toLeave: () => string;
  /** Ours under another epoch than before, or not any more (undefined). */
  readonly onChange: (epoch: number | undefined, left: Left | undefined) => void;
}

export interface LeaseKeeper {
  /** Tells of an end by our own clock, before anything is decided. */
  look(): void;
  /** The epoch to act under; undefined where it is not ours, or not any more by our own clock. */
  epoch(): number | undefined;
  /** The pod that has it, where it is another's. */
  holder(): string | undefined;
  /** Renews now, so that what is to be left is there before anything else is sent. */
  renewNow(): void;
  /** Not ours from this moment on; resolves when Redis knows, or cannot be told. Nothing is asked for afterwards. */
  giveBack(): Promise<void>;
}

/** Starts asking; never waits for Redis. */
export function keepLease(options: LeaseOptions): LeaseKeeper {
  const keeper = new Keeper(options);
  const looking = setInterval(() => keeper.look(), LOOK_EVERY_MS);
  keeper.look();
  return {
    look: () => keeper.look(),
    epoch: () => heldEpoch(keeper.lease, monotonicNow()),
    holder: () => (keeper.lease.kind === 'Waiting' ? keeper.lease.holder : undefined),
    renewNow: () => void keeper.ask(),
    giveBack: async () => {
      clearInterval(looking);
      await keeper.giveBack();
    },
  };
}

class Keeper {
  lease: Lease = unasked;
  readonly #options: LeaseOptions;
  /** As it was last told. */
  #told: number | undefined;
  /** As Redis has last written it for us. Where it ran out by our clock, nobody may have taken it since. */
  #granted = 0;
  #asking: Promise<void> | undefined;
  readonly #questions: Episode;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#questions = newEpisode(options.log, 'lease not asked for');
  }

  look(): void {
    this.#take({ kind: 'tick', now: monotonicNow() });
    if (this.lease.kind !== 'Released' && this.lease.askAt <= monotonicNow() && this.#asking === undefined) {
      this.#asking = this.ask().finally(() => (this.#asking = undefined));
    }
  }

  async ask(): Promise<void> {
    const { redis, key, holder, podName, knownEpoch, toLeave } = this.#options;
    const askedAt = monotonicNow();
    if (!isConnected(redis)) return this.#take({ kind: 'unanswered', now: askedAt });
    try {
      const answer = (await redis.eval(
        ASK,
        1,
        key,
        holder,
        podName,
        this.#granted,
        LEASE_MS,
        knownEpoch(),
        toLeave(),
      )) as Answer;
      this.#questions.worked();
      const now = monotonicNow();
      if (answer[0] === 0) return this.#take({ kind: 'refused', holder: answer[1], now });
      const [, granted, text, leftEpoch] = answer;
      this.#granted = granted;
      return this.#take({ kind: 'granted', epoch: granted, askedAt, now }, { text, epoch: leftEpoch });
    } catch (error) {
      this.#questions.failed(error);
      return this.#take({ kind: 'unanswered', now: monotonicNow() });
    }
  }

  async giveBack(): Promise<void> {
    const { redis, key, holder, toLeave, log } = this.#options;
    const left = toLeave();
    this.#take({ kind: 'released' });
    // What is under way may still write our name: it is given back behind it.
    await this.#asking;
    if (this.#granted === 0 || !isConnected(redis)) return;
    await redis.eval(GIVE_BACK, 1, key, holder, this.#granted, left).catch((error: unknown) => {
      log.debug({ error }, 'lease not given back: it runs out');
    });
  }

  #take(event: LeaseEvent, left?: Left): void {
    this.lease = stepLease(this.lease, event);
    const epoch = heldEpoch(this.lease, monotonicNow());
    if (epoch === this.#told) return;
    this.#told = epoch;
    const { log, onChange } = this.#options;
    if (epoch === undefined) log.warn({ lease: this.lease }, 'lease over: nothing is sent any more');
    else log.info({ epoch }, 'lease taken');
    onChange(epoch, left);
  }
}

type Answer = readonly [0, string] | readonly [1, number, string, number];
