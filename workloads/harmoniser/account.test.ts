import assert from 'node:assert/strict';
import type { VenueReport } from '../contract/messages.ts';
import {
  afterRestart,
  emptyAccount,
  passGap,
  settleWorking,
  takeReport,
  workingLots,
  type Account,
} from './account.ts';
import { ReportMaker } from './test/builders.ts';
import { randomFrom } from '../simulator/random.ts';

const fillOf = (orderId: string, tradeId: string, lots = 10, side: 'buy' | 'sell' = 'buy') =>
  ({ kind: 'fill', orderId, tradeId, side, lots, ticks: 100, notionalMicros: lots * 1_000, feeMicros: 3 }) as const;

function aWorking(account: Account, id: string, lots = 10, sentAt = 0): void {
  const order = { id, symbol: 'BTC-USD', side: 'buy', lots, limitTicks: 100, reduceOnly: false, sentAt } as const;
  account.working[id] = { ...order, filledLots: 0 };
}

function opened(): { account: Account; maker: ReportMaker } {
  const account = emptyAccount();
  const maker = new ReportMaker();
  const body = { kind: 'account', requestId: 'r', cashMicros: 1e9, positions: {}, openOrders: [], epoch: 1 } as const;
  takeReport(account, maker.make('BTC-USD', 0, body), 0);
  return { account, maker };
}

describe('account', () => {
  it('moves cash and position by fills, and ends orders', () => {
    const { account, maker } = opened();
    aWorking(account, 'o1');
    takeReport(account, maker.make('BTC-USD', 1, { kind: 'accepted', orderId: 'o1' }), 1);
    takeReport(account, maker.make('BTC-USD', 1, fillOf('o1', 't1', 4)), 1);
    assert.equal(workingLots(account, 'BTC-USD'), 6);
    takeReport(account, maker.make('BTC-USD', 1, fillOf('o1', 't2', 6)), 1);
    takeReport(
      account,
      maker.make('BTC-USD', 1, { kind: 'done', orderId: 'o1', outcome: 'Filled', filledLots: 10 }),
      1,
    );
    assert.deepEqual(account.lots, { 'BTC-USD': 10 });
    assert.equal(account.cashMicros, 1e9 - 10_000 - 6);
    assert.deepEqual(account.working, {});
    assert.equal(account.fills, 2);
  });

  it('takes a report once, by sequence and by trade', () => {
    const { account, maker } = opened();
    const fill = maker.make('BTC-USD', 1, fillOf('o1', 't1'));
    assert.equal(takeReport(account, fill, 1).duplicate, false);
    assert.equal(takeReport(account, fill, 1).duplicate, true);
    assert.equal(takeReport(account, maker.make('BTC-USD', 1, fillOf('o1', 't1')), 1).duplicate, true);
    assert.equal(account.lots['BTC-USD'], 10);
  });

  it('has the units of the venue’s account, also where a fill from before it comes late', () => {
    const { account, maker } = opened();
    const late = maker.make('BTC-USD', 1, { ...fillOf('o1', 't1'), quantityScale: 10 });
    const body = { kind: 'account', requestId: 'r2', cashMicros: 5, positions: { 'BTC-USD': 100 }, quantityScales: { 'BTC-USD': 100 }, openOrders: [], epoch: 1 } as const; // prettier-ignore
    takeReport(account, maker.make('BTC-USD', 2, body), 2);
    takeReport(account, late, 3);
    assert.deepEqual([account.lots, account.quantityScales], [{ 'BTC-USD': 100 }, { 'BTC-USD': 100 }]);
  });

  it('takes a late fill of an order that was over', () => {
    const { account, maker } = opened();
    takeReport(account, maker.make('BTC-USD', 1, fillOf('gone', 't9')), 1);
    assert.equal(account.lots['BTC-USD'], 10);
  });

  it('lets streams of symbols overtake each other, and finds a report that never comes', () => {
    const { account, maker } = opened();
    const [two, three, four] = ['t2', 't3', 't4'].map((id) => maker.make('BTC-USD', 1, fillOf('o', id)));
    takeReport(account, three!, 100);
    assert.equal(passGap(account, 2_000), false);
    takeReport(account, two!, 2_050);
    assert.equal(passGap(account, 9_000), false);
    maker.make('BTC-USD', 1, fillOf('o', 'lost'));
    const six = maker.make('BTC-USD', 1, fillOf('o', 't6'));
    takeReport(account, four!, 9_000);
    takeReport(account, six, 9_000);
    assert.equal(passGap(account, 10_900), false);
    assert.equal(passGap(account, 11_000), true);
    assert.equal(passGap(account, 20_000), false);
  });

  it('comes to the venue’s figures in whatever order the streams are read', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomFrom(seed);
      const { reports, cashMicros, positions } = venueHistory(random);
      const account = emptyAccount();
      for (const report of interleaved(reports, random)) takeReport(account, report, 0);
      assert.equal(account.cashMicros, cashMicros, `seed ${seed}`);
      for (const [symbol, lots] of Object.entries(positions)) assert.equal(account.lots[symbol] ?? 0, lots);
    }
  });

  it('books nothing twice when reports of earlier boots come again between those of later ones', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomFrom(seed);
      const { reports, cashMicros, positions } = venueHistory(random, { boots: 4 });
      const account = emptyAccount();
      const read = interleaved(reports, random);
      read.forEach((report, i) => {
        takeReport(account, report, 0);
        const earlier = read[Math.floor(random() * (i + 1))]!;
        if (random() < 0.5) assert.deepEqual(takeReport(account, earlier, 0), { duplicate: true, restarted: false });
      });
      assert.equal(account.cashMicros, cashMicros, `seed ${seed}`);
      for (const [symbol, lots] of Object.entries(positions)) assert.equal(account.lots[symbol] ?? 0, lots);
    }
  });

  it('takes nothing of a boot whose log was lost', () => {
    const { account, maker } = opened();
    const fill = maker.make('BTC-USD', 1, fillOf('o1', 't1'));
    const unread = maker.make('ETH-USD', 1, fillOf('o2', 't2'));
    takeReport(account, fill, 1);
    const fresh = new ReportMaker();
    fresh.bootId = 'venue-2';
    const body = { kind: 'account', requestId: 'r2', cashMicros: 5, positions: {}, openOrders: [], epoch: 1 } as const;
    takeReport(account, fresh.make('BTC-USD', 2, body), 2);
    for (const old of [fill, unread]) assert.equal(takeReport(account, old, 3).duplicate, true);
    assert.deepEqual([account.cashMicros, account.lots], [5, {}]);
    assert.equal(takeReport(account, fresh.make('BTC-USD', 4, fillOf('o3', 't3')), 4).duplicate, false);
  });

  it('starts again with a venue that lost its log', () => {
    const { account, maker } = opened();
    takeReport(account, maker.make('BTC-USD', 1, fillOf('o1', 't1')), 1);
    const fresh = new ReportMaker();
    fresh.bootId = 'venue-2';
    const body = { kind: 'account', requestId: 'r2', cashMicros: 5, positions: {}, openOrders: [], epoch: 1 } as const;
    assert.deepEqual(takeReport(account, fresh.make('BTC-USD', 2, body), 2), { duplicate: false, restarted: true });
    assert.equal(account.cashMicros, 5);
    assert.deepEqual(account.lots, {});
  });

  it('keeps its numbers when a venue restarts with its log', () => {
    const { account, maker } = opened();
    const fill = maker.make('BTC-USD', 1, fillOf('o1', 't1'));
    takeReport(account, fill, 1);
    maker.bootId = 'venue-2';
    assert.equal(takeReport(account, maker.make('BTC-USD', 2, fillOf('o2', 't2')), 2).restarted, true);
    assert.equal(takeReport(account, { ...fill, bootId: 'venue-2' }, 3).duplicate, true);
    assert.equal(account.lots['BTC-USD'], 20);
  });

  it('forgets what the venue does not know, but not what was sent after the question', () => {
    const account = emptyAccount();
    aWorking(account, 'lost', 10, 5);
    aWorking(account, 'open', 10, 5);
    aWorking(account, 'with it', 10, 10);
    aWorking(account, 'later', 10, 20);
    assert.deepEqual(settleWorking(account, 'BTC-USD', ['open'], 10), ['lost']);
    assert.deepEqual(Object.keys(account.working), ['open', 'with it', 'later']);
  });

  it('measures nothing by the clock of an earlier boot', () => {
    const { account, maker } = opened();
    aWorking(account, 'o1', 10, 9e12);
    maker.seq += 1;
    takeReport(account, maker.make('BTC-USD', 1, fillOf('o', 't')), 9e12);
    afterRestart(account);
    assert.equal(passGap(account, 2_000), true);
    assert.deepEqual(settleWorking(account, 'BTC-USD', [], 1), ['o1']);
  });
});

