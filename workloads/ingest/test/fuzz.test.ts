// Mutated frames of every adapter through decoder and core: none throws, each is counted, and nothing grows. FUZZ_FRAMES says
// how many per adapter.
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomFrom } from '../../simulator/random.ts';
import type { AlphaEdge } from '../alphas.ts';
import { countFrame, framesOf, newCounters } from '../counters.ts';
import { newShard, step } from '../step.ts';
import { ADVANCED as ADVANCED_API, EXCHANGE as EXCHANGE_API } from '../venue/coinbase/apis.ts';
import { decodeAlpha, type AlphaMessage } from '../venue/alpha/message.ts';
import { decodeFrame } from '../venue/binance/streams.ts';
import type { CoinbaseApi } from '../venue/coinbase/message.ts';
import type { Frame, Listings, Malformed } from '../venue/frame.ts';
import { ADVANCED, EXCHANGE, listings, mutated } from './coinbase-frames.ts';
import { btcListings } from './listings.ts';

const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 100_000);
const BINANCE = [
  '{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}',
  '{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}',
  '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255408,"s":"BTCUSDT","U":50093239208,"u":50093239224,"b":[["61837.63000000","3.78826000"]],"a":[["61837.64000000","1.60520000"]]}}',
  '{"e":"serverShutdown","E":1770123456789}',
];

const ofCoinbase =
  (api: CoinbaseApi) =>
  (text: string): readonly Frame[] => {
    const message = api.decode(text, listings);
    return message.kind === 'message' ? message.frames : [message.malformed];
  };

const ADAPTERS: readonly (readonly [string, readonly string[], Listings, (text: string) => readonly Frame[]])[] = [
  ['Binance', BINANCE, btcListings, (text) => [decodeFrame(text, btcListings)]],
  ['Coinbase Exchange', Object.values(EXCHANGE), listings, ofCoinbase(EXCHANGE_API)],
  ['Coinbase Advanced Trade', Object.values(ADVANCED), listings, ofCoinbase(ADVANCED_API)],
];
const AT = Date.parse('2026-11-26T05:10:00.250Z');
const ALPHA_SYMBOLS = new Map([
  ['XBT', 'BTC-USD'],
  ['ETH', 'ETH-USD'],
]);
const ALPHA = [
  '{"version":1,"type":"edges","edges":[{"symbol":"XBT","sequence":41,"at":"2026-11-26T05:10:00.250Z","edgeBps":12.5,"horizonSeconds":60,"confidence":0.7}]}',
  '{"version":1,"type":"edges","edges":[{"symbol":"XBT","sequence":42,"at":"2026-11-26T05:10:01Z","edgeBps":-3,"horizonSeconds":60},{"symbol":"ETH","sequence":17,"at":"2026-11-26T05:09:58Z","edgeBps":0,"horizonSeconds":300}]}',
  '{"version":1,"type":"heartbeat"}',
  '{"version":1,"type":"error","message":"symbol DOGE is not part of your plan"}',
];
const PIECES = ['', '"', '{', ']', ',', '0', '-1', '1e9', 'null', '[[', '\\u0000', '9007199254740993', '"sell"', '.'];

