// A position that is counted in other lots than its venue counts in now: the change came while nobody was looking.
import assert from 'node:assert/strict';
import type { Features, OrderRequest } from '../contract/messages.ts';
import { openAccount, positionOf } from './paper/account.ts';
import { feeRate } from './paper/money.ts';
import { newPaperVenue } from './paper/venue.ts';
import { newShard, step, type Event, type Output } from './step.ts';
import { BTC, liveBook } from './test/frames.ts';
import { btcListing } from './test/listings.ts';

const config = { bootId: 'boot', accounts: new Map([[BTC, 'Spot']] as const), ownFeeRates: new Map(), outMs: 20, feedMs: 20, jitterMs: 0 }; // prettier-ignore
const inLotsOf = (quantityDecimals: number) => ({
  ...btcListing,
  quantityDecimals,
  instrument: { ...btcListing.instrument, quantityScale: 10 ** quantityDecimals, minNotionalUsd: 0 },
});
const FOUR = 'held in 500 lots of 5 decimals, counted in 4 now: see the runbook';

function anAccount(quantityScale = 100_000, lots = 500) {
  const account = openAccount(1_000_000);
  account.positions.set(BTC, lots);
  if (quantityScale > 0) account.quantityScales.set(BTC, quantityScale);
  return account;
}

const listed = (decimals: number): Event => ({ kind: 'listed', listing: inLotsOf(decimals), link: { source: 's', up: true, heardAt: 0 }, t: 1_000 }); // prettier-ignore
const order = (side: 'buy' | 'sell', t: number): Event => {
  const request: OrderRequest = { kind: 'new', id: `${side}${t}`, symbol: BTC, side, lots: 5, limitTicks: side === 'buy' ? 110 : 90, reduceOnly: side === 'sell', timeInForce: 'IOC', epoch: 1, t }; // prettier-ignore
  return { kind: 'order', request, requestId: `${side}${t}`, transitMs: 0, t };
};

function aShard() {
  const shard = newShard('b');
  return { shard, run: (...events: readonly Event[]) => events.flatMap((event) => step(shard, event)) };
}
const haltsIn = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.kind === 'status' ? [output.halted] : []));
const featuresIn = (outputs: readonly Output[]): readonly Features[] =>
  outputs.flatMap((output) => (output.kind === 'features' ? [output.features] : []));
const refusalsIn = (outputs: readonly Output[]): readonly string[] =>
  outputs.flatMap((output) =>
    output.kind === 'answer' ? output.answer.reports.flatMap((r) => (r.kind === 'rejected' ? [r.reason] : [])) : [],
  );
const book = liveBook(1_100, [99, 400], [101, 300]);

describe('a position in other units than its venue counts in now', () => {
  it('keeps its symbol closed, in whichever order account and units come to be known', () => {
    const account: Event = { kind: 'account', account: anAccount(), t: 1_050 };
    for (const events of [
      [account, listed(4)],
      [listed(4), account],
    ]) {
      // prettier-ignore
      const { run } = aShard();
      assert.deepEqual(haltsIn(run(...events)), [FOUR]);
      const features = featuresIn(run(...book));
      assert.ok(features.length > 0 && features.every(({ valid, halted }) => !valid && halted === FOUR));
    }
  });

  it('stays closed whatever the venue says of the symbol', () => {
    const { run, shard } = aShard();
    run({ kind: 'account', account: anAccount(), t: 1_000 }, listed(4), ...book);
    run({ kind: 'status', symbol: BTC, halted: 'BREAK', t: 2_000 });
    run({ kind: 'status', symbol: BTC, halted: undefined, t: 3_000 });
    assert.equal(shard.markets.get(BTC)!.halted, FOUR);
    assert.equal(shard.markets.get(BTC)!.valid, false);
  });

  it('is not traded by the paper venue, not even less, and keeps its lots', () => {
    const { run, shard } = aShard();
    run(listed(4), ...book);
    const account = anAccount();
    shard.paper = newPaperVenue(config, account, feeRate(3)); // before anything looked at what is held
    for (const side of ['sell', 'buy'] as const)
      assert.deepEqual(refusalsIn(run(order(side, 2_000))), [`UnitsChanged: ${BTC} is ${FOUR}`]);
    assert.equal(positionOf(account, BTC), 500);
  });

  it('is none where the units are the same, nothing is held, or an earlier version wrote none down', () => {
    for (const account of [anAccount(10_000), anAccount(100_000, 0), anAccount(0)]) {
      const { run, shard } = aShard();
      run({ kind: 'account', account, t: 1_000 }, listed(4), ...book);
      shard.paper = newPaperVenue(config, account, feeRate(3));
      assert.equal(shard.markets.get(BTC)!.valid, true);
      assert.deepEqual(refusalsIn(run(order('buy', 2_000))), []);
    }
  });

  it('has units as each fill says, and every account report', () => {
    const { run, shard } = aShard();
    run(listed(4), ...book);
    const account = openAccount(1_000_000);
    shard.paper = newPaperVenue(config, account, feeRate(3));
    run(order('buy', 2_000), { kind: 'tick', t: 2_100 });
    assert.deepEqual([...account.quantityScales], [[BTC, 10_000]]);
    const asked = run({ kind: 'order', request: { kind: 'reconcile', id: 'r', symbol: BTC, epoch: 1, t: 2_200 }, requestId: 'r', transitMs: 0, t: 2_200 }); // prettier-ignore
    const [report] = asked.flatMap((output) => (output.kind === 'answer' ? output.answer.reports : []));
    assert.deepEqual(report?.kind === 'account' && [report.positions, report.quantityScales], [{ [BTC]: 5 }, { [BTC]: 10_000 }]); // prettier-ignore
  });
});