interface History {
  readonly reports: VenueReport[];
  readonly cashMicros: number;
  readonly positions: Record<string, number>;
}

/** Fills and account reports of two symbols over so many boots of a venue that keeps its log, and where it ends. */
function venueHistory(random: () => number, { boots = 1 } = {}): History {
  const maker = new ReportMaker();
  const positions: Record<string, number> = {};
  let cashMicros = 1e9;
  const accountOf = (symbol: string, n: number) =>
    maker.make(symbol, n, {
      kind: 'account',
      requestId: `r${n}`,
      cashMicros,
      positions: { ...positions },
      openOrders: [],
      epoch: 1,
    });
  const reports = ['BTC-USD', 'ETH-USD'].map((symbol) => accountOf(symbol, 0));
  for (let n = 1; n <= 30; n++) {
    const symbol = random() < 0.5 ? 'BTC-USD' : 'ETH-USD';
    maker.bootId = `venue-${1 + Math.floor(((n - 1) * boots) / 30)}`;
    if (random() < 0.2) {
      reports.push(accountOf(symbol, n));
      continue;
    }
    const fill = fillOf(`o${n}`, `t${n}`, 1 + Math.floor(random() * 20), random() < 0.5 ? 'buy' : 'sell');
    const sign = fill.side === 'buy' ? 1 : -1;
    positions[symbol] = (positions[symbol] ?? 0) + sign * fill.lots;
    cashMicros -= sign * fill.notionalMicros + fill.feeMicros;
    reports.push(maker.make(symbol, n, fill));
  }
  return { reports, cashMicros, positions };
}

/** Each symbol's stream in its order, the two in any; the very first report stays first, as it sets the numbers. */
function interleaved([first, ...rest]: VenueReport[], random: () => number): VenueReport[] {
  const streams = ['BTC-USD', 'ETH-USD'].map((name) => rest.filter(({ symbol }) => symbol === name));
  const read = [first!];
  while (streams.some((stream) => stream.length > 0)) {
    const stream = streams[random() < 0.5 ? 0 : 1]!;
    const next = stream.shift();
    if (next !== undefined) read.push(next);
  }
  return read;
}
