import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ADVANCED, assertWholeNumbers, listings, mutated } from '../../test/coinbase-frames.ts';
import { decodeMessage, renewBooks, subscribeAll } from './advanced.ts';
import { NO_SEQUENCE, verdictOnSequence, type Spoils } from './message.ts';

const framesOf = (text: string) => {
  const message = decodeMessage(text, listings);
  assert.ok(message.kind === 'message', JSON.stringify(message));
  return message.frames;
};
const HEARTBEAT = [{ kind: 'notice', notice: 'Heartbeat' }];

describe('frames of Coinbase Advanced Trade', () => {
  it('are the whole book, then its changes with absolute sizes', () => {
    assert.deepEqual(framesOf(ADVANCED.snapshot), [
      { kind: 'book', symbol: 'BTC-USD', bids: [2_192_173, 6_317_902], asks: [2_192_174, 2_000_000] },
    ]);
    assert.deepEqual(framesOf(ADVANCED.update), [
      {
        kind: 'change',
        symbol: 'BTC-USD',
        bids: [2_192_173, 0],
        asks: [2_192_174, 50_000_000],
        venueAt: '2023-02-09T20:32:50.714964855Z',
      },
    ]);
  });
  it('are batches of trades, newest first, given on in their order; the side is the maker’s', () => {
    assert.deepEqual(framesOf(ADVANCED.trades), [
      {
        kind: 'trade',
        symbol: 'ETH-USD',
        tradeId: 12_011,
        ticks: 126_000,
        lots: 10_000_000,
        sellerTook: false,
        venueAt: Date.UTC(2019, 7, 14, 20, 42, 27, 200),
      },
      {
        kind: 'trade',
        symbol: 'ETH-USD',
        tradeId: 12_012,
        ticks: 126_001,
        lots: 30_000_000,
        sellerTook: true,
        venueAt: Date.UTC(2019, 7, 14, 20, 42, 27, 265),
      },
    ]);
    const asNumbers = ADVANCED.trades.replace('"12012"', '12012').replace('"12011"', '12011');
    assert.deepEqual(framesOf(asNumbers), framesOf(ADVANCED.trades));
  });
  it('name the last of the trades before the subscription, none of which is ours', () => {
    assert.deepEqual(framesOf(ADVANCED.past), [{ kind: 'tradeMark', symbol: 'ETH-USD', tradeId: 12_010 }]);
  });
  it('are heartbeats whose counter is a number or the text of one', () => {
    assert.deepEqual(framesOf(ADVANCED.heartbeat), HEARTBEAT);
    assert.deepEqual(framesOf(ADVANCED.heartbeat.replace('"3049"', '3049')), HEARTBEAT);
  });
  it('have the number of the message on its connection, where there is one', () => {
    assert.equal(decodeMessage(ADVANCED.trades, listings).sequence, 2);
    assert.equal(decodeMessage(ADVANCED.trades.replace('"sequence_num":2,', ''), listings).sequence, NO_SEQUENCE);
    assert.equal(decodeMessage(ADVANCED.subscriptions, listings).sequence, 5);
  });

  const btc: Spoils = { symbol: 'BTC-USD' };
  const twice = (text: string): string => text.replace(/"events":\[(.*)\]\}$/, '"events":[$1,{}]}');
  const both = (text: string): string =>
    text.replace(/"events":\[(.*)\]\}$/, (_, event: string) => `"events":[${event},${event.replace('"bid"', '"x"')}]}`);
  const bad: readonly (readonly [string, string, string, Spoils, number])[] = [
    ['not json', 'NotJson', '', 'Everything', NO_SEQUENCE],
    ['7', 'NotAnObject', '', 'Everything', NO_SEQUENCE],
    ['{}', 'UnknownEvent', 'undefined', 'Nothing', NO_SEQUENCE],
    [ADVANCED.error, 'Refused', 'authentication failure', 'Nothing', NO_SEQUENCE],
    [ADVANCED.update.replace('l2_data', 'candles'), 'UnknownEvent', 'candles', 'Nothing', 1],
    [ADVANCED.update.replace('l2_data', 'constructor'), 'UnknownEvent', 'constructor', 'Nothing', 1],
    [ADVANCED.update.replace('_num":1', '_num":-1'), 'BadField', 'sequence_num', 'Everything', NO_SEQUENCE],
    [ADVANCED.update.replace('"events"', '"event"'), 'BadField', 'events', 'Everything', 1],
    [ADVANCED.trades.replace('"events"', '"event"'), 'BadField', 'events', 'Nothing', 2],
    [ADVANCED.update.replace('BTC-USD', 'BTC-EUR'), 'UnknownSymbol', 'l2_data.BTC-EUR', 'Nothing', 1],
    [ADVANCED.update.replace('BTC-USD', 'BTC'), 'UnknownSymbol', 'l2_data.BTC', 'Everything', 1],
    [ADVANCED.update.replace('"update"', '"upgrade"'), 'BadField', 'l2_data.type', btc, 1],
    [ADVANCED.update.replace('"updates"', '"u"'), 'BadField', 'l2_data.updates', btc, 1],
    [ADVANCED.update.replace('"bid"', '"ask"'), 'BadField', 'l2_data.side', btc, 1],
    [ADVANCED.update.replace('21921.73', '1e5'), 'BadField', 'l2_data.price_level', btc, 1],
    [both(ADVANCED.update), 'BadField', 'l2_data.side', 'Everything', 1],
    [twice(ADVANCED.update), 'UnknownSymbol', 'l2_data.undefined', 'Everything', 1],
    [ADVANCED.trades.replace('"trades":', '"t":'), 'BadField', 'market_trades.trades', 'Nothing', 2],
    [ADVANCED.trades.replace('"update"', '"x"'), 'BadField', 'market_trades.type', 'Nothing', 2],
    [ADVANCED.trades.replace('"12011"', '"12o11"'), 'BadField', 'market_trades.trade_id', 'Nothing', 2],
    [ADVANCED.trades.replace('"1260.00"', '"0"'), 'BadField', 'market_trades.price', 'Nothing', 2],
    [ADVANCED.trades.replace('"0.1"', '0.1'), 'BadField', 'market_trades.size', 'Nothing', 2],
    [ADVANCED.trades.replace('"BUY"', '"buy"'), 'BadField', 'market_trades.side', 'Nothing', 2],
    [ADVANCED.trades.replace('"ETH-USD"', '"X"'), 'UnknownSymbol', 'market_trades.X', 'Nothing', 2],
    [ADVANCED.heartbeat.replace('"3049"', '"-1"'), 'BadField', 'heartbeats.heartbeat_counter', 'Nothing', 4],
    [ADVANCED.heartbeat.replace('[{', '[[],{'), 'BadField', 'heartbeats.events', 'Nothing', 4],
  ];
  for (const [text, reason, detail, spoils, sequence] of bad) {
    it(`cannot be read: ${reason} ${detail}`, () => {
      const malformed = { kind: 'malformed', reason, detail };
      assert.deepEqual(decodeMessage(text, listings), { kind: 'unreadable', malformed, sequence, spoils });
    });
  }

  it('never throw where they are mutated, and give whole numbers only', () => {
    const mutation = fc.record({ at: fc.nat(), length: fc.nat(6), insert: fc.string({ maxLength: 6 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(ADVANCED)),
        fc.array(mutation, { maxLength: 4 }),
        (text, changes) => {
          const message = decodeMessage(mutated(text, changes), listings);
          assert.ok(Number.isSafeInteger(message.sequence) && message.sequence >= NO_SEQUENCE);
          assertWholeNumbers(message);
        },
      ),
      { numRuns: 3_000 },
    );
  });
  it('never throw on any JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => void decodeMessage(text, listings)));
  });
});

