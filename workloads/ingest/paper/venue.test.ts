import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import { BOOK_FRESH_MS, type OrderRequest, type VenueReport } from '../../contract/messages.ts';
import { step, type Event, type Output, type Shard } from '../step.ts';
import { aShard, BTC, depth, liveBook, ticker } from '../test/frames.ts';
import { btcListing } from '../test/listings.ts';
import { openAccount, positionOf } from './account.ts';
import { feeRate } from './money.ts';
import { entryAnswered, entryRead, newProgress } from './progress.ts';
import { newPaperVenue, type PaperConfig } from './venue.ts';

const listing = { ...btcListing, instrument: { ...btcListing.instrument, minNotionalUsd: 0 } };
const config: PaperConfig = {
  bootId: 'boot',
  accounts: new Map([[BTC, 'Spot']]),
  ownFeeRates: new Map(),
  outMs: 20,
  feedMs: 20,
  jitterMs: 0,
};

function aPaperShard(options: Partial<PaperConfig> = {}, capitalUsd = 1_000_000) {
  const { shard, link, run } = aShard(listing);
  shard.paper = newPaperVenue({ ...config, ...options }, openAccount(capitalUsd), feeRate(3));
  return { shard, link, run, account: shard.paper.account };
}

type New = Extract<OrderRequest, { kind: 'new' }>;
let next = 0;
const order = (t: number, of: Partial<New> = {}): New => ({
  kind: 'new',
  id: `o${(next += 1)}`,
  symbol: BTC,
  side: 'buy',
  lots: 5,
  limitTicks: 105,
  reduceOnly: false,
  timeInForce: 'IOC',
  epoch: 1,
  t,
  ...of,
});
/** A request read at `t`, `transitMs` after Redis took it; what its sender's clock said does not matter. */
const ask = (request: OrderRequest, t = request.t, transitMs = 0): Event => ({
  kind: 'order',
  request,
  requestId: `${request.kind}-${request.id}`,
  transitMs,
  t,
});
const tick = (t: number): Event => ({ kind: 'tick', t });
const reports = (outputs: readonly Output[]): readonly VenueReport[] =>
  outputs.flatMap((output) => (output.kind === 'answer' ? output.answer.reports : []));
const fills = (outputs: readonly Output[]): readonly string[] =>
  reports(outputs).flatMap((report) => (report.kind === 'fill' ? [`${report.lots}@${report.ticks}`] : []));
const reasons = (outputs: readonly Output[]): readonly string[] =>
  reports(outputs).flatMap((report) => (report.kind === 'rejected' ? [report.reason.split(':')[0]!] : []));
const book = (t = 1_000): readonly Event[] => liveBook(t, [99, 4, 98, 6], [101, 3, 102, 4, 110, 50]);

