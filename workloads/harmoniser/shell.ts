// The shell around the core: signals, reports and control in; orders, decisions and figures out. Started by main.ts.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { canonicalJson } from '../contract/canonical.ts';
import type { DesiredDocument } from '../contract/desired.ts';
import { leaseKey } from '../contract/keys.ts';
import type { OrderRequest, Signal } from '../contract/messages.ts';
import type { Restraint } from '../contract/restraint.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import type { HarmoniserStatus } from '../contract/status.ts';
import { bootId, monotonicNow } from '../kit/clock.ts';
import type { PodConfig } from '../kit/config.ts';
import type { DesiredFollower } from '../kit/desired.ts';
import type { Inlet } from '../kit/inlet.ts';
import { keepLease, type LeaseKeeper, type Left } from '../kit/lease-keeper.ts';
import type { Logger } from '../kit/log.ts';
import { isConnected, type Redis } from '../kit/redis.ts';
import { openDurable, type Durable, type ReadReport } from './durable.ts';
import { handoverOf, parseHandover } from './handover.ts';
import { registerMetrics, type Metrics } from './metrics.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { compilePolicy } from './policy.ts';
import type { Event, Output } from './state.ts';
import { harmoniserStatus, positionUsd } from './status.ts';
import { step } from './step.ts';
import { createTaps, readBars, readEstimates, type Taps } from './taps.ts';

const TICK_MS = 250;
const SERIES_EVERY_MS = 1_000;
/** Ingest may have them later than we are there. */
const BARS_EVERY_MS = 2_000;
const SNAPSHOT_EVERY_MS = 30_000;
const LATCHES: ReadonlySet<string> = new Set(['BreakerOpen', 'VarCutStarted', 'VarCutDone']);
/** The estimates are a second choice for a warm start: not worth waiting longer for. */
const ESTIMATES_WITHIN_MS = 3_000;

/** How far the reports of the venue were read: the last entry of each symbol's stream, and the last number without a gap before it. */
export interface ReadSoFar {
  readonly fillsRead: ReadonlyMap<string, string>;
  readonly seenTo: number;
}

/** Gives each report of the venue to `take`, in order, one at a time; resolves when it is told to stop. */
export type Reports = (readSoFar: ReadSoFar, take: (read: Omit<ReadReport, 'now'>) => Promise<void>) => Promise<void>;

export interface ShellOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly registry: Registry;
  readonly redis: Redis;
  readonly signals: Inlet<Signal>;
  readonly reports: Reports;
  /** Hands a request to the venue; rejects where that cannot be done. */
  readonly send: (request: OrderRequest) => Promise<unknown>;
  readonly desired: () => DesiredFollower;
  readonly isReady: () => boolean;
  /** The volume cannot be written: nothing may be decided any more, the process must end. */
  readonly onFatal: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export interface Shell {
  /** Puts a document into force. Throws where it lacks what a symbol needs; then the old one stays. */
  apply(document: DesiredDocument): void;
  status(): HarmoniserStatus;
  /** Stopped, no order open, and all on the volume. */
  isSettled(): boolean;
  /** Starts reading and deciding; resolves when the signal has aborted and everything is on the volume. */
  run(): Promise<void>;
}

/** Rebuilds the state from the volume. Nothing is read or decided before `run`. */
export async function openShell(options: ShellOptions): Promise<Shell> {
  const { pod, redis, log } = options;
  const symbols = symbolsOfShard(pod.system.symbols, pod.shard, pod.system.shards);
  await untilConnected(redis, ESTIMATES_WITHIN_MS);
  const durable = await openDurable({
    dir: pod.dataDir,
    system: pod.system.system.name,
    shard: pod.shard,
    replica: pod.replica,
    symbols: symbols.map(({ name }) => name),
    storedEstimates: isConnected(redis) ? await readEstimates(redis) : {},
    log,
  });
  const classes = new Map(symbols.map(({ name, assetClass }) => [name, assetClass]));
  const taps = createTaps(redis, log, (symbol) => classes.get(symbol) ?? '');
  return new RunningShell(options, durable, taps);
}

async function untilConnected(redis: Redis, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isConnected(redis) && performance.now() < deadline) await delay(50);
}

class RunningShell implements Shell {
  readonly #options: ShellOptions;
  readonly #durable: Durable;
  readonly #taps: Taps;
  readonly #metrics: Metrics;
  readonly #outbox: Outbox;
  /** Orders that a signal led to, until they are handed over: when its frame was read. What the clock led to is not timed. */
  readonly #readAt = new Map<string, number>();
  #control = '';
  #seen: { readonly restraint: Restraint; readonly readable: boolean } | undefined;
  #lease: LeaseKeeper | undefined;

