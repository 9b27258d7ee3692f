import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { decodeFrame, streamsOf } from './streams.ts';
import { decodeExchangeInfo, decodeSnapshot, depthPath, exchangeInfoPath } from './rest.ts';
import { btcListing, btcListings, EXCHANGE_INFO } from '../../test/listings.ts';

const wrap = (stream: string, data: string): string => `{"stream":"btcusdt@${stream}","data":${data}}`;
const TICKER = wrap(
  'bookTicker',
  '{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}',
);
const TRADE = wrap(
  'trade',
  '{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}',
);
const DEPTH = wrap(
  'depth@100ms',
  '{"e":"depthUpdate","E":1723161255408,"s":"BTCUSDT","U":50093239208,"u":50093239224,"b":[["61837.63000000","3.78826000"],["61820.99000000","0.00000000"]],"a":[["61837.64000000","1.60520000"]]}',
);

describe('decodeFrame of Binance', () => {
  it('reads a bookTicker', () => {
    assert.deepEqual(decodeFrame(TICKER, btcListings), {
      kind: 'ticker',
      symbol: 'BTC-USD',
      updateId: 50093239212,
      bidTicks: 6183763,
      bidLots: 378826,
      askTicks: 6183764,
      askLots: 154698,
    });
  });

  it('reads a trade', () => {
    assert.deepEqual(decodeFrame(TRADE, btcListings), {
      kind: 'trade',
      symbol: 'BTC-USD',
      tradeId: 3735683259,
      ticks: 6183763,
      lots: 2000,
      sellerTook: true,
      venueAt: 1_723_161_255_343,
    });
  });

  it('reads a depth update', () => {
    assert.deepEqual(decodeFrame(DEPTH, btcListings), {
      kind: 'depth',
      symbol: 'BTC-USD',
      firstId: 50093239208,
      lastId: 50093239224,
      bids: [6183763, 378826, 6182099, 0],
      asks: [6183764, 160520],
      venueAt: 1_723_161_255_408,
    });
    const timeless = decodeFrame(DEPTH.replace('"E":1723161255408', '"E":"x"'), btcListings);
    assert.equal(timeless.kind === 'depth' && timeless.venueAt, 0, 'not worth a book');
  });

  it('rounds sizes down to lots and leaves out prices between ticks, as orders older than the steps have them', () => {
    const levels =
      '[["200000.00000000","25.42618900"],["61837.64500000","1.00000000"],["61838.00000000","0.00000900"]]';
    const frame = decodeFrame(DEPTH.replace('[["61837.64000000","1.60520000"]]', levels), btcListings);
    assert.deepEqual(frame.kind === 'depth' && frame.asks, [20_000_000, 2_542_618, 6_183_800, 0]);
  });

  it('reads raw streams, answers and the announced shutdown', () => {
    assert.equal(decodeFrame('{"e":"serverShutdown","E":1770123456789}', btcListings).kind, 'notice');
    assert.equal(decodeFrame(wrap('x', '{"e":"serverShutdown","E":1770123456789}'), btcListings).kind, 'notice');
    assert.deepEqual(decodeFrame('{"result":null,"id":1}', btcListings), { kind: 'notice', notice: 'Response' });
  });

  const bad: readonly (readonly [string, string])[] = [
    ['not json', 'NotJson'],
    ['[]', 'NotAnObject'],
    ['{"stream":"btcusdt@trade","data":null}', 'NotAnObject'],
    ['{"e":"kline","s":"BTCUSDT"}', 'UnknownEvent'],
    ['{}', 'UnknownEvent'],
    ['{"code":2,"msg":"Invalid request"}', 'Refused'],
    [TICKER.replaceAll('BTCUSDT', 'XRPUSDT'), 'UnknownSymbol'],
    [TICKER.replace('"61837.63000000"', '"61837.631"'), 'BadField'],
    [TICKER.replace('50093239212', '"50093239212"'), 'BadField'],
    [TRADE.replace('"m":true', '"m":1'), 'BadField'],
    [TRADE.replace('0.02000000', '-0.02'), 'BadField'],
    [DEPTH.replace('50093239208', '50093239999'), 'BadField'],
    [DEPTH.replace('"a":[[', '"a":[{},['), 'BadField'],
  ];
  for (const [text, reason] of bad) {
    it(`names ${reason} in ${text.slice(0, 50)}`, () => {
      const frame = decodeFrame(text, btcListings);
      assert.equal(frame.kind === 'malformed' && frame.reason, reason);
    });
  }

  it('never throws on a mutated frame, and gives integers only', () => {
    const mutation = fc.record({ at: fc.nat(), length: fc.nat(6), insert: fc.string({ maxLength: 6 }) });
    fc.assert(
      fc.property(fc.constantFrom(TICKER, TRADE, DEPTH), fc.array(mutation, { maxLength: 4 }), (text, mutations) => {
        let mutated = text;
        for (const { at, length, insert } of mutations) {
          const start = at % mutated.length || 0;
          mutated = mutated.slice(0, start) + insert + mutated.slice(start + length);
        }
        for (const value of Object.values(decodeFrame(mutated, btcListings))) {
          if (typeof value === 'number') assert.ok(Number.isSafeInteger(value) && value >= 0);
          if (Array.isArray(value)) assert.ok(value.every((item) => Number.isSafeInteger(item)));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws on any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        decodeFrame(text, btcListings);
        decodeSnapshot(text, btcListing);
        decodeExchangeInfo(text, new Map([['BTCUSDT', 'BTC-USD']]));
      }),
    );
  });
});

describe('REST answers of Binance', () => {
  it('reads a depth snapshot', () => {
    const text = '{"lastUpdateId":7,"bids":[["61837.63000000","3.78826000"]],"asks":[["61837.64000000","1.60520000"]]}';
    assert.deepEqual(decodeSnapshot(text, btcListing), {
      kind: 'snapshot',
      symbol: 'BTC-USD',
      lastId: 7,
      bids: [6183763, 378826],
      asks: [6183764, 160520],
    });
    assert.equal(decodeSnapshot('{"code":-1003,"msg":"Too many requests"}', btcListing).kind, 'malformed');
  });

  it('reads filters into scales and steps, and names what it cannot use', () => {
    const wanted = new Map([
      ['BTCUSDT', 'BTC-USD'],
      ['NOPEUSDT', 'NOPE-USD'],
    ]);
    const decoded = decodeExchangeInfo(EXCHANGE_INFO, wanted);
    assert.ok('listings' in decoded);
    assert.deepEqual(decoded.listings.get('BTCUSDT'), btcListing);
    assert.deepEqual([...decoded.refused], [['NOPEUSDT', 'NOPEUSDT is not listed']]);
  });

  it('takes a tick of 0.05 as five hundredths', () => {
    const text = EXCHANGE_INFO.replace('"tickSize":"0.01000000"', '"tickSize":"0.05000000"');
    const decoded = decodeExchangeInfo(text, new Map([['BTCUSDT', 'BTC-USD']]));
    assert.ok('listings' in decoded);
    const instrument = decoded.listings.get('BTCUSDT')?.instrument;
    assert.deepEqual([instrument?.priceScale, instrument?.tickStep], [100, 5]);
  });

  it('asks for what the venue serves', () => {
    assert.deepEqual(streamsOf('BTCUSDT'), ['btcusdt@depth@100ms', 'btcusdt@bookTicker', 'btcusdt@trade']);
    assert.equal(depthPath('BTCUSDT'), '/api/v3/depth?symbol=BTCUSDT&limit=1000');
    assert.equal(
      exchangeInfoPath(['BTCUSDT']),
      '/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D&showPermissionSets=false',
    );
  });
});