describe('an order to the paper venue', () => {
  it('meets the book of 40 ms later, not the one it was decided on', () => {
    const { run } = aPaperShard();
    run(...book());
    const early = run(ask(order(1_000)), { kind: 'frame', frame: depth(11, 11, [], [101, 0, 103, 2]), t: 1_030 });
    assert.deepEqual(fills(early), []);
    const late = run({ kind: 'frame', frame: depth(12, 12, [], [102, 0]), t: 1_041 });
    assert.deepEqual(fills(late), ['4@102', '1@103']);
  });

  it('walks the levels up to its limit; the remainder expires', () => {
    const { run, account } = aPaperShard();
    run(...book());
    const answer = run(ask(order(1_000, { lots: 20 })), tick(1_040));
    assert.deepEqual(fills(answer), ['3@101', '4@102']);
    const last = reports(answer).at(-1);
    assert.ok(last?.kind === 'done' && last.outcome === 'Expired' && last.filledLots === 7);
    assert.equal(positionOf(account, BTC), 7);
  });

  it('sees the best level of a bookTicker that is ahead of the book', () => {
    const { run } = aPaperShard();
    run(...book(), { kind: 'frame', frame: ticker(12, [99, 4], [102, 1]), t: 1_010 });
    assert.deepEqual(fills(run(ask(order(1_000, { limitTicks: 110 })), tick(1_040))), ['1@102', '4@110']);
  });

  it('does not take again what was taken, until the level shows another size', () => {
    const { run } = aPaperShard();
    run(...book());
    assert.deepEqual(fills(run(ask(order(1_000, { lots: 2 })), tick(1_040))), ['2@101']);
    assert.deepEqual(fills(run(ask(order(1_040)), tick(1_080))), ['1@101', '4@102']);
    assert.deepEqual(fills(run(ask(order(1_080)), tick(1_120))), []);
    const renewed: Event = { kind: 'frame', frame: depth(11, 11, [], [101, 2]), t: 1_130 };
    assert.deepEqual(fills(run(renewed, ask(order(1_130)), tick(1_170))), ['2@101']);
  });

  it('does not take again what was taken when a repeated frame shows an earlier size', () => {
    const { run } = aPaperShard();
    run(...book());
    run({ kind: 'frame', frame: depth(11, 11, [], [101, 9]), t: 1_005 });
    run({ kind: 'frame', frame: depth(12, 12, [], [101, 3]), t: 1_010 });
    assert.deepEqual(fills(run(ask(order(1_010, { limitTicks: 101 })), tick(1_050))), ['3@101']);
    run({ kind: 'frame', frame: depth(11, 11, [], [101, 9]), t: 1_060 }); // from the connection that replaces the first
    assert.deepEqual(fills(run(ask(order(1_060, { limitTicks: 101 })), tick(1_100))), []);
  });

  it('is dropped when its id was seen, waiting or answered', () => {
    const { run, account } = aPaperShard();
    run(...book());
    const once = order(1_000);
    const waiting = run(ask(once), ask(once));
    assert.equal(reports(waiting).length, 0);
    assert.deepEqual(fills(run(tick(1_040))), ['3@101', '2@102']);
    assert.equal(reports(run(ask({ ...once, t: 1_100 }), tick(1_200))).length, 0);
    assert.equal(positionOf(account, BTC), 5);
  });

  it('can be cancelled on its way, and before it came', () => {
    const { run } = aPaperShard();
    run(...book());
    const one = order(1_000);
    const two = order(1_010);
    const cancel = ({ id }: New): Event => ask({ kind: 'cancel', id, symbol: BTC, epoch: 1, t: 1_020 });
    const answers = run(ask(one), cancel(one), cancel(two), ask(two), tick(1_100), cancel(two));
    assert.deepEqual(
      reports(answers).map((report) => report.kind === 'done' && [report.orderId, report.outcome]),
      [
        [one.id, 'Cancelled'],
        [two.id, 'Cancelled'],
      ],
    );
  });

  it('is refused for each filter, with the code and the numbers', () => {
    const cases: readonly (readonly [Partial<New>, string])[] = [
      [{ lots: 0 }, 'BadOrder'],
      [{ lots: 1.5 }, 'BadOrder'],
      [{ limitTicks: 100.5 }, 'BadOrder'],
      [{ lots: 900_000_001 }, 'MaxOrder'],
      [{ side: 'sell' }, 'InsufficientBalance'],
      [{ lots: 2_000_000, limitTicks: 10_000_000 }, 'InsufficientBalance'],
      [{ reduceOnly: true }, 'ReduceOnly'],
      [{ symbol: 'XRP-USD' }, 'UnknownSymbol'],
    ];
    for (const [of, code] of cases) {
      const { run } = aPaperShard();
      run(...book());
      assert.deepEqual(reasons(run(ask(order(1_000, of), 1_000), tick(1_100))), [code]);
    }
  });

  it('is refused when it was longer on its way than 2 s by one clock, whatever its sender’s clock says', () => {
    const { run } = aPaperShard();
    run(...book());
    assert.deepEqual(reasons(run(ask(order(1_000), 1_000, 2_001))), ['TooOld']);
    assert.deepEqual(reasons(run(ask(order(1_000), 1_000, NaN))), ['TooOld'], 'nobody knows');
    assert.deepEqual(fills(run(ask(order(-60_000), 1_000), tick(1_040))), ['3@101', '2@102']);
  });

  it('has the rest of its 20 ms out and the 20 ms of the feed still before it when it is read', () => {
    const due = (transitMs: number, sentAt: number): number => {
      const { shard, run } = aPaperShard();
      run(...book(), ask(order(sentAt), 1_000, transitMs));
      return shard.paper!.nextDue;
    };
    assert.deepEqual([due(0, 1_000), due(12, 1_000), due(500, 1_000)], [1_040, 1_028, 1_020]);
    assert.deepEqual([due(12, 99_000), due(12, -99_000)], [1_028, 1_028]);
  });

  it('is charged the fee in force when it came, or that of its own market', () => {
    const feeOf = (outputs: readonly Output[]): number[] =>
      reports(outputs).flatMap((report) => (report.kind === 'fill' ? [report.feeMicros] : []));
    const deep = (t: number) => liveBook(t, [99, 4], [100, 1_000_000]);
    const one = aPaperShard();
    const big = { lots: 100_000, limitTicks: 100 };
    one.run(...deep(1_000), ask(order(1_000, big)), { kind: 'fee', feeRate: feeRate(5), t: 1_010 });
    assert.deepEqual(feeOf(one.run(tick(1_040))), [300]);
    assert.deepEqual(feeOf(one.run(ask(order(1_050, big)), tick(1_090))), [500]);
    const own = aPaperShard({ ownFeeRates: new Map([[BTC, feeRate(1)]]) });
    assert.deepEqual(feeOf(own.run(...deep(1_000), ask(order(1_000, big)), tick(1_040))), [100]);
  });

  it('is refused off the steps and below the least notional', () => {
    const coarse = { ...listing, instrument: { ...listing.instrument, tickStep: 5, lotStep: 10, minNotionalUsd: 1 } };
    const { shard, run } = aShard(coarse);
    shard.paper = newPaperVenue(config, openAccount(1_000_000), feeRate(3));
    assert.deepEqual(reasons(run(ask(order(1_000, { limitTicks: 101 })))), ['PriceFilter']);
    assert.deepEqual(reasons(run(ask(order(1_000, { limitTicks: 105 })))), ['LotSize']);
    assert.deepEqual(reasons(run(ask(order(1_000, { limitTicks: 105, lots: 10 })))), ['MinNotional']);
  });

  it('is refused while the book is out, silent or late', () => {
    const out = aPaperShard();
    assert.deepEqual(reasons(out.run(ask(order(1_000)), tick(1_040))), ['BookUnavailable']);
    const silent = aPaperShard();
    silent.run(...book(0));
    assert.deepEqual(reasons(silent.run(ask(order(2_000)), tick(2_040))), ['BookUnavailable']);
    const late = aPaperShard();
    late.run(...book(0));
    const market = late.shard.markets.get(BTC)!;
    const heardMs = 1_040 - market.link.heardAt; // when the order meets the book
    Object.assign(market, { lagMs: BOOK_FRESH_MS + 1 - heardMs, lagAt: 1_000 });
    assert.deepEqual(reasons(late.run(ask(order(1_000)), tick(1_040))), ['BookUnavailable']);
    Object.assign(market, { lagMs: BOOK_FRESH_MS - heardMs });
    assert.deepEqual(reasons(late.run(ask(order(1_000, { id: 'b' })), tick(1_080))), []);
  });

  it('cannot spend what another order on its way has spoken for', () => {
    const { run } = aPaperShard({}, 0.000_08);
    run(...book());
    // 5 lots at 105 ticks and the fee are 54 micros; 80 carry one of them.
    assert.deepEqual(reasons(run(ask(order(1_000)), ask(order(1_000)))), ['InsufficientBalance']);
  });

  it('adds jitter by its id only', () => {
    const due = (id: string): number => {
      const { shard, run } = aPaperShard({ jitterMs: 5 });
      run(...book(), ask(order(1_000, { id })));
      return shard.paper!.nextDue;
    };
    const dues = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(due);
    for (const at of dues) assert.ok(at >= 1_040 && at <= 1_045);
    assert.ok(new Set(dues).size > 1);
    assert.equal(due('a'), due('a'));
  });
});

