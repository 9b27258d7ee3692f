// The pod's live figures, made once a second. Pure.
import type { DesiredDocument } from '../contract/desired.ts';
import type { IngestStatus } from '../contract/status.ts';
import type { AlphaFeeds } from './alpha-feeds.ts';
import { framesOf, gapsOf, type Counters } from './counters.ts';
import { lagAt } from './lateness.ts';
import { lagsOf, skewsOf } from './source-clocks.ts';
import type { Shard } from './step.ts';
import type { Feed } from './venue/feed.ts';

export interface Seen {
  readonly pod: string;
  readonly shardNumber: number;
  readonly shard: Shard;
  readonly counters: Counters;
  readonly feeds: ReadonlyMap<string, Pick<Feed, 'status'>>;
  readonly alphas: Pick<AlphaFeeds, 'status'>;
  /** Sources that cannot be served, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
  readonly ready: boolean;
  readonly flushed: boolean;
  readonly desired: DesiredDocument | undefined;
  /** Wall clock, epoch ms. */
  readonly at: number;
  /** Clock of the events. */
  readonly now: number;
}

export interface FrameCount {
  readonly frames: number;
  readonly at: number;
}

/** The status now; frames per second are counted since `before`. */
export function ingestStatus(seen: Seen, before: FrameCount | undefined): IngestStatus {
  const { shard, counters, desired, now } = seen;
  const frames = frameCount(counters, now);
  const seconds = before === undefined ? 0 : (now - before.at) / 1_000;
  return {
    part: 'ingest',
    pod: seen.pod,
    shard: seen.shardNumber,
    bootId: shard.bootId,
    at: seen.at,
    ready: seen.ready,
    ...(desired === undefined
      ? {}
      : { desired: { epoch: desired.epoch, version: desired.version, hash: desired.hash } }),
    framesTotal: frames.frames,
    framesPerSecond: before === undefined || seconds <= 0 ? 0 : (frames.frames - before.frames) / seconds,
    sources: [...sourcesOf(seen)],
    symbols: Object.fromEntries(
      [...shard.markets.values()].map((market) => [
        market.symbol,
        {
          valid: market.valid,
          mid: market.mid,
          spreadBps: spreadBps(market.best),
          ageMs: market.link.heardAt === 0 ? -1 : Math.max(0, now - market.link.heardAt),
          ...(market.halted === undefined ? {} : { halted: market.halted }),
          ...(market.link.clock === undefined ? {} : { lagMs: Math.round(lagAt(market, now)) }),
        },
      ]),
    ),
    flushed: seen.flushed,
  };
}

export const frameCount = (counters: Counters, at: number): FrameCount => ({
  frames: [...counters.values()].reduce((sum, of) => sum + framesOf(of), 0),
  at,
});

function* sourcesOf({
  shard,
  feeds,
  alphas,
  refused,
  counters,
  at,
  now,
}: Seen): Generator<IngestStatus['sources'][number]> {
  const skews = skewsOf(shard, { now, at });
  const lags = lagsOf(shard, now);
  for (const [name, feed] of feeds) {
    const of = counters.get(name);
    const apart = skews.get(name);
    const behind = lags.get(name);
    yield {
      name,
      ...feed.status(),
      gaps: of === undefined ? 0 : gapsOf(of),
      ...(apart === undefined ? {} : { clockSkewMs: Math.round(apart) }),
      ...(behind === undefined ? {} : { lagMs: Math.round(behind) }),
    };
  }
  yield* alphas.status();
  for (const [name, reason] of refused) yield { name, connected: false, reconnects: 0, gaps: 0, reason };
}

const spreadBps = ({ bidTicks, askTicks }: { readonly bidTicks: number; readonly askTicks: number }): number =>
  bidTicks > 0 && askTicks > 0 ? (2e4 * (askTicks - bidTicks)) / (askTicks + bidTicks) : 0;
