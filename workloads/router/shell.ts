// The shell around the core: features and control in; signals, switches and the snapshot out. Started by main.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import type { ActiveHold, DesiredDocument } from '../contract/desired.ts';
import { holdsKey, RELOAD } from '../contract/keys.ts';
import type { Features, Signal } from '../contract/messages.ts';
import type { RouterStatus } from '../contract/status.ts';
import { bootId, monotonicNow } from '../kit/clock.ts';
import type { PodConfig } from '../kit/config.ts';
import type { DesiredFollower } from '../kit/desired.ts';
import type { Inlet } from '../kit/inlet.ts';
import type { Logger } from '../kit/log.ts';
import type { Outlet } from '../kit/outlet.ts';
import { executed, isConnected, type Redis } from '../kit/redis.ts';
import { ModelServers } from './inference/servers.ts';
import { registerMetrics, type Metrics } from './metrics.ts';
import { compilePolicy } from './policy.ts';
import { loadState, SLICE_MS, Snapshot } from './snapshot.ts';
import type { Event, Output, State, Switch } from './state.ts';
import { routerStatus } from './status.ts';
import { step } from './step.ts';
import { logSwitch } from './switch-log.ts';

/** What was learned is worth this wait at the start, and no more: without it models start from their priors. */
const SNAPSHOT_WITHIN_MS = 5_000;

export interface ShellOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly registry: Registry;
  readonly redis: Redis;
  readonly features: Inlet<Features>;
  readonly signals: Outlet<Signal>;
  readonly desired: () => DesiredFollower;
  readonly isReady: () => boolean;
  readonly signal: AbortSignal;
}

export interface Shell {
  /** Puts a document into force. Throws where no model of it can be run; then the old one stays. */
  apply(document: DesiredDocument): void;
  status(): RouterStatus;
  isSettled(): boolean;
  /** Pauses the router for everybody, until the hold is removed. Twice is once. Rejects where Redis does not take it. */
  pause(id: string, reason: string): Promise<void>;
  /** Resolves when the signal has aborted and what was learned is stored. */
  run(): Promise<void>;
}

/** Takes up what an earlier run has learned. */
export async function openShell(options: ShellOptions): Promise<Shell> {
  const { redis, pod, log } = options;
  const deadline = performance.now() + SNAPSHOT_WITHIN_MS;
  while (!isConnected(redis) && performance.now() < deadline) await delay(50);
  const state = await loadState(redis, pod, bootId);
  const { size } = state.symbols;
  log.info({ symbols: size }, size === 0 ? 'starting from priors' : 'calibration restored');
  return new RunningShell(options, state);
}

class RunningShell implements Shell {
  readonly #options: ShellOptions;
  readonly #state: State;
  readonly #metrics: Metrics;
  readonly #servers: ModelServers;
  readonly #snapshot: Snapshot;

  constructor(options: ShellOptions, state: State) {
    this.#options = options;
    this.#state = state;
    this.#snapshot = new Snapshot(options, state);
    this.#metrics = registerMetrics(options.registry, {
      status: this.status,
      isExcess: () => this.#state.excessToldAt !== undefined,
    });
    this.#servers = new ModelServers({
      log: options.log,
      metrics: this.#metrics,
      secretsDir: options.pod.modelSecretsDir,
      emit: (event) => this.#emit(event),
    });
  }

  apply(document: DesiredDocument): void {
    const { pod, log } = this.#options;
    const policy = compilePolicy(document, pod.system, pod.shard);
    for (const [model, reason] of policy.leftOut) log.warn({ model, reason }, 'model left out');
    this.#emit({ kind: 'policy', policy, now: monotonicNow() });
    this.#servers.run(policy.models);
  }

  status = (): RouterStatus => {
    const { pod, isReady, desired } = this.#options;
    return routerStatus({
      pod: pod.podName,
      shard: pod.shard,
      state: this.#state,
      ready: isReady(),
      desired: desired().current(),
      at: Date.now(),
      now: monotonicNow(),
    });
  };

  /** What it made and could not send is replaced by the next. */
  isSettled(): boolean {
    return true;
  }

  async pause(id: string, reason: string): Promise<void> {
    const { redis, pod, log } = this.#options;
    const hold: ActiveHold = { id, effect: 'PauseRouter', reason, by: `pod ${pod.podName}` };
    await executed(
      redis
        .pipeline()
        .hset(holdsKey(pod.system.system.name), id, JSON.stringify(hold))
        .publish(RELOAD, '{"component":"router"}'),
    );
    log.warn({ hold: id, reason }, 'router paused: models are frozen until the hold is removed');
  }

  async run(): Promise<void> {
    const { features } = this.#options;
    const saving = setInterval(() => void this.#snapshot.storeSome(), SLICE_MS);
    await features((message, ageMs) => {
      const now = monotonicNow();
      this.#lookAtControl();
      this.#emit({ kind: 'features', features: message, ageMs, now });
    });
    clearInterval(saving);
    this.#servers.stop();
    await this.#snapshot.storeAll();
  }

  #lookAtControl(): void {
    const paused = this.#options.desired().restraint(Date.now()).routerPaused;
    if (paused === this.#state.paused) return;
    this.#options.log.info({ paused }, paused ? 'paused' : 'resumed');
    this.#emit({ kind: 'paused', paused });
  }

  #emit(event: Event): void {
    for (const output of step(this.#state, event)) this.#carryOut(output);
  }

  #carryOut(output: Output): void {
    switch (output.kind) {
      case 'signal':
        return this.#options.signals.publish(output.signal);
      case 'ask':
        return this.#servers.ask(output);
      case 'switch':
        return this.#record(output.switch);
      case 'excess':
        return this.#onExcess(output.switches, output.pause);
    }
  }

  #record(made: Switch): void {
    const { redis, log } = this.#options;
    const { symbol, horizonSeconds, from, to, reason } = made;
    this.#metrics.switched(made);
    log.info({ symbol, horizonSeconds, from, to, reason }, 'model switched');
    logSwitch(redis, made).catch((error: unknown) => log.warn({ error }, 'switch not logged in Redis'));
  }

  #onExcess(switches: number, pause: boolean): void {
    const { log } = this.#options;
    log.error({ switches, code: 'SwitchingExcess' }, 'models switch too often');
    if (!pause) return;
    this.pause('router-excess', `${switches} switches in the window of switching.windowSeconds`).catch(
      (error: unknown) => log.error({ error }, 'router not paused'),
    );
  }
}
