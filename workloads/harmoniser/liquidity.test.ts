import assert from 'node:assert/strict';
import type { Features } from '../contract/messages.ts';
import { illiquidity, newLiquidity, takeMarket, type Liquidity, type LiquidityRules } from './liquidity.ts';
import { compilePolicy } from './policy.ts';
import { aDocument, aSignal, CONFIG, rulesWith } from './test/builders.ts';
import { Desk, orders } from './test/desk.ts';

const RULES: LiquidityRules = { marketHoursOnly: false, maxSpreadBps: 5, minVolumeUsd: 0 };
const codes = (liquidity: Liquidity, rules: LiquidityRules, now: number): string[] =>
  Object.keys(illiquidity(liquidity, rules, now) ?? {});

/** A market that is looked at each 5 s from 0; `at` gives what it shows. */
function watched(seconds: number, at: (second: number) => Partial<Features>, rules = RULES): Liquidity {
  const liquidity = newLiquidity();
  const { features } = aSignal({ t: 0 });
  for (let second = 0; second <= seconds; second += 5)
    takeMarket(liquidity, { ...features, trades: second + 1, spreadBps: 1, ...at(second) }, rules, second * 1_000);
  return liquidity;
}

describe('liquidity', () => {
  it('is there while there are trades and the spread is narrow', () => {
    assert.equal(
      illiquidity(
        watched(600, () => ({})),
        RULES,
        600_000,
      ),
      undefined,
    );
  });
  it('is gone after 60 s without a trade, and back with the next', () => {
    const quiet = (second: number) => ({ trades: Math.min(second, 100) + (second >= 200 ? 1 : 0) + 1 });
    assert.deepEqual(codes(watched(155, quiet), RULES, 159_999), []);
    assert.deepEqual(codes(watched(155, quiet), RULES, 160_000), ['quietMs', 'quietLimitMs']);
    assert.deepEqual(codes(watched(200, quiet), RULES, 200_000), []);
  });
  it('is not judged by trades where the source shows none, unless the market has hours', () => {
    const none = watched(300, () => ({ trades: 0 }));
    assert.deepEqual(codes(none, RULES, 300_000), []);
    assert.deepEqual(codes(none, { ...RULES, marketHoursOnly: true }, 300_000), ['quietMs', 'quietLimitMs']);
  });
  it('is gone when the spread was too wide for 30 s, but not by a moment', () => {
    const wide = (from: number, to: number) => (second: number) => ({
      spreadBps: second >= from && second < to ? 6 : 5,
    });
    assert.deepEqual(codes(watched(35, wide(10, 100)), RULES, 39_999), []);
    assert.deepEqual(codes(watched(40, wide(10, 100)), RULES, 40_000), ['wideMs', 'wideLimitMs']);
    assert.deepEqual(codes(watched(45, wide(10, 40)), RULES, 45_000), []);
    const invalid = watched(60, (second) => ({ spreadBps: second >= 10 ? 6 : 1, valid: second < 20 }));
    assert.deepEqual(codes(invalid, RULES, 60_000), ['wideMs', 'wideLimitMs'], 'an invalid book does not narrow it');
  });
  it('wants the volume of the last 5 min, and only what it has seen counts', () => {
    const rules = { ...RULES, minVolumeUsd: 60_000 };
    // .1 BTC at 60,000 each 30 s up to 300 s: 6,000 each time.
    const volume = (second: number) => ({ tradedLots: 10_000 * Math.floor(Math.min(second, 300) / 30) });
    assert.deepEqual(codes(watched(295, volume), rules, 295_000), ['volumeUsd', 'minVolumeUsd']);
    assert.deepEqual(codes(watched(300, volume), rules, 300_000), []);
    assert.deepEqual(codes(watched(330, volume), rules, 330_000), ['volumeUsd', 'minVolumeUsd']);
    const pause = (second: number) => ({ tradedLots: second < 700 ? 100_000 : 200_000 });
    const after = watched(700, (second) => (second <= 5 ? volume(30 * second) : pause(second)));
    assert.deepEqual(illiquidity(after, { ...rules, minVolumeUsd: 60_001 }, 700_000), {
      volumeUsd: 60_000,
      minVolumeUsd: 60_001,
    });
  });
  it('counts nothing from one boot of ingest to the next', () => {
    const rules = { ...RULES, minVolumeUsd: 1 };
    const restarted = watched(20, (second) => ({
      bootId: second < 10 ? 'a' : 'b',
      tradedLots: second < 10 ? 0 : 5_000,
    }));
    assert.deepEqual(codes(restarted, rules, 20_000), ['volumeUsd', 'minVolumeUsd']);
  });
});

