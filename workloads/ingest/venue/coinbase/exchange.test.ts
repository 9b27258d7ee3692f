import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { assertWholeNumbers, EXCHANGE, listings, mutated } from '../../test/coinbase-frames.ts';
import { decodeMessage, renewBooks, subscribeAll } from './exchange.ts';
import { NO_SEQUENCE, type Spoils } from './message.ts';

const framesOf = (text: string) => {
  const message = decodeMessage(text, listings);
  assert.ok(message.kind === 'message', JSON.stringify(message));
  assert.equal(message.sequence, NO_SEQUENCE);
  return message.frames;
};
const SKL = 'SKL-USD';
const UPDATED_AT = '2021-04-17T16:44:07.859760Z';

describe('frames of Coinbase Exchange', () => {
  it('are the whole book, then its changes with absolute sizes', () => {
    assert.deepEqual(framesOf(EXCHANGE.snapshot), [
      { kind: 'book', symbol: SKL, bids: [5_752, 10_082], asks: [5_762, 28_659, 5_767, 63_272] },
    ]);
    assert.deepEqual(framesOf(EXCHANGE.update), [
      { kind: 'change', symbol: SKL, bids: [5_752, 3_296], asks: [5_767, 0], venueAt: UPDATED_AT },
    ]);
  });
  it('are trades, whose side is the maker’s', () => {
    const trade = {
      kind: 'trade',
      symbol: SKL,
      tradeId: 82_008,
      ticks: 5_762,
      lots: 3_350,
      venueAt: Date.UTC(2021, 3, 17, 16, 43, 37, 270),
    };
    assert.deepEqual(framesOf(EXCHANGE.match), [{ ...trade, sellerTook: false }]);
    const timeless = EXCHANGE.match.replace('2021-04-17T', '2021-o4-17T');
    assert.deepEqual(framesOf(timeless), [{ ...trade, sellerTook: false, venueAt: 0 }], 'not worth a trade');
    const bought = EXCHANGE.match.replace('"side":"sell"', '"side":"buy"');
    assert.deepEqual(framesOf(bought), [{ ...trade, sellerTook: true }]);
  });
  it('name the last trade: the one before the subscription is none of ours', () => {
    assert.deepEqual(framesOf(EXCHANGE.lastMatch), [{ kind: 'tradeMark', symbol: SKL, tradeId: 82_007 }]);
    assert.deepEqual(framesOf(EXCHANGE.ticker), [{ kind: 'tradeMark', symbol: SKL, tradeId: 82_007 }]);
    assert.deepEqual(framesOf(EXCHANGE.heartbeat), [{ kind: 'tradeMark', symbol: 'BTC-USD', tradeId: 20 }]);
  });
  it('are answers', () => {
    assert.deepEqual(framesOf(EXCHANGE.subscriptions), [{ kind: 'notice', notice: 'Response' }]);
  });
  it('leave out a price between ticks and round sizes down', () => {
    const odd = EXCHANGE.update.replace('"0.5767","0.0"', '"0.57675","1"').replace('329.6', '329.66');
    assert.deepEqual(framesOf(odd), [
      { kind: 'change', symbol: SKL, bids: [5_752, 3_296], asks: [], venueAt: UPDATED_AT },
    ]);
  });

  const ours: Spoils = { symbol: SKL };
  const bad: readonly (readonly [string, string, string, Spoils])[] = [
    ['not json', 'NotJson', '', 'Everything'],
    ['[]', 'NotAnObject', '', 'Everything'],
    ['{}', 'UnknownEvent', 'undefined', 'Nothing'],
    ['{"type":"auction"}', 'UnknownEvent', 'auction', 'Nothing'],
    [EXCHANGE.error, 'Refused', 'Failed to subscribe: SKL-GPB is not a valid product', 'Nothing'],
    [EXCHANGE.update.replace('SKL-GBP', 'SKL-EUR'), 'UnknownSymbol', 'SKL-EUR', 'Nothing'],
    [EXCHANGE.update.replace('SKL-GBP', 'SKL-g'), 'UnknownSymbol', 'SKL-g', 'Everything'],
    [EXCHANGE.update.replace('"SKL-GBP"', '7'), 'UnknownSymbol', 'number', 'Everything'],
    [EXCHANGE.match.replace('SKL-GBP', 'SKL-EUR'), 'UnknownSymbol', 'SKL-EUR', 'Nothing'],
    [EXCHANGE.update.replace('sell', 'seal'), 'BadField', 'l2update.changes', ours],
    [EXCHANGE.update.replace('0.5767', '-0.5767'), 'BadField', 'l2update.changes', ours],
    [EXCHANGE.update.replace('0.5767', '0'), 'BadField', 'l2update.changes', ours],
    [EXCHANGE.update.replace('"329.6"', '329.6'), 'BadField', 'l2update.changes', ours],
    [EXCHANGE.update.replace('[["sell"', '[{},["sell"'), 'BadField', 'l2update.changes', ours],
    [EXCHANGE.update.replace('"changes"', '"change"'), 'BadField', 'l2update.changes', ours],
    [EXCHANGE.snapshot.replace('"bids"', '"bits"'), 'BadField', 'snapshot.bids', ours],
    [EXCHANGE.snapshot.replace('2865.9', 'x'), 'BadField', 'snapshot.asks', ours],
    [EXCHANGE.match.replace('82008', '"82008"'), 'BadField', 'match.trade_id', 'Nothing'],
    [EXCHANGE.match.replace('0.5762', '0'), 'BadField', 'match.price', 'Nothing'],
    [EXCHANGE.match.replace('"335"', '"-1"'), 'BadField', 'match.size', 'Nothing'],
    [EXCHANGE.match.replace('sell', 'SELL'), 'BadField', 'match.side', 'Nothing'],
    [EXCHANGE.lastMatch.replace('82007', '-1'), 'BadField', 'last_match.trade_id', 'Nothing'],
    [EXCHANGE.heartbeat.replace('90', '9.5'), 'BadField', 'heartbeat.sequence', 'Nothing'],
    [EXCHANGE.heartbeat.replace('20', 'null'), 'BadField', 'heartbeat.last_trade_id', 'Nothing'],
  ];
  for (const [text, reason, detail, spoils] of bad) {
    it(`cannot be read: ${reason} ${detail} in ${text.slice(0, 40)}`, () => {
      const message = decodeMessage(text, listings);
      assert.deepEqual(message, {
        kind: 'unreadable',
        malformed: { kind: 'malformed', reason, detail },
        sequence: NO_SEQUENCE,
        spoils,
      });
    });
  }

  it('never throw where they are mutated, and give whole numbers only', () => {
    const mutation = fc.record({ at: fc.nat(), length: fc.nat(6), insert: fc.string({ maxLength: 6 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(EXCHANGE)),
        fc.array(mutation, { maxLength: 4 }),
        (text, changes) => {
          assertWholeNumbers(decodeMessage(mutated(text, changes), listings));
        },
      ),
      { numRuns: 3_000 },
    );
  });
  it('never throw on any JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => void decodeMessage(text, listings)));
  });
});

describe('requests to Coinbase Exchange', () => {
  it('subscribe to all channels in one message, and renew the book alone', () => {
    assert.deepEqual(subscribeAll(['SKL-GBP']), [
      { type: 'subscribe', product_ids: ['SKL-GBP'], channels: ['level2_batch', 'matches', 'ticker', 'heartbeat'] },
    ]);
    assert.deepEqual(renewBooks(['SKL-GBP']), [
      { type: 'unsubscribe', product_ids: ['SKL-GBP'], channels: ['level2_batch'] },
      { type: 'subscribe', product_ids: ['SKL-GBP'], channels: ['level2_batch'] },
    ]);
  });
});