describe('a cancel', () => {
  it('answers both entries, so that a restart need not read either again', () => {
    const { run } = aPaperShard();
    run(...book());
    const one = order(1_000);
    const outputs = run(ask(one), ask({ kind: 'cancel', id: one.id, symbol: BTC, epoch: 1, t: 1_010 }));
    const progress = newProgress();
    for (const id of [`new-${one.id}`, `cancel-${one.id}`]) entryRead(progress, BTC, id);
    for (const output of outputs) {
      if (output.kind === 'answer') entryAnswered(progress, BTC, output.answer.requestId);
    }
    assert.equal(progress.resume.get(BTC), `cancel-${one.id}`);
    assert.equal(reports(outputs).length, 1);
  });
});

describe('a reconcile', () => {
  it('gives cash, positions and what is on its way, with the next seq', () => {
    const { run } = aPaperShard();
    run(...book(), ask(order(1_000)), tick(1_040));
    const waiting = order(1_100);
    const [account] = reports(run(ask(waiting), ask({ kind: 'reconcile', id: 'r1', symbol: BTC, epoch: 1, t: 1_110 })));
    assert.ok(account?.kind === 'account');
    assert.deepEqual([account.seq, account.positions, account.openOrders], [5, { [BTC]: 5 }, [waiting.id]]);
    // 3 at 101 and 2 at 102 ticks: 303 + 204 → tenths of a micro per tick and lot: 30.3 → 31, 20.4 → 21, fees 1 each.
    assert.equal(account.cashMicros, 1e12 - (31 + 1 + 21 + 1));
  });
});

