// Ingest's own path over a recording, as one thread of the pod runs it: WebSocket text → frame → gaps, sorted book, best level,
// trades, grid → features at most 20 times a second. A program of its own, so that its heap is its own: PATH COIN PASSES.
import { newCounters, countFrame } from '@tradewind/workloads/ingest/counters.ts';
import { newShard, step, type Event, type Shard } from '@tradewind/workloads/ingest/step.ts';
import { topLevels } from '@tradewind/workloads/ingest/book.ts';
import { decodeSnapshot } from '@tradewind/workloads/ingest/venue/binance-rest.ts';
import { decodeFrame } from '@tradewind/workloads/ingest/venue/binance.ts';
import type { Listing } from '@tradewind/workloads/ingest/venue/frame.ts';
import { kindOf, report, type Played } from './report.ts';
import { readRecording } from './recording.ts';

const [path = '', coin = '', passes = '5'] = process.argv.slice(2);
const recording = readRecording(path);
const { frames, times } = recording;
const SOURCE = 'binance';

/** As Binance's own filters have it on that day. */
const listing: Listing = {
  symbol: `${coin}-USD`,
  venueSymbol: `${coin}USDT`,
  priceDecimals: 2,
  quantityDecimals: coin === 'BTC' ? 5 : 4,
  minLots: 1,
  maxLots: 900_000_000,
  instrument: {
    priceScale: 100,
    quantityScale: coin === 'BTC' ? 100_000 : 10_000,
    tickStep: 1,
    lotStep: 1,
    minNotionalUsd: 5,
  },
};
const listings = new Map([[listing.venueSymbol, listing]]);

class Path {
  readonly shard: Shard = newShard('bench');
  readonly #counters = newCounters([SOURCE]);
  features = 0;
  gaps = 0;

  constructor() {
    const link = { source: SOURCE, up: true, heardAt: 0 };
    this.#emit({ kind: 'listed', listing, link, t: times[0] ?? 0 });
  }

  take(text: string, t: number): void {
    const frame = decodeFrame(text, listings);
    if (frame.kind === 'malformed' || frame.kind === 'notice')
      throw new Error(`frame: found ${frame.kind}: ${text.slice(0, 80)}`);
    countFrame(this.#counters, SOURCE, frame.kind);
    this.#emit({ kind: 'frame', frame, t });
  }

  #emit(event: Event): void {
    for (const output of step(this.shard, event)) {
      if (output.kind === 'features') this.features += 1;
      else if (output.kind === 'tradesMissed') this.gaps += 1;
      else if (output.kind === 'snapshotWanted') this.#splice(output.because, event.t);
    }
  }

  /** What the venue answered then; each time after the first is a gap. */
  #splice(because: string, t: number): void {
    if (because !== 'Start') this.gaps += 1;
    const snapshot = decodeSnapshot(recording.snapshot, listing);
    if (snapshot.kind === 'snapshot') this.#emit({ kind: 'snapshot', snapshot, t });
  }
}

function play(): Played & { readonly path: Path } {
  const path = new Path();
  const from = process.hrtime.bigint();
  for (const [i, text] of frames.entries()) path.take(text, times[i] ?? 0);
  return { path, ns: Number(process.hrtime.bigint() - from) };
}

function playTimed(): readonly number[] {
  const path = new Path();
  return frames.map((text, i) => {
    const from = process.hrtime.bigint();
    path.take(text, times[i] ?? 0);
    return Number(process.hrtime.bigint() - from) / 1_000;
  });
}

play(); // warm-up
const played = Array.from({ length: Number(passes) }, play);
const { path: last } = played.at(-1) ?? play();
const market = last.shard.markets.get(listing.symbol);
if (market === undefined || !market.valid) throw new Error('book: found none that is valid, expected one at the end');
const { bids, asks } = market.book;
const best = [topLevels(bids, 1)[0], topLevels(asks, 1)[0]].map((ticks) => ((ticks ?? 0) / 100).toFixed(2));
report({
  engine: 'tradewind',
  symbol: coin,
  walls: played.map(({ ns }) => ns),
  us: playTimed(),
  kinds: frames.map(kindOf),
  finalBook: [...best, bids.size, asks.size],
  more: { features: last.features, gaps: last.gaps },
});
