// Figures of an ingest pod as plain numbers, for its metrics and its status: counting costs an addition per frame, the
// registry is asked only at a scrape.
import { Counter, Gauge, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import type { Provider } from './alpha-feeds.ts';
import { lagAt } from './lateness.ts';
import { skewsOf } from './source-clocks.ts';
import type { Shard } from './step.ts';
import type { MarketFrame } from './venue/frame.ts';

/** depth: updates of a book were missed · stalled: its stream went dead · crossed: it crossed itself · trade: ids were skipped. */
export type GapKind = 'depth' | 'stalled' | 'crossed' | 'trade';

/** depth: of a book, whole or changes · mark: a heartbeat or the like that names the last trade. */
type FrameKind = 'depth' | 'ticker' | 'trade' | 'mark';

const KIND_OF: Readonly<Record<MarketFrame['kind'], FrameKind>> = {
  depth: 'depth',
  book: 'depth',
  change: 'depth',
  ticker: 'ticker',
  trade: 'trade',
  tradeMark: 'mark',
};

/** Of one source. Changed in place. */
export interface SourceCounters {
  readonly frames: Record<FrameKind, number>;
  malformed: number;
  readonly gaps: Record<GapKind, number>;
  /** That the stream left out; of those, found by REST. */
  readonly trades: { missed: number; recovered: number };
}

export type Counters = Map<string, SourceCounters>;

export const newCounters = (sources: readonly string[]): Counters =>
  new Map(
    sources.map((source) => [
      source,
      {
        frames: { depth: 0, ticker: 0, trade: 0, mark: 0 },
        malformed: 0,
        gaps: { depth: 0, stalled: 0, crossed: 0, trade: 0 },
        trades: { missed: 0, recovered: 0 },
      },
    ]),
  );

export function countFrame(counters: Counters, source: string, kind: MarketFrame['kind'] | 'malformed'): void {
  const of = counters.get(source);
  if (of === undefined) return;
  if (kind === 'malformed') of.malformed += 1;
  else of.frames[KIND_OF[kind]] += 1;
}

export const framesOf = ({ frames }: SourceCounters): number =>
  frames.depth + frames.ticker + frames.trade + frames.mark;

export const gapsOf = ({ gaps }: SourceCounters): number => gaps.depth + gaps.stalled + gaps.crossed + gaps.trade;

/** What a scrape shows besides the counters. */
export interface Scraped {
  readonly shard: Shard;
  readonly counters: Counters;
  /** Our symbol → source: what this pod must hear, whether it ever did or not. */
  readonly wanted: ReadonlyMap<string, string>;
  readonly providers: readonly Provider[];
  readonly startedAt: number;
  readonly now: () => number;
  /** Emissions that were ready while the one before was still on its way to Redis. */
  readonly unsent: () => number;
}

/** Registers the metrics of ingest, filled in when they are asked for. */
export function registerMetrics(registry: Registry, scraped: Scraped): void {
  registerCounters(registry, scraped);
  registerGauges(registry, scraped);
}

function registerCounters(registry: Registry, { shard, counters, unsent }: Scraped): void {
  const registers = [registry];
  new Counter({
    name: METRIC.frames,
    help: 'Frames of market data that were read, by source and kind',
    labelNames: ['source', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const [source, { frames }] of counters) {
        for (const [kind, count] of Object.entries(frames)) this.inc({ source, kind }, count);
      }
    },
  });
  new Counter({
    name: METRIC.gaps,
    help: 'Gaps: books that lost updates, stalled or crossed and were resynchronised, trade ids that were skipped',
    labelNames: ['source', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const [source, { gaps }] of counters) {
        for (const [kind, count] of Object.entries(gaps)) this.inc({ source, kind }, count);
      }
    },
  });
  new Counter({
    name: METRIC.missedTrades,
    help: 'Trades that a stream left out, and those of them that were found by REST: the difference is lost to volumes',
    labelNames: ['source', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const [source, { trades }] of counters) {
        this.inc({ source, outcome: 'missed' }, trades.missed);
        this.inc({ source, outcome: 'recovered' }, trades.recovered);
      }
    },
  });
  new Counter({
    name: METRIC.malformedFrames,
    help: 'Frames that could not be read',
    labelNames: ['source'],
    registers,
    collect() {
      this.reset();
      for (const [source, { malformed }] of counters) this.inc({ source }, malformed);
    },
  });
  new Counter({
    name: METRIC.emissionsSkipped,
    help: 'Changes that a newer one replaced before they were emitted (20 a second and symbol go out)',
    registers,
    collect() {
      this.reset();
      this.inc([...shard.emissions.values()].reduce((sum, { skipped }) => sum + skipped, unsent()));
    },
  });
}

function registerGauges(registry: Registry, scraped: Scraped): void {
  const { shard, wanted, providers, startedAt, now } = scraped;
  const registers = [registry];
  new Gauge({
    name: METRIC.feedAge,
    help: 'Seconds since the connection of a symbol was last heard, or since the start where it never was; kind: book, or alpha of a signal provider',
    labelNames: ['source', 'symbol', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const [symbol, source] of wanted) {
        const heardAt = shard.markets.get(symbol)?.link.heardAt || startedAt;
        this.set({ source, symbol, kind: 'book' }, Math.max(0, now() - heardAt) / 1_000);
      }
      for (const { feed, symbols } of providers) {
        const { source, heardAt } = feed.link;
        for (const symbol of symbols)
          this.set({ source, symbol, kind: 'alpha' }, Math.max(0, now() - (heardAt || startedAt)) / 1_000);
      }
    },
  });
  new Gauge({
    name: METRIC.symbolHalted,
    help: '1 while the venue does not trade the symbol, or its units changed; 0 while it does',
    labelNames: ['source', 'symbol'],
    registers,
    collect() {
      this.reset();
      for (const { symbol, link, halted } of shard.markets.values())
        this.set({ source: link.source, symbol }, halted === undefined ? 0 : 1);
    },
  });
  new Gauge({
    name: METRIC.clockSkew,
    help: "Seconds by which this machine's clock is ahead of the source's, and the shortest way from there",
    labelNames: ['source'],
    registers,
    collect() {
      this.reset();
      for (const [source, apart] of skewsOf(shard, { now: now(), at: Date.now() })) this.set({ source }, apart / 1_000);
    },
  });
  new Gauge({
    name: METRIC.feedLag,
    help: "Seconds by which the book of a symbol is behind the venue's, by the times in its messages; none where it has none",
    labelNames: ['source', 'symbol'],
    registers,
    collect() {
      this.reset();
      for (const market of shard.markets.values()) {
        const { symbol, link } = market;
        if (link.clock !== undefined) this.set({ source: link.source, symbol }, lagAt(market, now()) / 1_000);
      }
    },
  });
}