describe('the numbers of a connection', () => {
  it('follow on each other, skip, or come late or twice', () => {
    assert.equal(verdictOnSequence(8, 7), 'Next');
    assert.equal(verdictOnSequence(9, 7), 'Gap');
    assert.equal(verdictOnSequence(7, 7), 'Repeat');
    assert.equal(verdictOnSequence(3, 7), 'Repeat');
  });
  it('begin with whichever comes first, and are not there on every message', () => {
    assert.equal(verdictOnSequence(41, NO_SEQUENCE), 'Next');
    assert.equal(verdictOnSequence(NO_SEQUENCE, 7), 'Next');
  });
});

describe('requests to Coinbase Advanced Trade', () => {
  it('are one per channel, heartbeats without products, and renew the book alone', () => {
    assert.deepEqual(subscribeAll(['BTC-USD']), [
      { type: 'subscribe', channel: 'heartbeats' },
      { type: 'subscribe', product_ids: ['BTC-USD'], channel: 'level2' },
      { type: 'subscribe', product_ids: ['BTC-USD'], channel: 'market_trades' },
    ]);
    assert.deepEqual(renewBooks(['BTC-USD']), [
      { type: 'unsubscribe', product_ids: ['BTC-USD'], channel: 'level2' },
      { type: 'subscribe', product_ids: ['BTC-USD'], channel: 'level2' },
    ]);
  });
});