describe('the fence', () => {
  const question = (epoch: number): OrderRequest => ({
    kind: 'reconcile',
    id: `r${epoch}`,
    symbol: BTC,
    epoch,
    t: 1_000,
  });

  it('refuses an order decided under an earlier epoch than one that was seen, whatever kind of request showed it', () => {
    const { run } = aPaperShard();
    run(...book(), ask(question(3)));
    const [refused] = reports(run(ask(order(1_010, { epoch: 2 }))));
    assert.ok(refused?.kind === 'rejected');
    assert.match(refused.reason, /^OldEpoch: 2, another acts since under 3$/);
    assert.equal(reports(run(ask(order(1_020, { epoch: 3 })), tick(1_100)))[0]?.kind, 'accepted');
    assert.equal(reports(run(ask(order(1_120, { epoch: 4 })), tick(1_200)))[0]?.kind, 'accepted');
    assert.equal(reports(run(ask(order(1_220, { epoch: 3 }))))[0]?.kind, 'rejected');
  });
  it('lets an order through that came before the question, and tells of it in the answer', () => {
    const { run } = aPaperShard();
    const before = order(1_000, { epoch: 2 });
    const outputs = run(...book(), ask(before), ask(question(3)), tick(1_100));
    const [account, accepted] = reports(outputs);
    assert.ok(account?.kind === 'account' && accepted?.kind === 'accepted');
    assert.deepEqual([account.epoch, account.openOrders], [3, [before.id]]);
  });
  it('takes a cancel of an earlier epoch, as that can only reduce, and keeps silent over a repeat', () => {
    const { run } = aPaperShard();
    const waiting = order(1_000, { epoch: 2 });
    run(...book(), ask(waiting), ask(question(3)));
    const [ended] = reports(run(ask({ kind: 'cancel', id: waiting.id, symbol: BTC, epoch: 2, t: 1_010 })));
    assert.ok(ended?.kind === 'done' && ended.outcome === 'Cancelled');
    assert.deepEqual(reports(run(ask(waiting))), []);
  });
});

/** Any flow of orders and book updates, 10 ms apart. */
type Move =
  { readonly asks: number[] } | { readonly side: 'buy' | 'sell'; readonly lots: number; readonly limitTicks: number };
const level = fc.tuple(fc.integer({ min: 101, max: 106 }), fc.nat(6));
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ asks: fc.array(level, { maxLength: 3 }).map((levels) => levels.flat()) }),
  fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const),
    lots: fc.integer({ min: 1, max: 12 }),
    limitTicks: fc.integer({ min: 97, max: 107 }),
  }),
);

const timeOf = (move: number): number => 1_010 + 10 * move;

interface Run {
  readonly shard: Shard;
  readonly outputs: readonly Output[];
  /** Displayed asks just before each fill, by order id. */
  readonly orders: ReadonlyMap<string, New>;
}

