import assert from 'node:assert/strict';
import { array, assert as holds, constantFrom, integer, property, record } from 'fast-check';
import type { Player, TextLevels } from '../player.ts';
import { AMOUNT_DECIMALS } from './account.ts';
import { Desk } from './desk.ts';
import { textOf, type Order, type OrderRequest } from './order.ts';

const BIDS: TextLevels = [['99.00', '1.000'], ['98.00', '2.000']]; // prettier-ignore
const ASKS: TextLevels = [['101.00', '1.000'], ['102.00', '2.000']]; // prettier-ignore
const ONE = 10n ** BigInt(AMOUNT_DECIMALS);

function aDesk({ feeBps = 10, feeIn = 'Received' }: { feeBps?: number; feeIn?: 'Received' | 'Quote' } = {}) {
  const book = { lastUpdateId: 1, bids: BIDS, asks: ASKS };
  let isHalted = false;
  const player = {
    symbols: ['AAAUSDT'],
    filters: () => ({ tickSize: '0.01', stepSize: '0.001', minNotional: '5' }),
    depth: (symbol: string) => (symbol === 'AAAUSDT' ? book : undefined),
    isHalted: () => isHalted,
  } as unknown as Player;
  const desk = new Desk({ player, feeBps, feeIn });
  const place = (request: Partial<OrderRequest>): ReturnType<Desk['place']> =>
    desk.place(
      {
        symbol: 'AAAUSDT',
        side: 'buy',
        ticks: 10_200,
        lots: 1_000,
        timeInForce: 'GTC',
        isPostOnly: false,
        clientId: '',
        ...request,
      },
      1,
    );
  const placed = (request: Partial<OrderRequest>): Order => {
    const order = place(request);
    if (typeof order === 'string') throw new Error(order);
    return order;
  };
  const change = (bids: TextLevels, asks: TextLevels): void => {
    book.bids = bids;
    book.asks = asks;
    desk.onEvent({ kind: 'depth', symbol: 'AAAUSDT', at: 2, firstId: 1, lastId: 2, bids, asks });
  };
  const trade = (price: string, size: string, sellerTook: boolean): void =>
    desk.onEvent({ kind: 'trade', symbol: 'AAAUSDT', at: 2, tradeId: 1, price, size, sellerTook });
  const of = (asset: string) => desk.account.balances().get(asset)!;
  const halt = (halted: boolean): void => void (isHalted = halted);
  return { desk, place, placed, change, trade, of, halt };
}
const done = ({ status, filledLots, value }: Order): unknown[] => [status, filledLots, value];

