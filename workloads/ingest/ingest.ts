// The shell around the core: feeds in, features out, gaps and bad frames to log and counters. Started by main.ts.
import type { Registry } from 'prom-client';
import type { DesiredDocument } from '../contract/desired.ts';
import type { Features } from '../contract/messages.ts';
import type { IngestStatus } from '../contract/status.ts';
import { bootId, monotonicNow } from '../kit/clock.ts';
import type { PodConfig } from '../kit/config.ts';
import type { Logger } from '../kit/log.ts';
import type { Outlet } from '../kit/outlet.ts';
import { AlphaFeeds, openAlpha, type OpenAlpha } from './alpha-feeds.ts';
import { countFrame, newCounters, registerMetrics, type Counters, type GapKind } from './counters.ts';
import { keepDailyBars } from './daily-bars.ts';
import { skewsOf, type Moment } from './source-clocks.ts';
import { planSources, type SourcePlan } from './sources.ts';
import { frameCount, ingestStatus, type FrameCount } from './status.ts';
import { newShard, step, type Event, type Output, type Shard } from './step.ts';
import type { PaperAnswer } from './paper/venue.ts';
import { openFeed, type OpenFeed } from './open-feed.ts';
import type { Feed } from './venue/feed.ts';
import type { Malformed } from './venue/frame.ts';
import { SKEWED_MS } from './venue/skew.ts';

/** Emissions that wait go out, and orders that fall due are matched, within this much. */
const TICK_MS = 10;
/** One malformed frame per source and this long goes to the log, with how many there were. */
const SAMPLE_EVERY_MS = 10_000;
const SAMPLE_CHARACTERS = 200;

export interface IngestOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly registry: Registry;
  readonly features: Outlet<Features>;
  readonly desired: () => DesiredDocument | undefined;
  readonly isReady: () => boolean;
  /** Of the paper venue, which starts after this. */
  readonly isFlushed: () => boolean;
  /** Puts a text under a key for so many seconds. */
  readonly store: (key: string, text: string, seconds: number) => Promise<unknown>;
  /** Unless a test brings its own. */
  readonly openFeed?: OpenFeed;
  readonly openAlpha?: OpenAlpha;
}

export interface Ingest {
  readonly shard: Shard;
  /** Steps the core and carries out what it gives. */
  emit(event: Event): void;
  /** Hears the paper venue's answers. */
  onAnswer(listener: (answer: PaperAnswer) => void): void;
  status(): IngestStatus;
  stop(): void;
}

/** Opens the feeds of the shard's primary sources and signal providers in the background and starts ticking. */
export function startIngest(options: IngestOptions): Ingest {
  const { pod, log, registry } = options;
  const plan = planSources(pod.system, pod.shard);
  const wanted = new Map(
    plan.feeds.flatMap(({ name, symbols }) => [...symbols.values()].map((symbol) => [symbol, name])),
  );
  const ingest = new RunningIngest(options, plan);
  registerMetrics(registry, {
    shard: ingest.shard,
    counters: ingest.counters,
    wanted,
    providers: ingest.alphas.providers,
    startedAt: monotonicNow(),
    now: monotonicNow,
    unsent: () => options.features.unsent(),
  });
  for (const [source, reason] of plan.refused)
    log.error({ source, reason }, 'source refused: its symbols stay without data');
  const open = options.openFeed ?? openFeed;
  for (const planned of plan.feeds) {
    const { name: source, endpoints, symbols } = planned;
    const feedOptions = {
      source,
      endpoints,
      symbols,
      isRecorded: planned.isRecorded,
      shards: pod.system.shards,
      now: monotonicNow,
      random: Math.random,
      log,
      emit: (event: Event) => ingest.emit(event, source),
      onMalformed: (malformed: Malformed, text: string) => ingest.onMalformed(source, malformed, text),
    };
    const feed = open(planned, feedOptions, pod.sourceSecretsDir);
    ingest.feeds.set(source, feed);
    for (const symbol of symbols.values()) ingest.feedBySymbol.set(symbol, feed);
  }
  ingest.start(wanted);
  return ingest;
}

class RunningIngest implements Ingest {
  readonly shard: Shard = newShard(bootId);
  readonly counters: Counters;
  readonly feeds = new Map<string, Feed>();
  readonly feedBySymbol = new Map<string, Feed>();
  readonly alphas: AlphaFeeds;
  readonly #options: IngestOptions;
  readonly #refused: ReadonlyMap<string, string>;
  readonly #stop = new AbortController();
  readonly #sampledAt = new Map<string, number>();
  /** Sources whose clock is known to be apart from ours. */
  readonly #skewed = new Set<string>();
  /** Symbols that their venue does not trade, and since when we know. */
  readonly #haltedAt = new Map<string, number>();
  #listener: (answer: PaperAnswer) => void = () => undefined;
  #before: FrameCount | undefined;
  #ticking: NodeJS.Timeout | undefined;

  constructor(options: IngestOptions, { feeds, alphas, refused }: SourcePlan) {
    this.#options = options;
    this.counters = newCounters([...feeds, ...alphas].map(({ name }) => name));
    this.#refused = refused;
    this.alphas = new AlphaFeeds({
      planned: alphas,
      secretsDir: options.pod.sourceSecretsDir,
      shard: this.shard,
      registry: options.registry,
      log: options.log,
      open: options.openAlpha ?? openAlpha,
      emit: (event) => this.emit(event),
      onMalformed: (source, malformed, text) => this.onMalformed(source, malformed, text),
    });
  }

