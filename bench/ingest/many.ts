// Ingest's core with very many symbols, as one thread of a pod would run them. A program of its own, as its memory is measured:
// SYMBOLS FRAMES. In each batch of 100 ms every symbol has a bookTicker, a trade and a depth event of ten levels a side.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { newShard, step } from '@tradewind/workloads/ingest/step.ts';
import { decodeFrame } from '@tradewind/workloads/ingest/venue/binance/streams.ts';
import type { Listing } from '@tradewind/workloads/ingest/venue/frame.ts';

const [symbols = '100', frames = '300000'] = process.argv.slice(2);
const COUNT = Number(symbols);
const BATCHES = Math.ceil(Number(frames) / (3 * COUNT));
/** As long as the compiler needs, whatever the number of symbols. */
const WARM_UP = Math.ceil(BATCHES / 3);
const BATCH_MS = 100;
/** What a venue's snapshot has. */
const LEVELS = 1_000;
const MID_TICKS = 6_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const listingOf = (i: number): Listing => ({
  symbol: `S${i}-USD`,
  venueSymbol: `S${i}USDT`,
  priceDecimals: 2,
  quantityDecimals: 5,
  minLots: 1,
  maxLots: 900_000_000,
  instrument: { priceScale: 100, quantityScale: 100_000, tickStep: 1, lotStep: 1, minNotionalUsd: 5 },
});

/** Levels beside the mid, away from it by `sign`, all of another size than in the batch before. */
const side = (sign: 1 | -1, count: number, batch: number): [string, string][] =>
  Array.from({ length: count }, (_, level) => [
    ((MID_TICKS + sign * (1 + level)) / 100).toFixed(2),
    (1 + ((level + batch) % 7) / 10).toFixed(5),
  ]);

function textsOf({ venueSymbol }: Listing, batch: number): readonly string[] {
  const id = 100 + batch * 10;
  const name = venueSymbol.toLowerCase();
  const [bid, ask] = [(MID_TICKS - 1) / 100, (MID_TICKS + 1) / 100].map((price) => price.toFixed(2));
  const of = (stream: string, data: object): string => JSON.stringify({ stream: `${name}@${stream}`, data });
  const size = (1 + (batch % 7) / 10).toFixed(5);
  return [
    of('depth@100ms', {
      e: 'depthUpdate',
      E: 1,
      s: venueSymbol,
      U: id - 9,
      u: id,
      b: side(-1, 10, batch),
      a: side(1, 10, batch),
    }),
    of('bookTicker', { u: id + 1, s: venueSymbol, b: bid, B: size, a: ask, A: '1.50000' }),
    of('trade', { e: 'trade', E: 1, s: venueSymbol, t: batch + 1, p: ask, q: '0.01000', T: 1, m: batch % 2 === 0 }),
  ];
}

const levels = (sign: 1 | -1): number[] =>
  Array.from({ length: LEVELS }, (_, level) => [MID_TICKS + sign * (1 + level), 100_000]).flat();

const listings = new Map(Array.from({ length: COUNT }, (_, i) => listingOf(i)).map((one) => [one.venueSymbol, one]));
collect();
const before = process.memoryUsage();
const shard = newShard('bench');
const link = { source: 'binance', up: true, heardAt: 0 };
let features = 0;
let t = 1_000_000;

function take(text: string): void {
  const frame = decodeFrame(text, listings);
  if (frame.kind === 'malformed' || frame.kind === 'notice') throw new Error(`frame: found ${frame.kind}`);
  for (const output of step(shard, { kind: 'frame', frame, t })) if (output.kind === 'features') features += 1;
}

for (const listing of listings.values()) {
  const { symbol } = listing;
  step(shard, { kind: 'listed', listing, link, t });
  step(shard, {
    kind: 'frame',
    frame: { kind: 'depth', symbol, firstId: 99, lastId: 100, bids: [], asks: [], venueAt: 0 },
    t,
  });
  const snapshot = { kind: 'snapshot', symbol, lastId: 100, bids: levels(-1), asks: levels(1) } as const;
  step(shard, { kind: 'snapshot', snapshot, t });
}

/** Texts come fresh off a socket, so they are made just before; the markets are as cold as their number makes them. */
const AT_A_TIME = 50;
const all = [...listings.values()];

/** µs of this thread's processor time that every symbol's frames of one batch took. */
function play(batch: number): number {
  let us = 0;
  for (let at = 0; at < all.length; at += AT_A_TIME) {
    const texts = all.slice(at, at + AT_A_TIME).flatMap((listing) => textsOf(listing, batch));
    const from = process.threadCpuUsage();
    for (const text of texts) take(text);
    const { user, system } = process.threadCpuUsage(from);
    us += user + system;
  }
  return us;
}

/** The kernel counts in steps of some ms: only the sum over all batches is exact. */
let us = 0;
for (let batch = 1; batch <= WARM_UP + BATCHES; batch++) {
  t += BATCH_MS;
  const took = play(batch);
  if (batch > WARM_UP) us += took;
}
const invalid = [...shard.markets.values()].filter(({ valid }) => !valid).length;
if (invalid > 0) throw new Error(`found ${invalid} books that are not valid, expected none`);
collect();
const after = process.memoryUsage();
const held = (usage: NodeJS.MemoryUsage): number => usage.heapUsed + usage.external + usage.arrayBuffers;
console.log(
  JSON.stringify({
    symbols: COUNT,
    us_per_frame: us / (BATCHES * 3 * COUNT),
    kb_per_symbol: (held(after) - held(before)) / COUNT / 1_024,
    rss_mb: after.rss / (1 << 20),
    features,
  }),
);