  constructor(options: ShellOptions, durable: Durable, taps: Taps) {
    this.#options = options;
    this.#durable = durable;
    this.#taps = taps;
    this.#outbox = createOutbox({
      intend: (order) => durable.intend(order),
      epoch: () => this.#lease?.epoch(),
      send: (request) => void this.#send(request),
      onUnsent: (request) => this.#onUnsent(request),
      onFatal: options.onFatal,
    });
    this.#metrics = registerMetrics(options.registry, this.status);
  }

  apply(document: DesiredDocument): void {
    const { pod } = this.#options;
    this.#emit({ kind: 'policy', policy: compilePolicy(document, pod.system, pod.shard), now: monotonicNow() });
  }

  status = (): HarmoniserStatus => {
    const { pod, isReady, desired } = this.#options;
    return harmoniserStatus({
      pod: pod.podName,
      shard: pod.shard,
      replica: pod.replica,
      bootId,
      state: this.#durable.state,
      ready: isReady(),
      flushed: this.#durable.isFlushed(),
      holder: this.#lease?.holder(),
      desired: desired().current(),
      at: Date.now(),
      now: monotonicNow(),
    });
  };

  isSettled(): boolean {
    const { restraint, account } = this.#durable.state;
    return restraint.tradingStopped && Object.keys(account.working).length === 0 && this.#durable.isFlushed();
  }

  async run(): Promise<void> {
    const { redis, signal } = this.#options;
    const onRedis = (): void => this.#emit({ kind: 'redis', connected: isConnected(redis), now: monotonicNow() });
    redis.on('ready', onRedis).on('close', onRedis);
    onRedis();
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    const series = setInterval(() => this.#writeSeries(), SERIES_EVERY_MS);
    const saving = setInterval(() => this.#guard(this.#durable.snapshot()), SNAPSHOT_EVERY_MS);
    const bars = setInterval(() => void this.#lookAtBars(), BARS_EVERY_MS);
    const handedOver = this.#handOver(signal);
    await Promise.all([this.#readSignals(), this.#readReports(), handedOver]);
    for (const timer of [ticking, series, saving, bars]) clearInterval(timer);
    await this.#durable.snapshot();
    await this.#durable.close();
  }

  /** Only one that can decide may act: it would keep the lease from another that can. */
  #askForLease(): void {
    const { pod, redis, log, signal } = this.#options;
    const { state } = this.#durable;
    if (this.#lease !== undefined || state.policy === undefined || signal.aborted) return;
    this.#lease = keepLease({
      redis,
      key: leaseKey(pod.system.system.name, pod.shard),
      holder: pod.podUid,
      podName: pod.podName,
      log,
      knownEpoch: () => Math.max(state.heldEpoch, state.knownEpoch),
      toLeave: () => JSON.stringify(handoverOf(state)),
      onChange: (epoch, left) => this.#onLease(epoch, left),
    });
  }

  #onLease(epoch: number | undefined, left: Left | undefined): void {
    const handover = left === undefined ? undefined : parseHandover(left.text);
    const known = left === undefined || handover === undefined ? {} : { left: { epoch: left.epoch, handover } };
    this.#emit({ kind: 'lease', epoch, ...known, now: monotonicNow() });
    // The epoch is on the volume before any answer of the venue can make an order of it.
    if (epoch !== undefined) this.#guard(this.#durable.snapshot());
  }

  /** When the pod is told to stop: nothing more is sent, and who waits takes over at once. */
  async #handOver(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await once(signal, 'abort');
    await this.#lease?.giveBack();
  }

  #tick(): void {
    const now = monotonicNow();
    this.#askForLease();
    this.#lookAtControl(now);
    this.#emit({ kind: 'tick', now });
  }

  /** Before every decision: a hold counts from the next one on. */
  #lookAtControl(now: number): void {
    const wall = Date.now();
    const desired = this.#options.desired();
    const control = { restraint: desired.restraint(wall), readable: desired.controlReadable(wall) };
    if (control.restraint === this.#seen?.restraint && control.readable === this.#seen.readable) return;
    this.#seen = control;
    const text = canonicalJson({
      ...control,
      restraint: { ...control.restraint, kellyCap: String(control.restraint.kellyCap) },
    });
    if (text === this.#control) return;
    this.#control = text;
    const { tradingStopped, routerPaused, holds } = control.restraint;
    this.#options.log.info(
      { tradingStopped, routerPaused, readable: control.readable, holds: holds.map(({ id }) => id) },
      'control changed',
    );
    this.#emit({ kind: 'control', ...control, now });
  }

  /** Only where nothing warmer was there to start from. */
  async #lookAtBars(): Promise<void> {
    for (const [symbol, { source }] of this.#durable.state.volatilities) {
      const bars = source === 'ClassDefault' ? await readBars(this.#options.redis, symbol) : undefined;
      if (bars !== undefined) this.#emit({ kind: 'bars', symbol, closes: bars.closes, now: monotonicNow() });
    }
  }

  #emit(event: Event): void {
    for (const output of step(this.#durable.state, event)) this.#carryOut(output, event);
  }

  #carryOut(output: Output, cause: Event): void {
    const { log } = this.#options;
    switch (output.kind) {
      case 'order':
        if (cause.kind === 'signal') this.#readAt.set(output.order.id, this.#heardAt(output.order.symbol));
        return this.#outbox(output.order);
      case 'request':
        return this.#outbox(output.request);
      case 'decision': {
        if (!this.#acts()) return undefined;
        const symbol = this.#durable.state.symbols.get(output.decision.symbol);
        const lots = this.#durable.state.account.lots[output.decision.symbol] ?? 0;
        return this.#taps.decided(output.decision, symbol === undefined ? 0 : positionUsd(symbol, lots));
      }
      case 'volatility':
        return this.#acts() ? this.#taps.estimated(output.symbol, output.sigmaDay) : undefined;
      case 'note':
        // What is latched must hold over a restart from now on, not from the next snapshot.
        if (LATCHES.has(output.code)) {
          this.#guard(this.#durable.snapshot());
          this.#lease?.renewNow();
        }
        return log.warn({ code: output.code, symbol: output.symbol, ...output.numbers }, 'note');
    }
  }

  /** What the desk sees is of the one that acts. */
  #acts(): boolean {
    return this.#durable.state.epoch !== undefined;
  }

  /** When ingest read what the symbol's book is from, by our clock. */
  #heardAt(symbol: string): number {
    return this.#durable.state.symbols.get(symbol)?.heardAt ?? 0;
  }

  #onUnsent({ id, kind }: OrderRequest): void {
    this.#readAt.delete(id);
    this.#options.log.warn({ id, kind }, 'not sent: the lease under which it was decided is over');
    if (kind === 'new') this.#emit({ kind: 'unsent', id });
  }

  /** What Redis does not take is not sent again: the venue is asked instead what became of it. */
  async #send(request: OrderRequest): Promise<void> {
    const { send, log } = this.#options;
    const readAt = this.#readAt.get(request.id);
    if (readAt !== undefined) this.#metrics.handedOver((monotonicNow() - readAt) / 1_000);
    this.#readAt.delete(request.id);
    try {
      await send(request);
    } catch (error) {
      log.warn({ error, id: request.id, kind: request.kind }, 'order not sent');
    }
  }

  async #readSignals(): Promise<void> {
    await this.#options.signals((message, ageMs) => {
      const now = monotonicNow();
      this.#lease?.look();
      this.#lookAtControl(now);
      const started = performance.now();
      const before = this.#durable.state.decisionSeq;
      this.#emit({ kind: 'signal', signal: message, ageMs, now });
      if (this.#durable.state.decisionSeq > before) this.#metrics.decided((performance.now() - started) / 1_000);
    });
  }

  /** Each report once: from the last that the volume has, and on the volume before it is acted on. */
  async #readReports(): Promise<void> {
    const { state, fillsRead } = this.#durable;
    await this.#options.reports({ fillsRead, seenTo: state.account.seenTo ?? 0 }, async (read) => {
      const now = monotonicNow();
      const { report } = read;
      await this.#durable
        .report({ ...read, now }, () => this.#emit({ kind: 'report', report, now }))
        .catch((error: unknown) => this.#options.onFatal(error));
    });
  }

  #writeSeries(): void {
    if (!this.#acts()) return;
    const { symbols, varPct } = this.status();
    const points = Object.entries(symbols).flatMap(([symbol, own]) => [
      { series: 'edge_blended_bps' as const, symbol, value: own.edgeBps },
      { series: 'position_size_usd' as const, symbol, value: own.positionUsd },
      { series: 'var_pct' as const, symbol, value: own.varPct },
    ]);
    this.#taps.points([...points, { series: 'var_pct', symbol: 'portfolio', value: varPct }], Date.now());
  }

  #guard(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#options.onFatal(error));
  }
}
