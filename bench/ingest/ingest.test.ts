import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { assertSameBooks, figuresOf } from './ingest.ts';
import type { Row } from './report.ts';

const row = (engine: string, perSecond: number, more: Partial<Row> = {}): Row => ({
  engine,
  symbol: 'BTC',
  frames: 10,
  frames_per_s: perSecond,
  us_p50: 1,
  us_p99: 2,
  us_p50_by_kind: {},
  final_book: ['1.00', '2.00', 3, 4],
  ...more,
});

describe('figures of ingest beside its peers', () => {
  it('are medians of the rounds, and our ratio to each peer', () => {
    const rows = [row('tradewind', 300), row('tradewind', 100), row('tradewind', 200), row('cryptofeed', 50)];
    const { btcTradewindFramesPerS, btcCryptofeedRatio, btcTradewindRatio } = figuresOf(rows);
    assert.deepEqual([btcTradewindFramesPerS, btcCryptofeedRatio, btcTradewindRatio], [200, 4, undefined]);
  });
  it('are refused where a peer that keeps whole books ended with another', () => {
    const ours = row('tradewind', 1);
    assertSameBooks([ours, row('nautilus', 1, { final_book: [1, 2, 3, 4] })]);
    assertSameBooks([ours, row('ccxt', 1, { final_book: [1, 2, 1000, 1000] })]);
    assert.throws(
      () => assertSameBooks([ours, row('cryptofeed', 1, { final_book: [1, 2, 3, 5] })]),
      /cryptofeed BTC: found a final book of 1 2 3 5, ours is 1 2 3 4/,
    );
  });
});