describe('market hours', () => {
  type Session = Parameters<typeof rulesWith>[0];
  const NOON = Date.parse('2023-11-15T17:00Z'); // in New York, a Wednesday
  const NIGHT = NOON + 12 * 3_600_000;
  const deskOf = (session: Session, assetClass: string, now = NOON): Desk => {
    const symbols = CONFIG.symbols.map((symbol) => ({ ...symbol, assetClass }));
    const document = aDocument({ rules: { revision: 'r', rules: rulesWith(session) } });
    return Object.assign(new Desk(), { now }).open({}, compilePolicy(document, { ...CONFIG, symbols }, 0));
  };
  const STOCKS: Session = { marketHoursOnly: true, calendar: 'XNYS' };
  const MOURNING = ['2023-11-15'];
  const table: readonly (readonly [Session, string, number, readonly string[]])[] = [
    [{ marketHoursOnly: false }, 'crypto', NIGHT, []],
    [{ marketHoursOnly: false }, 'stocks', NIGHT, []],
    [{ marketHoursOnly: true }, 'crypto', NIGHT, []],
    [{ marketHoursOnly: true }, 'forex', NIGHT, []],
    [{ marketHoursOnly: true }, 'forex', NIGHT + 3 * 86_400_000, ['Session']],
    [{ marketHoursOnly: true }, 'stocks', NOON, ['Session']],
    [STOCKS, 'stocks', NOON, []],
    [STOCKS, 'stocks', NIGHT, ['Session']],
    [STOCKS, 'crypto', NIGHT, ['Session']],
    [{ ...STOCKS, closedDates: MOURNING }, 'stocks', NOON, ['Session']],
    [{ marketHoursOnly: true, closedDates: MOURNING }, 'crypto', NOON, ['Session']],
    [{ ...STOCKS, marketHoursOnly: false, closedDates: MOURNING }, 'stocks', NOON, []],
  ];
  for (const [session, assetClass, now, stops] of table)
    it(`${JSON.stringify(session)} on ${assetClass} at ${new Date(now).toISOString()} stops by ${JSON.stringify(stops)}`, () => {
      const desk = deskOf(session, assetClass, now);
      assert.equal(orders(desk.signal()).length, stops.length === 0 ? 1 : 0);
      assert.deepEqual(desk.blocked(), stops);
    });
  it('end for openings while the desk trades; reductions go on', () => {
    const desk = deskOf(STOCKS, 'stocks', Date.parse('2023-11-15T20:54:59Z'));
    desk.fill(orders(desk.signal())[0]!);
    desk.now += 2_000;
    const [order] = orders(desk.signal({ edges: [{ edgeBps: -60, confidence: 1 }] }));
    assert.equal(order?.side, 'sell');
    assert.deepEqual(desk.blocked(), ['Session']);
  });
  it('let nothing be opened in a market that has gone quiet, and reductions go on', () => {
    const desk = deskOf({ marketHoursOnly: false, maxSpreadBps: 1 }, 'crypto');
    desk.fill(orders(desk.signal())[0]!);
    for (let i = 0; i < 125; i++) {
      desk.now += 250;
      desk.signal({ edges: [], features: { spreadBps: 2 } });
    }
    assert.deepEqual(desk.blocked(), ['Liquidity']);
    desk.now += 250;
    const [order] = orders(desk.signal({ edges: [{ edgeBps: -60, confidence: 1 }], features: { spreadBps: 2 } }));
    assert.equal(order?.side, 'sell');
  });
});
