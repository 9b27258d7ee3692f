import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { advancedProducts, advancedTop, exchangeProducts, exchangeTop } from './products.ts';

const BTC = {
  id: 'BTC-USD',
  base_currency: 'BTC',
  quote_currency: 'USD',
  quote_increment: '0.01',
  base_increment: '0.00000001',
  min_market_funds: '1',
  post_only: false,
  limit_only: false,
  cancel_only: false,
  status: 'online',
  trading_disabled: false,
  auction_mode: false,
};
const ADVANCED_BTC = {
  product_id: 'BTC-USD',
  base_increment: '0.00000001',
  quote_increment: '0.01',
  price_increment: '0.01',
  quote_min_size: '1',
  base_min_size: '0.0001',
  base_max_size: '3400',
  is_disabled: false,
  status: 'online',
  trading_disabled: false,
  alias: '',
};
const wanted = new Map([['BTC-USD', 'BTC-USD']]);
const LISTING = {
  symbol: 'BTC-USD',
  venueSymbol: 'BTC-USD',
  priceDecimals: 2,
  quantityDecimals: 8,
  minLots: 1,
  maxLots: Number.MAX_SAFE_INTEGER,
  instrument: { priceScale: 100, quantityScale: 1e8, tickStep: 1, lotStep: 1, minNotionalUsd: 1 },
};

describe('products of Coinbase', () => {
  it('of Exchange have no size limits, and a least notional', () => {
    const filters = exchangeProducts(JSON.stringify([BTC, { id: 'X' }]), wanted);
    assert.deepEqual(filters, {
      kind: 'filters',
      listings: new Map([['BTC-USD', LISTING]]),
      refused: new Map(),
      halted: new Map(),
    });
  });
  it('of Advanced Trade have both', () => {
    const filters = advancedProducts(JSON.stringify({ products: [ADVANCED_BTC] }), wanted);
    assert.ok(filters.kind === 'filters');
    const expected = { ...LISTING, minLots: 10_000, maxLots: 340_000_000_000 };
    assert.deepEqual(filters.listings.get('BTC-USD'), expected);
  });
  it('may have steps that are no power of ten', () => {
    const filters = exchangeProducts(
      JSON.stringify([{ ...BTC, quote_increment: '0.05', base_increment: '10' }]),
      wanted,
    );
    assert.ok(filters.kind === 'filters');
    const { instrument } = filters.listings.get('BTC-USD')!;
    assert.deepEqual([instrument.priceScale, instrument.tickStep, instrument.lotStep], [100, 5, 10]);
  });
  const closed: readonly (readonly [object, RegExp])[] = [
    [{ id: 'other' }, /BTC-USD is not known/],
    [{ status: 'delisted' }, /is delisted/],
    [{ quote_increment: '0' }, /no usable price increment/],
    [{ base_increment: undefined }, /no usable base_increment/],
    [{ alias: 'BTC-USDT' }, /alias of BTC-USDT: list that/],
  ];
  for (const [change, reason] of closed) {
    it(`are refused with the reason: ${JSON.stringify(change)}`, () => {
      const filters = exchangeProducts(JSON.stringify([{ ...BTC, ...change }]), wanted);
      assert.ok(filters.kind === 'filters' && filters.listings.size === 0);
      assert.match(filters.refused.get('BTC-USD') ?? '', reason);
    });
  }
  for (const [change, word] of [
    [{ status: 'offline', trading_disabled: true }, 'offline'],
    [{ status: undefined }, 'nothing'],
    [{ status: { toString: 1 } }, '{"toString":1}'],
    [{ trading_disabled: true, cancel_only: true }, 'trading_disabled'],
    [{ is_disabled: true }, 'is_disabled'],
    [{ cancel_only: true }, 'cancel_only'],
    [{ post_only: true }, 'post_only'],
    [{ auction_mode: true }, 'auction_mode'],
  ] as const) {
    it(`are listed and halted by the venue's own word: ${word}`, () => {
      for (const filters of [
        exchangeProducts(JSON.stringify([{ ...BTC, ...change }]), wanted),
        advancedProducts(JSON.stringify({ products: [{ ...ADVANCED_BTC, ...change }] }), wanted),
      ]) {
        assert.ok(filters.kind === 'filters' && filters.listings.size === 1);
        assert.deepEqual([...filters.halted], [['BTC-USD', word]]);
      }
    });
  }
  it('trade by limit only where it says so: ours are limit orders', () => {
    const filters = exchangeProducts(JSON.stringify([{ ...BTC, limit_only: true }]), wanted);
    assert.equal(filters.kind === 'filters' && filters.halted.size, 0);
  });
  it('are asked for again where the answer makes no sense', () => {
    for (const text of ['<html>', '{}', '{"products":7}']) {
      assert.equal(exchangeProducts(text, wanted).kind, 'retry');
      assert.equal(advancedProducts(text, wanted).kind, 'retry');
    }
  });
});

describe('the best levels of a book of Coinbase', () => {
  it('are price and size of both sides, without what changes by itself', () => {
    const text = '{"bids":[["97000","0.5","3"]],"asks":[["97000.01","1.2","7"]],"sequence":9,"auction_mode":false}';
    assert.equal(exchangeTop(text), '[["97000","0.5"],["97000.01","1.2"]]');
    assert.equal(exchangeTop(text.replace('"3"', '"4"').replace('9,"auc', '10,"auc')), exchangeTop(text));
    assert.notEqual(exchangeTop(text.replace('0.5', '0.6')), exchangeTop(text));
    const advanced =
      '{"pricebook":{"product_id":"BTC-USD","bids":[{"price":"97000","size":"0.5"}],"asks":[{"price":"97000.01","size":"1.2"}],"time":"x"}}';
    assert.equal(advancedTop(advanced), exchangeTop(text));
  });
  it('may be missing, and are not read from what is no book', () => {
    assert.equal(exchangeTop('{"bids":[],"asks":[]}'), '[[],[]]');
    for (const text of ['', '[]', '{}', '{"pricebook":{"bids":7,"asks":[]}}', '{"bids":7,"asks":[]}']) {
      assert.equal(exchangeTop(text), undefined);
      assert.equal(advancedTop(text), undefined);
    }
  });
  it('never throw on any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        exchangeTop(text);
        advancedTop(text);
        exchangeProducts(text, wanted);
        advancedProducts(text, wanted);
      }),
    );
  });
});