/** One of the texts with up to three changes. */
function damagedBy(random: () => number, texts: readonly string[]): string {
  const pick = <One>(of: readonly One[]): One => of[Math.floor(random() * of.length)]!;
  const changes = Array.from({ length: Math.floor(random() * 4) }, () => ({
    at: Math.floor(random() * 1_000),
    length: Math.floor(random() * 5),
    insert: pick(PIECES),
  }));
  return mutated(pick(texts), changes);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('mutated frames', function () {
  this.timeout(300_000);
  for (const [adapter, texts, known, decode] of ADAPTERS) {
    it(`of ${adapter}: ${FRAMES.toLocaleString('en')}`, () => {
      const random = randomFrom(7);
      const shard = newShard('b');
      const link = { source: 's', up: true, heardAt: 0 };
      for (const listing of known.values()) step(shard, { kind: 'listed', listing, link, t: 0 });
      const counters = newCounters(['s']);
      let [notices, unread, silent, heapBefore] = [0, 0, 0, 0];
      for (let i = 0; i < FRAMES; i++) {
        if (i === Math.floor(FRAMES / 10)) [heapBefore] = [used()];
        const frames = decode(damagedBy(random, texts));
        if (frames.length === 0) silent += 1;
        for (const frame of frames) {
          if (frame.kind === 'notice') notices += 1;
          else countFrame(counters, 's', frame.kind);
          if (frame.kind === 'malformed') unread += 1;
          else if (frame.kind !== 'notice') step(shard, { kind: 'frame', frame, t: i });
        }
      }
      const of = counters.get('s')!;
      assert.equal(of.malformed, unread);
      assert.ok(framesOf(of) + of.malformed + notices + silent >= FRAMES, 'each is counted at least once');
      assert.ok(unread > FRAMES / 20 && framesOf(of) > FRAMES / 20, 'some of both');
      for (const { book } of shard.markets.values()) {
        assert.ok(book.bids.size <= 2 * book.maxLevels && book.asks.size <= 2 * book.maxLevels);
      }
      assert.ok(used() - heapBefore < 16e6, `${used() - heapBefore} bytes more`);
    });
  }
});

function partsOf(message: AlphaMessage): {
  readonly edges: readonly AlphaEdge[];
  readonly unread: readonly Malformed[];
} {
  if (message.kind === 'edges') return message;
  return { edges: [], unread: message.kind === 'malformed' ? [message] : [] };
}

function assertWithinBounds({ at, sequence, edgeBps, horizonSeconds, confidence = 0 }: AlphaEdge): void {
  assert.ok(Math.abs(edgeBps) <= 100 && horizonSeconds >= 1 && horizonSeconds <= 86_400);
  assert.ok(Number.isFinite(at) && Number.isSafeInteger(sequence) && confidence >= 0 && confidence <= 1);
}

describe('mutated messages of a signal provider', function () {
  this.timeout(300_000);
  it(`are read whole, or in part, or not; each is counted, and what is taken is within bounds: ${FRAMES.toLocaleString('en')}`, () => {
    const random = randomFrom(7);
    const shard = newShard('b');
    const link = { source: 'vertex', up: true, heardAt: 0, silentAfterMs: 30_000 };
    const [btc] = btcListings.values();
    step(shard, { kind: 'listed', listing: btc!, link: { source: 's', up: true, heardAt: 0 }, t: 0 });
    const counts = { edges: 0, unread: 0, others: 0 };
    let heapBefore = 0;
    for (let i = 0; i < FRAMES; i++) {
      if (i === Math.floor(FRAMES / 10)) heapBefore = used();
      const message = decodeAlpha(damagedBy(random, ALPHA), ALPHA_SYMBOLS);
      const { edges, unread } = partsOf(message);
      counts.edges += edges.length;
      counts.unread += unread.length;
      if (edges.length + unread.length === 0) counts.others += 1;
      for (const edge of edges) {
        assertWithinBounds(edge);
        const outputs = step(shard, { kind: 'alpha', link, edge, ageMs: i - edge.at + AT, t: i });
        assert.equal(outputs[0]?.kind, 'alpha');
      }
    }
    const { edges, unread, others } = counts;
    assert.ok(edges + unread + others >= FRAMES, 'each is counted at least once');
    assert.ok(unread > FRAMES / 20 && edges > FRAMES / 20 && others > FRAMES / 20, 'some of each');
    assert.ok([...shard.alphas.values()].every(({ length }) => length === 1) && shard.alphas.size <= 2);
    assert.ok(used() - heapBefore < 16e6, `${used() - heapBefore} bytes more`);
  });
});

function used(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
