import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { normalQuantile } from '../kit/math.ts';
import { normalFrom, randomFrom } from '../simulator/random.ts';
import {
  seededVolatility,
  sigmaDay,
  sigmaOfCloses,
  takeGridPoint,
  volatilityRules,
  type Volatility,
} from './volatility.ts';

const RULES = volatilityRules({ lambda: 0.94, fastHalfLifeSeconds: 3_600, floorPctPerDay: 2, capPctPerDay: 15 });
const seeded = (sigma = 0.03): Volatility => seededVolatility(sigma, 'ClassDefault', 0);

/** Mids once a second, of σ per day. */
function path(seconds: number, sigma: number, seed: number): number[] {
  const normal = normalFrom(randomFrom(seed));
  let mid = 60_000;
  return Array.from({ length: seconds }, () => (mid *= 1 + normal() * sigma * Math.sqrt(1 / 86_400)));
}

function sigmaOf(mids: readonly number[], phase: number): number {
  const volatility = seeded();
  for (let s = phase, index = 0; s < mids.length; s += 5, index++) takeGridPoint(volatility, index, mids[s]!, RULES);
  return sigmaDay(volatility, RULES);
}

const DAY = 86_400;
const NOW = 20_000 * DAY * 1_000;
/** `count` closes of days up to yesterday, each `move` of the one before in turn up and down. */
const closesOf = (count: number, move: number, lastDay = 19_999): [number, number][] =>
  Array.from({ length: count }, (_, i) => [(lastDay - count + 1 + i) * DAY, 100 * (i % 2 === 0 ? 1 : 1 + move)]);

describe('a volatility from daily closes', () => {
  it('is that of the days, the newest weighing most', () => {
    const calm = sigmaOfCloses(closesOf(100, 0.02), 0.94, NOW) ?? 0;
    assert.ok(Math.abs(calm / 0.0198 - 1) < 0.01, String(calm));
    const [first, ...rest] = closesOf(100, 0.02);
    const early = sigmaOfCloses([[first![0], first![1] * 2], ...rest], 0.94, NOW) ?? 0;
    const last = closesOf(100, 0.02);
    last[99] = [last[99]![0], last[99]![1] * 2];
    assert.ok(early < 1.2 * calm);
    assert.ok((sigmaOfCloses(last, 0.94, NOW) ?? 0) > 5 * calm);
  });
  it('spreads a return over the days that are missing', () => {
    const holes = closesOf(120, 0.02).filter((_, i) => i % 4 !== 1);
    const sigma = sigmaOfCloses(holes, 0.94, NOW) ?? 0;
    assert.ok(sigma < 0.0198 && sigma > 0.008, String(sigma));
    assert.ok(Math.abs((sigmaOfCloses([[0, 100], [4 * DAY, 104], ...Array.from({ length: 60 }, (_, i): [number, number] => [(5 + i) * DAY, 104])], 1 - 1e-9, 65 * DAY * 1_000) ?? 0) - Math.sqrt(0.0016 / 64)) < 1e-6); // prettier-ignore
  });
  it('is none from fewer than 60 days, from old ones, and where nothing moved', () => {
    assert.equal(sigmaOfCloses(closesOf(59, 0.02), 0.94, NOW), undefined);
    assert.ok(sigmaOfCloses(closesOf(60, 0.02), 0.94, NOW) !== undefined);
    assert.ok(sigmaOfCloses(closesOf(90, 0.02, 19_996), 0.94, NOW) !== undefined, 'ended 3 days ago');
    assert.equal(sigmaOfCloses(closesOf(90, 0.02, 19_995), 0.94, NOW), undefined);
    assert.equal(sigmaOfCloses(closesOf(90, 0), 0.94, NOW), undefined);
    assert.equal(sigmaOfCloses([], 0.94, NOW), undefined);
  });
});

