import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { btcListing } from '../test/listings.ts';
import type { Filters } from './frame.ts';
import { StatusWatch, STATUS_TIMING, type Wanted } from './status-watch.ts';

type Read = Extract<Filters, { kind: 'filters' }>;

const answerOf = (wanted: Wanted, unknown: readonly string[]): Read => {
  const known = [...wanted].filter(([name]) => !unknown.includes(name));
  return {
    kind: 'filters',
    listings: new Map(known.map(([venueSymbol, symbol]) => [venueSymbol, { ...btcListing, venueSymbol, symbol }])),
    refused: new Map([...wanted.keys()].filter((name) => unknown.includes(name)).map((name) => [name, 'unknown'])),
    halted: new Map(),
  };
};

/** A clock in steps of 100 ms, and a venue that does not know `unknown`. */
function aWorld(names: readonly string[], { unknown = [] as string[], weight = 20, perMs = 0.05, atOnce = 100 } = {}) {
  let now = 0;
  let isAway = false;
  const asked: { readonly at: number; readonly names: string }[] = [];
  const told: string[] = [];
  const watch = new StatusWatch({
    read: async (wanted) => {
      asked.push({ at: now, names: [...wanted.keys()].join() });
      return isAway ? { kind: 'retry', reason: 'away', afterMs: 0 } : answerOf(wanted, unknown);
    },
    onRead: (wanted) => told.push([...wanted.keys()].join()),
    onFailed: (reason) => told.push(reason),
    timing: STATUS_TIMING,
    atOnce,
    weightOf: () => weight,
    budget: { perMs },
    now: () => now,
    random: () => 0.5,
  });
  const wanted = new Map(names.map((name) => [name, `our ${name}`]));
  watch.begin(wanted, answerOf(wanted, unknown));
  const pass = async (ms: number): Promise<void> => {
    for (const end = now + ms; now < end; now += 100) {
      watch.tick();
      await nextTurn();
    }
  };
  const seen = () => asked.map(({ at, names: of }) => `${at} ${of}`);
  return { watch, asked, told, pass, seen, unknown, setAway: (away: boolean) => (isAway = away) };
}

describe('the status of symbols', () => {
  it('is asked of all that are listed, together, every 10 s', async () => {
    const { pass, seen } = aWorld(['A', 'B']);
    await pass(30_001);
    assert.deepEqual(seen(), ['10000 A,B', '20000 A,B', '30000 A,B']);
  });

  it('is asked at once of one whose data stopped, and not again within 3 s', async () => {
    const { watch, pass, seen } = aWorld(['A', 'B']);
    watch.hurry('B');
    watch.hurry('nobody');
    await pass(1_000);
    watch.hurry('A');
    watch.hurry('B');
    await pass(5_000);
    assert.deepEqual(seen(), ['0 B', '3000 A,B']);
  });

  it('of one that the venue does not know is asked alone, in turns, each half a minute', async () => {
    const { pass, seen } = aWorld(['A', 'X', 'Y'], { unknown: ['X', 'Y'] });
    await pass(95_000);
    assert.deepEqual(
      seen().filter((one) => !one.endsWith('A')),
      ['30000 X', '60000 Y', '90000 X'],
    );
  });

  it('is asked with the others of one that is known by now, and alone of one that is not any more', async () => {
    const { pass, asked, unknown } = aWorld(['A', 'B', 'X'], { unknown: ['X'] });
    unknown[0] = 'B';
    await pass(100_000);
    const names = new Set(asked.map((one) => one.names));
    assert.deepEqual([...names], ['A,B', 'A', 'X', 'A,X', 'B']);
  });

  it('of many is asked in turns, so that each has its own every 10 s, and those in a hurry come between', async () => {
    const { watch, pass, seen } = aWorld(['A', 'B', 'C', 'D', 'E'], { atOnce: 2, perMs: 1 });
    await pass(18_000);
    assert.deepEqual(seen(), ['10000 A,B', '14000 C,D']);
    for (const name of ['A', 'B', 'C']) watch.hurry(name);
    await pass(8_000);
    assert.deepEqual(seen().slice(2), ['18000 A,B', '18100 E,C', '22100 D,A']);
  });

  it('of one in a hurry is asked also where so many are listed that there is always one due', async () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `S${i}`);
    const { watch, pass, asked } = aWorld(names);
    await pass(60_000);
    const before = asked.length;
    watch.hurry('S7');
    await pass(2_100);
    assert.equal(asked[before]?.names, 'S7');
    assert.ok(
      asked.every((one, i) => i === 0 || one.at - asked[i - 1]!.at >= 2_000),
      'a fifth of the budget',
    );
    const times = asked.filter((one) => one.names.split(',').includes('S500')).length;
    assert.ok(times >= 2 && times <= 3, `${times} times in a minute`);
  });

  it('takes a fifth of the budget at most, however small that is and however many hurry', async () => {
    const { watch, pass, asked } = aWorld(['A'], { weight: 20, perMs: 100 / 60_000 });
    for (let i = 0; i < 600; i++) {
      watch.hurry('A');
      await pass(1_000);
    }
    assert.ok(asked.length >= 9 && asked.length <= 10, String(asked.length));
  });

  it('that was not read stays what it was, is told once, and is asked again with growing pauses', async () => {
    const { pass, asked, told, setAway } = aWorld(['A']);
    setAway(true);
    await pass(130_000);
    assert.deepEqual(told, ['away']);
    const gaps = asked.slice(1).map(({ at }, i) => at - (asked[i]?.at ?? 0));
    assert.deepEqual(gaps, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000, 15_000]);
    setAway(false);
    await pass(40_000);
    assert.deepEqual(told.slice(0, 3), ['away', 'A', 'A']);
  });
});