describe('an order at a simulated venue', () => {
  it('walks the levels within its limit, each at its price', () => {
    const { placed } = aDesk();
    assert.deepEqual(done(placed({ lots: 1_500 })), ['Filled', 1_500, 1_000n * 10_100n + 500n * 10_200n]);
    assert.deepEqual(done(placed({ side: 'sell', ticks: 9_900, lots: 1_500 })), ['Open', 1_000, 1_000n * 9_900n]);
  });
  it('is refused in a halt, whatever it is; one that rests may be cancelled', () => {
    const { desk, place, placed, halt, of } = aDesk();
    const resting = placed({ ticks: 9_000 });
    halt(true);
    for (const more of [{}, { side: 'sell' as const }, { ticks: undefined, timeInForce: 'IOC' as const }])
      assert.equal(place(more), 'Halted');
    assert.equal(place({ symbol: 'BBBUSDT' }), 'UnknownSymbol');
    assert.equal(desk.cancel(resting.id, 2)?.status, 'Cancelled');
    assert.equal(of('USDT').held, 0n);
    halt(false);
    assert.equal(placed({}).status, 'Filled');
  });
  it('does not take twice what was there once, until the level changes', () => {
    const { placed, change } = aDesk();
    placed({ ticks: 10_100, lots: 600 });
    const second = placed({ ticks: 10_100, lots: 600 });
    assert.deepEqual(done(second), ['Open', 400, 400n * 10_100n]);
    change(BIDS, [['101.00', '0.150'], ['102.00', '2.000']]); // prettier-ignore
    assert.deepEqual([second.status, second.filledLots], ['Open', 550]);
    assert.ok(second.fills[1]!.isMaker && !second.fills[0]!.isMaker);
  });
  it('that is FOK is filled whole or not at all; of an IOC what is left expires; a market order takes any price', () => {
    const { placed } = aDesk();
    assert.deepEqual(done(placed({ timeInForce: 'FOK', lots: 3_001 })), ['Expired', 0, 0n]);
    assert.deepEqual(done(placed({ timeInForce: 'IOC', ticks: 10_100, lots: 1_500 })), ['Expired', 1_000, 10_100_000n]);
    assert.deepEqual(done(placed({ timeInForce: 'FOK', lots: 2_000 })), ['Filled', 2_000, 20_400_000n]);
    const market = placed({ side: 'sell', ticks: undefined, timeInForce: 'IOC', lots: 4_000 });
    assert.deepEqual(done(market), ['Expired', 3_000, 1_000n * 9_900n + 2_000n * 9_800n]);
  });
  it('spends what it may, in whole steps', () => {
    const { placed } = aDesk();
    const order = placed({ ticks: undefined, lots: undefined, spend: 15_000_000n, timeInForce: 'IOC' });
    assert.deepEqual(done(order), ['Filled', 1_480, 1_000n * 10_100n + 480n * 10_200n]);
  });
  it('that rests is filled by a trade at a worse price, never by one at its own, and at its own price', () => {
    const { placed, trade } = aDesk();
    const order = placed({ ticks: 9_950, lots: 500 });
    trade('99.50', '1.000', true);
    trade('99.00', '1.000', false);
    assert.equal(order.filledLots, 0);
    trade('99.49', '0.200', true);
    trade('99.00', '1.000', true);
    assert.deepEqual(done(order), ['Filled', 500, 500n * 9_950n]);
  });
  it('that rests is filled when the other side comes to it', () => {
    const { placed, change } = aDesk();
    const order = placed({ ticks: 10_000, lots: 500 });
    change([['98.00', '1.000']], [['99.00', '0.300'], ['100.00', '1.000']]); // prettier-ignore
    assert.deepEqual(done(order), ['Filled', 500, 500n * 10_000n]);
  });
  it('pays, holds and gives back exactly, with the fee where the venue takes it', () => {
    for (const [feeIn, quote, base] of [
      ['Received', 1_000_000n * ONE - 101n * ONE, 100n * ONE + (ONE * 999n) / 1_000n],
      ['Quote', 1_000_000n * ONE - 101n * ONE - (101n * ONE) / 1_000n, 101n * ONE],
    ] as const) {
      const { placed, of, desk } = aDesk({ feeIn });
      placed({ ticks: 10_100 });
      assert.deepEqual([of('USDT'), of('AAA')], [{ free: quote, held: 0n }, { free: base, held: 0n }], feeIn); // prettier-ignore
      const { id } = placed({ ticks: 5_000 });
      assert.equal(of('USDT').held, feeIn === 'Quote' ? (50n * ONE * 1_001n) / 1_000n : 50n * ONE);
      desk.cancel(id, 3);
      assert.deepEqual(of('USDT'), { free: quote, held: 0n });
    }
  });
  for (const [reason, request] of [
    ['UnknownSymbol', { symbol: 'BBBUSDT' }],
    ['PriceFilter', { ticks: 0 }],
    ['LotSize', { lots: 0 }],
    ['Notional', { ticks: 9_000, lots: 55 }],
    ['InsufficientFunds', { ticks: 9_999_999, lots: 100_000 }],
    ['InsufficientFunds', { side: 'sell', ticks: 20_000, lots: 100_001 }],
    ['WouldTake', { isPostOnly: true }],
  ] as const) {
    it(`is refused: ${reason} ${JSON.stringify(request)}`, () => {
      const { place, of } = aDesk();
      assert.equal(place(request as Partial<OrderRequest>), reason);
      assert.deepEqual([of('USDT').held, of('AAA').held], [0n, 0n]);
    });
  }
  it('is refused where one of its name is open, or 200 are; what is done is known until a thousand more are', () => {
    const { desk, place, placed } = aDesk();
    const { id } = placed({ ticks: 1_000, clientId: 'a' });
    assert.equal(place({ ticks: 1_000, clientId: 'a' }), 'DuplicateClientId');
    assert.equal(desk.byClientId('a')?.id, id);
    for (let i = 1; i < 200; i++) placed({ ticks: 1_000 });
    assert.equal(place({ ticks: 1_000 }), 'TooManyOpen');
    desk.cancel(id, 2);
    for (let i = 0; i < 1_000; i++) {
      assert.equal(desk.order(id)?.status, 'Cancelled');
      desk.cancel(placed({ ticks: 1_000 }).id, 3);
    }
    assert.equal(desk.order(id), undefined);
    assert.equal(desk.orders().length, 1_199);
  });
  it('makes and loses no money, whatever is done', () => {
    const act = record({
      what: constantFrom('place', 'cancel', 'trade', 'book'),
      side: constantFrom('buy', 'sell'),
      ticks: integer({ min: 9_700, max: 10_300 }),
      lots: integer({ min: 50, max: 4_000 }),
      timeInForce: constantFrom('GTC', 'IOC', 'FOK'),
    });
    holds(
      property(array(act, { maxLength: 40 }), (acts) => {
        const { desk, place, change, trade, of } = aDesk({ feeBps: 0 });
        let [quote, base] = [1_000_000n * ONE, 100n * ONE];
        for (const { what, side, ticks, lots, timeInForce } of acts as (Pick<OrderRequest, 'side' | 'timeInForce'> & {
          what: string;
          ticks: number;
          lots: number;
        })[]) {
          if (what === 'place') place({ side, ticks, lots, timeInForce });
          if (what === 'cancel') desk.cancel(desk.orders()[0]?.id ?? 0, 1);
          if (what === 'trade') trade(textOf(ticks, 2), textOf(lots, 3), side === 'buy');
          if (what === 'book')
            change([[textOf(ticks - 1, 2), textOf(lots, 3)]], [[textOf(ticks + 1, 2), textOf(lots, 3)]]);
        }
        for (const { request, filledLots, value } of desk.orders()) {
          const sign = request.side === 'buy' ? 1n : -1n;
          quote -= (sign * value * ONE) / 100_000n;
          base += (sign * BigInt(filledLots) * ONE) / 1_000n;
          assert.ok(filledLots <= (request.lots ?? 0));
        }
        assert.equal(of('USDT').free + of('USDT').held, quote);
        assert.equal(of('AAA').free + of('AAA').held, base);
        const open = desk.orders().filter(({ status }) => status === 'Open');
        assert.equal(of('USDT').held + of('AAA').held, open.reduce((sum, { held }) => sum + held, 0n)); // prettier-ignore
        assert.ok(open.every(({ held }) => held > 0n));
      }),
      { numRuns: 300 },
    );
  });
});