describe('volatility', () => {
  it('weighs one step of a day as 17,280 steps of 5 s', () => {
    const once = seeded();
    takeGridPoint(once, 0, 100, RULES);
    takeGridPoint(once, 17_280, 105, RULES);
    const often = seeded();
    const move = 0.05 / Math.sqrt(17_280);
    for (let i = 0; i <= 17_280; i++) takeGridPoint(often, i, i % 2 === 0 ? 100 : 100 * (1 + move), RULES);
    assert.ok(Math.abs(once.slowVariance - (0.94 * 0.0009 + 0.06 * 0.0025)) < 1e-12);
    assert.ok(Math.abs(often.slowVariance / once.slowVariance - 1) < 2e-4);
  });

  it('finds the volatility of a day, on every phase of the grid within 5 %', () => {
    const mids = path(43_200, 0.045, 1);
    const found = [0, 1, 2, 3, 4].map((phase) => sigmaOf(mids, phase));
    for (const sigma of found) {
      assert.ok(Math.abs(sigma / found[0]! - 1) < 0.05, `${sigma} against ${found[0]}`);
      assert.ok(Math.abs(sigma / 0.045 - 1) < 0.1, `${sigma}`);
    }
  });

  it('reads the same where points without a change are missing', () => {
    const all = seeded();
    const some = seeded();
    for (let i = 0; i < 600; i++) {
      const mid = 100 + Math.floor(i / 3) * 0.01 * (i % 2 === 0 ? 1 : -1);
      takeGridPoint(all, i, mid, RULES);
    }
    // The same mids, of which only the ones at changes arrive.
    let last = 0;
    for (let i = 0; i < 600; i++) {
      const mid = 100 + Math.floor(i / 3) * 0.01 * (i % 2 === 0 ? 1 : -1);
      if (mid !== last) takeGridPoint(some, i, mid, RULES);
      last = mid;
    }
    assert.ok(Math.abs(sigmaDay(some, RULES) / sigmaDay(all, RULES) - 1) < 0.01);
  });

  it('hardly sees a bounce of ±1 spread, in turn or at random', () => {
    const SPREAD = 0.00002; // .2 bps, as on the planted market
    const mids = path(7_200, 0.03, 2);
    const random = randomFrom(4);
    for (const sign of [(i: number) => (i % 2 === 0 ? 1 : -1), () => (random() < 0.5 ? 1 : -1)]) {
      const bounced = mids.map((mid, i) => mid * (1 + sign(i) * SPREAD));
      const share = sigmaOf(bounced, 0) / sigmaOf(mids, 0);
      assert.ok(Math.abs(share - 1) < 0.1 && share !== 1, `${share}`);
    }
  });

  it('keeps within floor, cap and four times the slow clock', () => {
    const calm = seeded(0.0001);
    assert.equal(sigmaDay(calm, RULES), 0.02);
    assert.equal(sigmaDay(seeded(0.5), RULES), 0.15);
    const spiked = seeded(0.03);
    spiked.fastVariance = 1;
    assert.equal(sigmaDay(spiked, RULES), 0.12);
  });

  it('needs more than one jump to open the breaker', () => {
    const volatility = seeded(0.0314);
    takeGridPoint(volatility, 0, 60_000, RULES);
    takeGridPoint(volatility, 1, 60_000 * 1.0056, RULES);
    assert.ok(sigmaDay(volatility, RULES) < 0.0314 * 1.1);
  });

  it('takes no point twice, nor an older one', () => {
    const volatility = seeded();
    takeGridPoint(volatility, 5, 100, RULES);
    assert.equal(takeGridPoint(volatility, 5, 200, RULES), 0);
    assert.equal(takeGridPoint(volatility, 4, 200, RULES), 0);
    assert.deepEqual(volatility.last, { index: 5, mid: 100 });
    assert.ok(Math.abs(takeGridPoint(volatility, 9, 101, RULES) - 0.005) < 1e-15);
  });
});

const BARS = new URL('../../../shared/recordings/coinbase-btcusd-daily-2014-2018.csv.gz', import.meta.url);

describe('volatility on daily bars', function () {
  before(function () {
    if (!existsSync(BARS)) this.skip();
  });

  it('is exceeded as often as an independent count says', () => {
    const rows = gunzipSync(readFileSync(BARS)).toString().trim().split('\n');
    const closes = rows.map((row) => Number(row.split(',')[4]));
    assert.deepEqual(exceedances(closes), { long95: 54, short95: 75, long99: 22, short99: 34 });
  });
});

/** λ .94, warm-up over 60 returns; a hit is a simple return beyond ∓z·σ. */
function exceedances(closes: readonly number[]): Record<string, number> {
  const simple = closes.slice(1).map((close, i) => close / closes[i]! - 1);
  const warm = simple.slice(0, 60).reduce((sum, r) => sum + Math.log(1 + r) ** 2, 0) / 60;
  const volatility = seededVolatility(Math.sqrt(warm), 'ClassDefault', 0);
  const count = { long95: 0, short95: 0, long99: 0, short99: 0 };
  simple.slice(60).forEach((r, day) => {
    const sigma = Math.sqrt(volatility.slowVariance);
    if (r < -normalQuantile(0.95) * sigma) count.long95++;
    if (r > normalQuantile(0.95) * sigma) count.short95++;
    if (r < -normalQuantile(0.99) * sigma) count.long99++;
    if (r > normalQuantile(0.99) * sigma) count.short99++;
    if (day === 0) takeGridPoint(volatility, 0, 1, RULES);
    const log = Math.log(1 + r); // the desk's grid of 5 s needs no log; a day's bar does
    takeGridPoint(volatility, (day + 1) * 17_280, (volatility.last?.mid ?? 1) * (1 + log), RULES);
  });
  return count;
}
