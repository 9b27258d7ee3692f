// No false alarm on what real venues sent: all recordings through the core, at the times at which they were received.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BOOK_FRESH_MS, type Features } from '../../contract/messages.ts';
import { newShard, step } from '../step.ts';
import { decodeFrame } from '../venue/binance/streams.ts';
import { decodeMessage } from '../venue/coinbase/exchange.ts';
import type { Frame, Listing, Listings } from '../venue/frame.ts';
import { newVenueClock } from '../venue/lag.ts';

const RECORDINGS =
  process.env['RECORDINGS'] || join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'recordings');

/** Fine enough for any price and size of them. */
const listingOf = (venueSymbol: string): Listing => ({
  symbol: venueSymbol,
  venueSymbol,
  priceDecimals: 8,
  quantityDecimals: 5,
  minLots: 1,
  maxLots: Number.MAX_SAFE_INTEGER,
  instrument: { priceScale: 1e8, quantityScale: 1e5, tickStep: 1, lotStep: 1, minNotionalUsd: 0 },
});
const listingsOf = (...symbols: readonly string[]): Listings =>
  new Map(symbols.map((symbol) => [symbol, listingOf(symbol)]));

type Read = (text: string, listings: Listings) => readonly Frame[];
const binance: Read = (text, listings) => [decodeFrame(text, listings)];
const coinbase: Read = (text, listings) => {
  const message = decodeMessage(text, listings);
  return message.kind === 'message' ? message.frames : [];
};

interface Session {
  readonly file: string;
  /** Of a line: when it was received, in units of `unitMs`, and the frame. */
  readonly line: RegExp;
  readonly unitMs: number;
  readonly listings: Listings;
  readonly read: Read;
}

const SESSIONS: readonly Session[] = [
  ...(['BTCUSDT', 'ETHUSDT'] as const).map((symbol) => ({
    file: `binance-spot-${symbol.toLowerCase()}-20240808.gz`,
    line: /^(\d+) (\{"stream".*\})$/,
    unitMs: 1e-6,
    listings: listingsOf(symbol),
    read: binance,
  })),
  {
    file: 'coinbase-exchange-20210417.gz',
    line: /^(\d+\.\d+): (\{.*\})$/,
    unitMs: 1_000,
    listings: listingsOf('SKL-USD', 'SKL-BTC', 'SKL-GBP', 'NU-GBP', 'BAND-GBP', 'BAND-BTC', 'DASH-BTC', 'YFI-BTC', 'CRV-EUR', 'NMR-EUR'), // prettier-ignore
    read: coinbase,
  },
];

/** What goes out while the session is heard, each frame `delayedMs` after its time. */
function play({ file, line, unitMs, listings, read }: Session, delayedMs: (receivedAt: number) => number) {
  const shard = newShard('boot');
  const features: Features[] = [];
  let first = 0;
  const emit = (event: Parameters<typeof step>[1]): void => {
    for (const output of step(shard, event)) if (output.kind === 'features') features.push(output.features);
  };
  const link = { source: 's', up: true, heardAt: 0, clock: newVenueClock() };
  for (const text of gunzipSync(readFileSync(join(RECORDINGS, file))).toString('utf8').split('\n')) {
    const [, time, frameText = ''] = line.exec(text) ?? [];
    if (time === undefined) continue;
    const receivedAt = Number(time) * unitMs;
    if (first === 0) for (const listing of listings.values()) emit({ kind: 'listed', listing, link, t: receivedAt });
    first ||= receivedAt;
    const t = receivedAt + delayedMs(receivedAt - first);
    for (const frame of read(frameText, listings))
      if (frame.kind !== 'notice' && frame.kind !== 'malformed') emit({ kind: 'frame', frame, t });
  } // prettier-ignore
  return { features, lateAfter: (ms: number) => features.filter(({ t }) => t > first + ms) };
}

describe('books of the recordings', () => {
  before(function () {
    if (!existsSync(RECORDINGS)) this.skip();
  });

  for (const session of SESSIONS) {
    it(`are never late: ${session.file}`, () => {
      const { features } = play(session, () => 0);
      assert.ok(features.length > 200);
      const most = Math.max(...features.map(({ lagMs = Infinity }) => lagMs));
      assert.ok(most < 200, `${most} ms`);
    });
    it(`are late from where each comes 2.3 s later: ${session.file}`, () => {
      const { lateAfter } = play(session, (after) => (after < 10_000 ? 0 : 2_300));
      const last = new Map(lateAfter(15_000).map(({ symbol, lagMs }) => [symbol, lagMs ?? 0]));
      assert.ok(last.size >= 1);
      for (const [symbol, lagMs] of last) assert.ok(lagMs > BOOK_FRESH_MS, `${symbol}: ${lagMs} ms`);
    });
  }
});
