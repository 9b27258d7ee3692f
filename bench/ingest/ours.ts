// Ingest's own path over a recording, as one thread of the pod runs it: WebSocket text → frame → gaps, sorted book, best level,
// trades, grid → features at most 20 times a second. A program of its own, so that its heap is its own: PATH SESSION PASSES.
import { topLevels } from '@tradewind/workloads/ingest/book.ts';
import { countFrame, newCounters } from '@tradewind/workloads/ingest/counters.ts';
import { newShard, step, type Event, type Shard } from '@tradewind/workloads/ingest/step.ts';
import { decodeSnapshot } from '@tradewind/workloads/ingest/venue/binance/rest.ts';
import { newVenueClock } from '@tradewind/workloads/ingest/venue/lag.ts';
import { kindOf, report, type Played } from './report.ts';
import { readRecording } from './recording.ts';
import { binance, coinbase } from './venues.ts';

const [path = '', session = '', passes = '5'] = process.argv.slice(2);
const { frames, times, snapshot } = readRecording(path);
const { listings, newReader } = session === 'COINBASE' ? coinbase(frames) : binance(session);
const SOURCE = 'bench';

class Path {
  readonly shard: Shard = newShard('bench');
  readonly #counters = newCounters([SOURCE]);
  readonly #read = newReader();
  features = 0;
  gaps = 0;

  constructor() {
    const link = { source: SOURCE, up: true, heardAt: 0, clock: newVenueClock() };
    for (const listing of listings.values()) this.#emit({ kind: 'listed', listing, link, t: times[0] ?? 0 });
  }

  take(text: string, t: number): void {
    for (const frame of this.#read(text)) {
      countFrame(this.#counters, SOURCE, frame.kind);
      this.#emit({ kind: 'frame', frame, t });
    }
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
    const [listing] = listings.values();
    const decoded = listing === undefined ? undefined : decodeSnapshot(snapshot, listing);
    if (decoded?.kind === 'snapshot') this.#emit({ kind: 'snapshot', snapshot: decoded, t });
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

/** Best bid and ask of each symbol in the order of their names; of a single one also how many levels each side has. */
function booksOf({ markets }: Shard): (string | number)[] {
  const sorted = [...markets.values()].sort((a, b) => (a.listing.venueSymbol < b.listing.venueSymbol ? -1 : 1));
  const bests = sorted.flatMap(({ book, listing, valid, symbol }) => {
    if (!valid) throw new Error(`${symbol}: found no valid book, expected one at the end`);
    const { priceScale } = listing.instrument;
    return [book.bids, book.asks].map((side) =>
      ((topLevels(side, 1)[0] ?? 0) / priceScale).toFixed(listing.priceDecimals),
    );
  });
  const [only, ...more] = sorted;
  return only === undefined || more.length > 0 ? bests : [...bests, only.book.bids.size, only.book.asks.size];
}

/** What a thread has seen after some minutes: the compiler is done then. */
const WARM_UP_FRAMES = 100_000;
for (let seen = 0; seen < WARM_UP_FRAMES; seen += frames.length) play();
const played = Array.from({ length: Number(passes) }, play);
const { path: last } = played.at(-1) ?? play();
report({
  engine: 'tradewind',
  symbol: session,
  walls: played.map(({ ns }) => ns),
  us: playTimed(),
  kinds: frames.map(kindOf),
  finalBook: booksOf(last.shard),
  more: { features: last.features, gaps: last.gaps },
});