  start(wanted: ReadonlyMap<string, string>): void {
    const { store, log } = this.#options;
    const { feeds } = this;
    const { signal } = this.#stop;
    void keepDailyBars({ feeds, wanted, store, now: monotonicNow, random: Math.random, log, signal });
    this.#ticking = setInterval(() => this.emit({ kind: 'tick', t: monotonicNow() }), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#ticking);
    this.#stop.abort();
    for (const feed of this.feeds.values()) feed.stop();
    this.alphas.stop();
  }

  onAnswer(listener: (answer: PaperAnswer) => void): void {
    this.#listener = listener;
  }

  emit(event: Event, source?: string): void {
    if (event.kind === 'frame' && source !== undefined) countFrame(this.counters, source, event.frame.kind);
    if (event.kind === 'tradesFound') this.#countFound(event.trades.length, source);
    for (const output of step(this.shard, event)) this.#carryOut(output);
  }

  #countFound(count: number, source = ''): void {
    const of = this.counters.get(source);
    if (of !== undefined) of.trades.recovered += count;
  }

  onMalformed(source: string, { reason, detail }: Malformed, text: string): void {
    countFrame(this.counters, source, 'malformed');
    const now = monotonicNow();
    if (now - (this.#sampledAt.get(source) ?? -Infinity) < SAMPLE_EVERY_MS) return;
    this.#sampledAt.set(source, now);
    const total = this.counters.get(source)?.malformed;
    this.#options.log.warn(
      { source, reason, detail, total, frame: text.slice(0, SAMPLE_CHARACTERS) },
      'malformed frame',
    );
  }

  status = (): IngestStatus => {
    const { pod, isReady, isFlushed, desired } = this.#options;
    const now = monotonicNow();
    const before = this.#before;
    this.#before = frameCount(this.counters, now);
    const seen = {
      pod: pod.podName,
      shardNumber: pod.shard,
      shard: this.shard,
      counters: this.counters,
      feeds: this.feeds,
      alphas: this.alphas,
      refused: this.#refused,
      ready: isReady(),
      flushed: isFlushed(),
      desired: desired(),
      at: Date.now(),
      now,
    };
    this.#tellSkew(seen);
    return ingestStatus(seen, before);
  };

  /** Once when a clock goes astray, once when it is back. */
  #tellSkew(moment: Moment): void {
    const skews = skewsOf(this.shard, moment);
    for (const source of this.feeds.keys()) {
      const clockSkewMs = skews.get(source) ?? 0;
      const isSkewed = Math.abs(clockSkewMs) > SKEWED_MS;
      if (isSkewed === this.#skewed.has(source)) continue;
      if (isSkewed) this.#skewed.add(source);
      else this.#skewed.delete(source);
      const { log } = this.#options;
      const of = { source, clockSkewMs: Math.round(clockSkewMs) };
      if (isSkewed) log.warn(of, "this machine's clock is apart from the source's: see to its time synchronisation");
      else log.info(of, "this machine's clock agrees with the source's again");
    }
  }

  #carryOut(output: Output): void {
    switch (output.kind) {
      case 'features':
        return this.#options.features.publish(output.features);
      case 'answer':
        return this.#listener(output.answer);
      case 'snapshotWanted':
        return this.#onSnapshotWanted(output);
      case 'streamLost':
        this.#onGap(output.symbol, 'stalled', {});
        return this.feedBySymbol.get(output.symbol)?.renew(output.symbol);
      case 'status':
        return this.#onStatus(output);
      case 'alpha':
        return this.alphas.onClaim(output);
      case 'tradesMissed':
        return this.#onTradesMissed(output);
    }
  }

  #onStatus({ symbol, halted }: Extract<Output, { kind: 'status' }>): void {
    const { log } = this.#options;
    const source = this.shard.markets.get(symbol)?.link.source;
    const since = this.#haltedAt.get(symbol);
    const now = monotonicNow();
    if (halted === undefined) this.#haltedAt.delete(symbol);
    else this.#haltedAt.set(symbol, since ?? now);
    if (halted !== undefined) log.warn({ source, symbol, halted }, 'market is halted');
    else log.info({ source, symbol, seconds: Math.round((now - (since ?? now)) / 1_000) }, 'market trades again');
  }

  #onTradesMissed({ symbol, count, lastId }: Extract<Output, { kind: 'tradesMissed' }>): void {
    this.#onGap(symbol, 'trade', { missed: count });
    const of = this.counters.get(this.shard.markets.get(symbol)?.link.source ?? '');
    if (of !== undefined) of.trades.missed += count;
    if (lastId > 0) this.feedBySymbol.get(symbol)?.wantTrades({ symbol, firstId: lastId - count + 1, lastId });
  }

  #onSnapshotWanted({ symbol, because }: Extract<Output, { kind: 'snapshotWanted' }>): void {
    if (because === 'Gap') this.#onGap(symbol, 'depth', {});
    else if (because === 'Crossed') this.#onGap(symbol, 'crossed', {});
    this.feedBySymbol.get(symbol)?.wantSnapshot(symbol);
  }

  #onGap(symbol: string, kind: GapKind, found: { readonly missed?: number }): void {
    const of = this.counters.get(this.shard.markets.get(symbol)?.link.source ?? '');
    if (of !== undefined) of.gaps[kind] += 1;
    this.#options.log.warn({ symbol, kind, ...found }, kind === 'trade' ? 'trades missed' : 'book resynchronises');
  }
}
