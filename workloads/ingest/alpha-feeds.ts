// The shard's signal providers beside its venues: their feeds, what became of their claims, how they are. Used by ingest.ts.
import { join } from 'node:path';
import { Counter, Gauge, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import type { IngestStatus } from '../contract/status.ts';
import { tokenIn } from '../kit/bearer-token.ts';
import { monotonicNow } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import { claimsAt, dropOf } from './alphas.ts';
import type { PlannedAlpha } from './sources.ts';
import type { Event, Output, Shard } from './step.ts';
import type { AlphaFeed, AlphaFeedOptions } from './venue/alpha/feed.ts';
import { openAlphaPolling } from './venue/alpha/polling.ts';
import { openAlphaStream } from './venue/alpha/stream.ts';
import type { Malformed } from './venue/frame.ts';

/** One dropped claim per source and this long goes to the log. */
const SAMPLE_EVERY_MS = 10_000;

export type OpenAlpha = (planned: PlannedAlpha, options: AlphaFeedOptions) => AlphaFeed;

/** Opens in the background. */
export const openAlpha: OpenAlpha = ({ pollMs }, options) =>
  pollMs === undefined ? openAlphaStream(options) : openAlphaPolling(options, pollMs);

export interface AlphaFeedsOptions {
  readonly planned: readonly PlannedAlpha[];
  /** With a folder for each source that has a Secret. */
  readonly secretsDir: string;
  readonly shard: Shard;
  readonly registry: Registry;
  readonly log: Logger;
  readonly open: OpenAlpha;
  readonly emit: (event: Event) => void;
  readonly onMalformed: (source: string, malformed: Malformed, text: string) => void;
}

/** A provider and the symbols, by our names, that it is to speak of. */
export interface Provider {
  readonly feed: AlphaFeed;
  readonly symbols: readonly string[];
}

export class AlphaFeeds {
  readonly #options: AlphaFeedsOptions;
  readonly #sampledAt = new Map<string, number>();
  readonly #edges: Counter<'source' | 'outcome'>;
  readonly providers: readonly Provider[];

  constructor(options: AlphaFeedsOptions) {
    this.#options = options;
    this.#edges = this.#registerMetrics();
    this.providers = options.planned.map((planned) => ({
      feed: this.#open(planned),
      symbols: [...planned.symbols.values()],
    }));
  }

  /** What became of a claim. */
  onClaim({ source, symbol, drop }: Extract<Output, { kind: 'alpha' }>): void {
    this.#edges.inc({ source, outcome: drop?.reason ?? 'Taken' });
    // A provider that is polled says the same again until it has something new.
    if (drop === undefined || drop.reason === 'Repeated') return;
    const now = monotonicNow();
    if (now - (this.#sampledAt.get(source) ?? -Infinity) < SAMPLE_EVERY_MS) return;
    this.#sampledAt.set(source, now);
    this.#options.log.warn({ source, symbol, ...drop }, 'claim of a signal provider dropped');
  }

  status(): IngestStatus['sources'][number][] {
    return this.providers.map(({ feed }) => {
      const name = feed.link.source;
      const { reason = dropOf(this.#options.shard.alphas, name), ...status } = feed.status();
      return { name, ...status, gaps: 0, ...(reason === undefined ? {} : { reason }) };
    });
  }

  stop(): void {
    for (const { feed } of this.providers) feed.stop();
  }

  #open(planned: PlannedAlpha): AlphaFeed {
    const { secretsDir, log, open, emit, onMalformed } = this.#options;
    const { name: source, url, symbols, hasToken } = planned;
    return open(planned, {
      source,
      url,
      symbols,
      ...(hasToken ? { token: () => tokenIn(join(secretsDir, source)) } : {}),
      now: monotonicNow,
      wallNow: Date.now,
      random: Math.random,
      log,
      emit,
      onMalformed: (malformed, text) => onMalformed(source, malformed, text),
    });
  }

  #registerMetrics(): Counter<'source' | 'outcome'> {
    const { registry, shard } = this.#options;
    const registers = [registry];
    const providers = (): readonly Provider[] => this.providers;
    new Gauge({
      name: METRIC.alphaClaimAge,
      help: 'Seconds since a signal provider made the claim that holds for a symbol; none where none does',
      labelNames: ['source', 'symbol'],
      registers,
      collect() {
        this.reset();
        const symbols = new Set(providers().flatMap((provider) => provider.symbols));
        for (const symbol of symbols) {
          for (const { source, ageMs } of claimsAt(shard.alphas, symbol, monotonicNow()) ?? [])
            this.set({ source, symbol }, ageMs / 1_000);
        }
      },
    });
    return new Counter({
      name: METRIC.alphaEdges,
      help: 'Claims of signal providers by what became of them: Taken, Repeated, Superseded, TooOld or Future',
      labelNames: ['source', 'outcome'],
      registers,
    });
  }
}
