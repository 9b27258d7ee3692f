// One leader at a time, by a Lease: 15 s long, renewed within 10 s, tried every 2 s. Every write of the leader is preceded by
// a look at the time left, and each change of leader raises the epoch by which its documents are ordered.
import { setTimeout as delay } from 'node:timers/promises';
import type { V1LeaseSpec } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import type { Api } from './client.ts';
import { FatalError, isConflict, isNotFound } from './errors.ts';
import type { LeaderMetrics } from './metrics.ts';
import type { Live, Resource } from './object.ts';

const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' };
const DURATION_MS = 15_000;
/** Past this without a renewal the leader stops, well before another may begin. */
const RENEW_WITHIN_MS = 10_000;
const EVERY_MS = 2_000;
/** Who waits for a lease that was given back must act within 2 s of that: this long is lost before it looks. */
const LOOK_MS = 500;
/** After a failure the time left is short: the connection may be another by then. */
const AGAIN_MS = 500;
/** A request that is not answered by then is made again while there is time: the client's own patience would outlast the lease. */
const ANSWER_WITHIN_MS = 3_000;

/** Times come as text. */
export interface LeaseSpec extends Omit<V1LeaseSpec, 'acquireTime' | 'renewTime'> {
  readonly acquireTime?: string;
  readonly renewTime?: string;
}
interface LeaseObject extends Live {
  readonly spec?: LeaseSpec;
}

export interface LeaseOptions {
  readonly api: Api;
  readonly log: Logger;
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process: a restarted one is another. */
  readonly identity: string;
  readonly signal: AbortSignal;
  /** Monotonic, ms. */
  readonly now?: () => number;
  readonly metrics?: LeaderMetrics;
  readonly everyMs?: number;
  readonly againMs?: number;
}

/**
 * What to do about a lease as it was just read. `seenMs` ago its renewal last changed, by our own clock: the clocks of two
 * machines are never compared. A released lease has no holder.
 */
export function verdictOn(spec: LeaseSpec | undefined, identity: string, seenMs: number): 'renew' | 'take' | 'wait' {
  if (spec?.holderIdentity === identity) return 'renew';
  const isFree = spec === undefined || !spec.holderIdentity;
  return isFree || seenMs >= (spec.leaseDurationSeconds ?? DURATION_MS / 1_000) * 1_000 ? 'take' : 'wait';
}

export class Lease {
  readonly #options: LeaseOptions;
  readonly #api: Api;
  readonly #now: () => number;
  readonly #acquired = Promise.withResolvers<void>();
  #live: LeaseObject | undefined;
  #renewSeen = '';
  #renewSeenAt = 0;
  #heldUntil = Number.NEGATIVE_INFINITY;
  #epoch = 0;
  #leads = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#api = options.api.within(ANSWER_WITHIN_MS);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Resolves when this process leads for the first time. */
  get acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  /** Transitions of the Lease as of our taking it. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Throws FatalError unless we lead and have time left. Called before each write. */
  assertHeld(): void {
    if (this.#now() >= this.#heldUntil) throw new FatalError('the lease is spent: another may lead by now');
  }

  /** Tries until the signal aborts, then gives the lease back. Throws FatalError when it was held and is lost. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const answered = await this.#tryOnce();
      if (this.#leads && this.#now() >= this.#heldUntil) throw new FatalError('the lease could not be renewed in time');
      await delay(this.#pauseMs(answered), undefined, { signal }).catch(() => undefined);
    }
    await this.#release();
  }

  /**
   * Raises the epoch to at least `least`: for documents written under a Lease that somebody has deleted since. Throws what the
   * API server answers; then nothing has changed.
   */
  async raise(least: number): Promise<void> {
    this.assertHeld();
    if (this.#epoch >= least || this.#live?.spec === undefined) return;
    await this.#write({ ...this.#live.spec, leaseTransitions: least });
  }

  #pauseMs(answered: boolean): number {
    const { everyMs = EVERY_MS, againMs = AGAIN_MS } = this.#options;
    if (!this.#leads) return Math.min(LOOK_MS, everyMs);
    return answered ? everyMs : againMs;
  }

  /** False where the API server did not do what it was asked. */
  async #tryOnce(): Promise<boolean> {
    // The holder writes over what it wrote itself: only where somebody else has, it must look.
    if (this.#leads && this.#live !== undefined && (await this.#claim('renew'))) return true;
    if (this.#leads) this.#options.metrics?.slowPath();
    if (!(await this.#read())) return false;
    const { identity } = this.#options;
    const spec = this.#live?.spec;
    const verdict = verdictOn(spec, identity, this.#now() - this.#renewSeenAt);
    if (verdict === 'wait' && this.#leads) throw new FatalError(`${spec?.holderIdentity} has taken the lease`);
    return verdict === 'wait' || (await this.#claim(verdict));
  }

  async #claim(how: 'renew' | 'take'): Promise<boolean> {
    const { identity, log } = this.#options;
    const startedAt = this.#now();
    try {
      await this.#write(heldBy(identity, this.#live?.spec, how));
      this.#hold(startedAt);
      return true;
    } catch (error) {
      if (!isConflict(error)) log.warn({ error }, 'lease not written');
      return isConflict(error) && !this.#leads;
    }
  }

  /** False where it could not be read: nothing may be concluded. */
  async #read(): Promise<boolean> {
    const { namespace, name, log } = this.#options;
    try {
      this.#observe(await this.#api.get<LeaseObject>(LEASES, { namespace, name }));
      return true;
    } catch (error) {
      if (isNotFound(error)) {
        this.#live = undefined;
        return true;
      }
      log.warn({ error }, 'lease not read');
      return false;
    }
  }

  #observe(live: LeaseObject): void {
    this.#live = live;
    const renewal = `${live.spec?.holderIdentity} ${live.spec?.renewTime}`;
    if (renewal === this.#renewSeen) return;
    this.#renewSeen = renewal;
    this.#renewSeenAt = this.#now();
  }

  async #write(spec: LeaseSpec): Promise<void> {
    const { namespace, name } = this.#options;
    const api = this.#api;
    const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name }, spec };
    // With the resource version that was read: of two that try, one is refused.
    this.#live =
      this.#live === undefined
        ? await api.create<LeaseObject>(LEASES, object)
        : await api.update<LeaseObject>(LEASES, { ...object, metadata: this.#live.metadata });
    this.#epoch = spec.leaseTransitions ?? this.#epoch;
  }

  #hold(startedAt: number): void {
    this.#heldUntil = startedAt + RENEW_WITHIN_MS;
    if (this.#leads) return;
    this.#leads = true;
    this.#options.log.info({ identity: this.#options.identity, epoch: this.#epoch }, 'leading');
    this.#options.metrics?.leads(true);
    this.#acquired.resolve();
  }

  async #release(): Promise<void> {
    if (!this.#leads || this.#live?.spec === undefined) return;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    this.#options.metrics?.leads(false);
    const { leaseTransitions = 0 } = this.#live.spec;
    await this.#write({ holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(), leaseTransitions }).catch(
      (error: unknown) => this.#options.log.warn({ error }, 'lease not given back: another leads in 15 s'),
    );
  }
}

function heldBy(identity: string, spec: LeaseSpec | undefined, how: 'renew' | 'take'): LeaseSpec {
  const time = microTime();
  const transitions = spec?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: DURATION_MS / 1_000,
    acquireTime: how === 'renew' ? (spec?.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: how === 'renew' ? transitions : transitions + 1,
  };
}

/** MicroTime: 2026-01-02T03:04:05.678000Z. */
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
