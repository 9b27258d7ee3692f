import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { newBudget } from './limits.ts';
import { Silences, type SilenceTiming } from './silences.ts';

const TIMING: SilenceTiming = { silentMs: 10_000, everyMs: 30_000, graceMs: 3_000 };

/** A clock in steps of 100 ms, and a venue whose own books are at `ids`. */
function aWorld(ids: Record<string, number | undefined>, weightLimit = 1_000) {
  const asked: string[] = [];
  const stalled: string[] = [];
  const quiet: string[] = [];
  let now = 0;
  const silences = new Silences({
    askId: async (symbol) => {
      asked.push(symbol);
      return ids[symbol];
    },
    budget: newBudget(weightLimit, 60_000),
    weight: 5,
    now: () => now,
    timing: TIMING,
    onStalled: (symbol) => stalled.push(`${symbol} ${now}`),
    quiet: { afterMs: 2_000, on: (symbol) => quiet.push(`${symbol} ${now}`) },
  });
  const pass = async (ms: number, each: (now: number) => void = () => undefined): Promise<void> => {
    for (const end = now + ms; now < end; now += 100) {
      each(now);
      silences.tick();
      await nextTurn();
    }
  };
  for (const symbol of Object.keys(ids)) silences.expect(symbol, 0);
  return { silences, asked, stalled, quiet, pass };
}

describe('a silent book', () => {
  it('is told of once, long before anybody is asked, and again after it spoke', async () => {
    const { silences, asked, quiet, pass } = aWorld({ BTC: 20, ETH: 8 });
    await pass(9_000, (now) => silences.heard('ETH', now, now));
    assert.deepEqual([quiet, asked], [['BTC 2000'], []]);
    silences.heard('BTC', 20, 9_000);
    await pass(5_000, (now) => silences.heard('ETH', now, now));
    assert.deepEqual(quiet, ['BTC 2000', 'BTC 11000']);
  });
  it('is stalled where the venue’s moved on, and the others of the connection are not asked about', async () => {
    const { silences, asked, stalled, pass } = aWorld({ BTC: 20, ETH: 8 });
    silences.heard('ETH', 7, 0);
    await pass(20_000, (now) => silences.heard('BTC', now, now));
    assert.deepEqual(asked, ['ETH']);
    assert.deepEqual(stalled, ['ETH 13000']);
  });
  it('is not where the venue’s stands still as well: the market is quiet', async () => {
    const { silences, asked, stalled, pass } = aWorld({ ETH: 7 });
    silences.heard('ETH', 7, 0);
    await pass(120_000);
    assert.equal(asked.length, 4);
    assert.deepEqual(stalled, []);
  });
  it('that nothing numbers is compared with itself 10 s later, then as seldom as others', async () => {
    const ids: Record<string, number> = { BTC: 0, ETH: 0 };
    const { silences, asked, stalled, pass } = aWorld(ids);
    for (const symbol of ['BTC', 'ETH']) silences.heard(symbol, undefined, 0);
    await pass(15_000);
    ids['BTC'] = 1;
    await pass(15_000);
    assert.deepEqual(stalled, ['BTC 23000']);
    await pass(25_000);
    assert.equal(asked.filter((symbol) => symbol === 'ETH').length, 3);
  });
  it('is not where the update was still on its way', async () => {
    const { silences, stalled, pass } = aWorld({ ETH: 8 });
    silences.heard('ETH', 7, 0);
    await pass(11_000);
    silences.heard('ETH', 8, 11_000);
    await pass(5_000);
    assert.deepEqual(stalled, []);
  });
  it('is stalled where nothing ever came and the venue’s book moves', async () => {
    const ids = { ETH: 5 };
    const { stalled, pass } = aWorld(ids);
    await pass(15_000);
    assert.deepEqual(stalled, []);
    ids.ETH = 6;
    await pass(40_000);
    assert.deepEqual(stalled, ['ETH 23000', 'ETH 53000']);
  });
  it('is said again while it lasts, and no more once its connection is gone', async () => {
    const { silences, stalled, pass } = aWorld({ ETH: 8 });
    silences.heard('ETH', 7, 0);
    await pass(50_000);
    silences.forget('ETH');
    await pass(50_000);
    assert.deepEqual(stalled, ['ETH 13000', 'ETH 43000']);
  });
  it('waits where the venue’s limits are reached, and an answer that failed proves nothing', async () => {
    const { silences, asked, stalled, pass } = aWorld({ ETH: undefined, BTC: 9 }, 5);
    silences.heard('ETH', 7, 0);
    silences.heard('BTC', 9, 0);
    await pass(60_000);
    assert.deepEqual([asked, stalled], [['ETH'], []]);
  });
});
