import assert from 'node:assert/strict';
import type { TradeFrame } from './frame.ts';
import { newBudget } from './limits.ts';
import { MissedTrades, type MissedRange } from './missed-trades.ts';

const trade = (tradeId: number): TradeFrame => ({ kind: 'trade', symbol: 'A', tradeId, ticks: 1, lots: 1, sellerTook: false, venueAt: 0 }); // prettier-ignore

function aFetcher(answers: readonly (readonly number[] | undefined)[], budget = newBudget(100, 1_000)) {
  const clock = { now: 0 };
  const asked: MissedRange[] = [];
  const found: number[][] = [];
  const missed = new MissedTrades({
    fetch: async (range) => {
      asked.push(range);
      return answers[asked.length - 1]?.map(trade);
    },
    budget,
    weight: 1,
    now: () => clock.now,
    onFound: (_, trades) => found.push(trades.map(({ tradeId }) => tradeId)),
  });
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 100) {
      clock.now += 100;
      missed.tick();
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return { missed, asked, found, run };
}

describe('trades that were missed', () => {
  it('are found among what the venue gives, and told once', async () => {
    const { missed, asked, found, run } = aFetcher([[9, 10, 11, 12, 13]]);
    missed.want({ symbol: 'A', firstId: 10, lastId: 12 });
    await run(10_000);
    assert.deepEqual([asked.length, found], [1, [[10, 11, 12]]]);
  });
  it('are asked for again where some are not there yet, three times; what was found is told', async () => {
    const { missed, asked, found, run } = aFetcher([undefined, [10], [10, 11]]);
    missed.want({ symbol: 'A', firstId: 10, lastId: 12 });
    await run(1_000);
    assert.deepEqual([asked.length, found], [1, []]);
    await run(10_000);
    assert.deepEqual([asked.length, found], [3, [[10, 11]]]);
  });
  it('take no more than half of what the venue allows, however many there are', async () => {
    const budget = newBudget(100, 1_000_000);
    const { missed, asked, run } = aFetcher([], budget);
    for (let id = 1; id <= 50; id++) missed.want({ symbol: 'A', firstId: id, lastId: id });
    await run(60_000);
    assert.deepEqual([asked.length, budget.spend(50, 60_000)], [50, 0]);
  });
  it('are nothing where the venue knows none of them', async () => {
    const { missed, asked, found, run } = aFetcher([[1], [1], [1]]);
    missed.want({ symbol: 'A', firstId: 10, lastId: 12 });
    await run(20_000);
    assert.deepEqual([asked.length, found], [3, []]);
  });
  it('are the last thousand of a longer range', async () => {
    const { missed, asked, run } = aFetcher([]);
    missed.want({ symbol: 'A', firstId: 1, lastId: 5_000 });
    await run(100);
    assert.deepEqual(asked, [{ symbol: 'A', firstId: 4_001, lastId: 5_000 }]);
  });
  it('wait for the budget, and no more than fifty ranges do', async () => {
    const { missed, asked, run } = aFetcher(
      Array.from({ length: 200 }, () => [7]),
      newBudget(1, 1_000),
    );
    for (let i = 0; i < 60; i++) missed.want({ symbol: 'A', firstId: 7, lastId: 7 });
    await run(3_000);
    assert.equal(asked.length, 3);
    await run(100_000);
    assert.equal(asked.length, 50);
  });
});