function play(moves: readonly Move[], onStep?: (shard: Shard, event: Event, outputs: readonly Output[]) => void): Run {
  const { shard, run } = aPaperShard({ jitterMs: 5 });
  run(...book());
  const orders = new Map<string, New>();
  const outputs: Output[] = [];
  moves.forEach((of, i) => {
    const t = timeOf(i);
    const event: Event =
      'asks' in of
        ? { kind: 'frame', frame: depth(11 + i, 11 + i, [], of.asks), t }
        : ask(order(t, { ...of, id: `p${i}` }));
    if (event.kind === 'frame' && event.frame.kind === 'depth') Object.assign(event.frame, { firstId: 11 });
    if (event.kind === 'order' && event.request.kind === 'new') orders.set(event.request.id, event.request);
    const given = step(shard, event);
    onStep?.(shard, event, given);
    outputs.push(...given);
  });
  return { shard, outputs, orders };
}

describe('the paper venue, on any flow', () => {
  const flows = fc.array(move, { maxLength: 40 });

  it('changes no report of an order that was due before the future became another one', () => {
    fc.assert(
      fc.property(flows, flows, fc.nat(40), (moves, others, cut) => {
        const at = Math.min(cut, moves.length);
        const end = tick(timeOf(100));
        const dueBefore = (future: readonly Move[]) => {
          const { shard, outputs } = play([...moves.slice(0, at), ...future]);
          return reports([...outputs, ...step(shard, end)]).filter(({ t }) => t < timeOf(at));
        };
        assert.deepEqual(dueBefore(moves.slice(at)), dueBefore(others));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same fills for the same flow', () => {
    fc.assert(
      fc.property(flows, (moves) => assert.deepEqual(reports(play(moves).outputs), reports(play(moves).outputs))),
      { numRuns: 50 },
    );
  });

  it('never fills beyond the limit, the order, or what is displayed, and conserves cash and position', () => {
    fc.assert(
      fc.property(flows, (moves) => {
        const { shard, outputs, orders } = play(moves);
        let [cash, lots, seq] = [1e12, 0, 0];
        const filled = new Map<string, number>();
        for (const report of reports(outputs)) {
          assert.equal(report.seq, (seq += 1));
          if (report.kind !== 'fill') continue;
          const of = orders.get(report.orderId)!;
          assert.ok(of.side === 'buy' ? report.ticks <= of.limitTicks : report.ticks >= of.limitTicks);
          filled.set(of.id, (filled.get(of.id) ?? 0) + report.lots);
          assert.ok(filled.get(of.id)! <= of.lots);
          const sign = of.side === 'buy' ? 1 : -1;
          cash -= sign * report.notionalMicros + report.feeMicros;
          lots += sign * report.lots;
          assert.ok(lots >= 0 && cash >= 0 && report.feeMicros > 0);
        }
        const { account } = shard.paper!;
        assert.deepEqual([account.cashMicros, positionOf(account, BTC)], [cash, lots]);
      }),
      { numRuns: 200 },
    );
  });

  it('never sells one displayed lot twice', () => {
    fc.assert(
      fc.property(flows, (moves) => {
        // Lots taken from each ask since it last showed another size can never pass what it shows.
        const shown = new Map<number, number>([
          [101, 3],
          [102, 4],
          [110, 50],
        ]);
        const taken = new Map<number, number>();
        play(moves, (_, event, outputs) => {
          for (const report of reports(outputs)) {
            if (report.kind !== 'fill' || report.side !== 'buy') continue;
            taken.set(report.ticks, (taken.get(report.ticks) ?? 0) + report.lots);
            assert.ok(taken.get(report.ticks)! <= shown.get(report.ticks)!, `${report.lots}@${report.ticks}`);
          }
          if (event.kind !== 'frame' || event.frame.kind !== 'depth') return;
          const { asks } = event.frame;
          for (let i = 0; i < asks.length; i += 2) {
            if (shown.get(asks[i]!) !== asks[i + 1]) taken.delete(asks[i]!);
            shown.set(asks[i]!, asks[i + 1]!);
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});
