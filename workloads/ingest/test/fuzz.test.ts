// Mutated frames of every adapter through decoder and core: none throws, each is counted, and nothing grows. FUZZ_FRAMES says
// how many per adapter.
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomFrom } from '../../simulator/random.ts';
import { countFrame, framesOf, newCounters } from '../counters.ts';
import { newShard, step } from '../step.ts';
import { ADVANCED as ADVANCED_API, EXCHANGE as EXCHANGE_API } from '../venue/coinbase/apis.ts';
import { decodeFrame } from '../venue/binance/streams.ts';
import type { CoinbaseApi } from '../venue/coinbase/message.ts';
import type { Frame, Listings } from '../venue/frame.ts';
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
const PIECES = ['', '"', '{', ']', ',', '0', '-1', '1e9', 'null', '[[', '\\u0000', '9007199254740993', '"sell"', '.'];

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
      const pick = <One>(of: readonly One[]): One => of[Math.floor(random() * of.length)]!;
      for (let i = 0; i < FRAMES; i++) {
        if (i === Math.floor(FRAMES / 10)) [heapBefore] = [used()];
        const changes = Array.from({ length: Math.floor(random() * 4) }, () => ({
          at: Math.floor(random() * 1_000),
          length: Math.floor(random() * 5),
          insert: pick(PIECES),
        }));
        const frames = decode(mutated(pick(texts), changes));
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

function used(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
