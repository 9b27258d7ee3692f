// Ingest against the simulator, over real sockets: the synthetic market, its faults, and recordings of the real venue.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readRecording } from '../../simulator/recording.ts';
import { topLevels, type Book } from '../book.ts';
import { areValid, gapsOf, start, stop, SYMBOLS, until, type Running } from './running.ts';

const RECORDINGS =
  process.env['RECORDINGS'] || join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'recordings');
const FILES = { BTCUSDT: 'binance-spot-btcusdt-20240808.gz', ETHUSDT: 'binance-spot-ethusdt-20240808.gz' };
describe('ingest on the synthetic market', () => {
  let running: Running;
  before(async () => {
    running = await start({
      market: { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 },
    });
    await until('valid books', () => areValid(running));
  });
  after(() => stop(running));

  it('has valid books whose numbers are the market’s, and no gap', async () => {
    await until('some features', () => running.features.length > 40);
    const { features } = running;
    const btc = features.findLast(({ symbol }) => symbol === 'BTC-USD');
    assert.ok(btc !== undefined && btc.valid && btc.spreadBps > 0.1 && btc.spreadBps < 0.5, JSON.stringify(btc));
    assert.ok(Math.abs(btc.mid / 61_800 - 1) < 0.05);
    assert.ok(Math.abs(btc.pressure) <= 0.91);
    assert.equal(gapsOf(running), 0);
  });
  it('emits at most 20 a second and symbol, and each newer than the last', async () => {
    const from = running.features.length;
    await delay(2_000);
    const ofBtc = () => running.features.slice(from).filter(({ symbol }) => symbol === 'BTC-USD');
    await until('some', () => ofBtc().length >= 10);
    const later = ofBtc();
    const lastedMs = later.at(-1)!.t - later[0]!.t;
    assert.ok(later.length <= 2 + (20 * lastedMs) / 1_000, `${later.length} in ${lastedMs} ms`);
    later.slice(1).forEach((one, i) => assert.ok(one.seq > later[i]!.seq && one.frames >= later[i]!.frames));
  });
  it('reconnects by itself when the venue cuts it, and trusts no book meanwhile', async () => {
    running.simulator.strike('binance', { fault: 'cut' });
    await until('books not valid', () => !areValid(running));
    await until('valid again', () => areValid(running));
    assert.equal(gapsOf(running), 0);
  });
});

describe('ingest on the recordings of Binance', () => {
  it('reads every frame of both, finds no gap that they do not have, and ends with the book of an independent replay', async function () {
    if (!existsSync(RECORDINGS)) return this.skip();
    const dir = mkdtempSync(join(tmpdir(), 'recordings-'));
    mkdirSync(join(dir, 'binance'));
    for (const file of Object.values(FILES)) symlinkSync(join(RECORDINGS, file), join(dir, 'binance', file));
    const recordings = Object.entries(FILES).map(([symbol, file]) =>
      readRecording('binance', symbol, join(RECORDINGS, file)),
    );
    const expected = recordings.reduce((sum, { events }) => sum + events.length, 0);
    const running = await start(
      { recording: { claimName: 'recordings', files: FILES, speed: 0, loop: false } },
      { recordingsDir: dir },
    );
    try {
      await until('every frame', () => running.ingest.status().framesTotal >= expected, 200_000);
      await until('valid books', () => areValid(running));
      assert.equal(running.ingest.status().framesTotal, expected);
      assert.equal(running.simulator.stats()['binance']?.frames, expected);
      assert.ok(
        running.features.every((features) => !('lagMs' in features)),
        'its times are of the past',
      );
      assert.equal(running.ingest.status().sources[0]?.lagMs, undefined);
      assert.equal(
        gapsOf(running),
        recordings.reduce((sum, { events }) => sum + holesIn(events), 0),
      );
      for (const [name, symbol] of Object.entries(SYMBOLS)) {
        const recording = recordings.find((one) => one.symbol === symbol)!;
        const market = running.ingest.shard.markets.get(name)!;
        const scales = market.listing.instrument;
        assert.deepEqual(levelsOf(market.book), replay(recording, scales), symbol);
      }
    } finally {
      await stop(running);
      rmSync(dir, { recursive: true });
    }
    return undefined;
  });
});

type Events = ReturnType<typeof readRecording>['events'];

/** Update ids and trade ids that the recording itself left out. */
function holesIn(events: Events): number {
  let holes = 0;
  let [updateId, tradeId] = [0, 0];
  for (const {
    event: { kind, raw = '' },
  } of events) {
    const event = JSON.parse(raw) as { U: number; u: number; t: number };
    if (kind === 'depth') {
      if (updateId > 0 && event.U > updateId + 1) holes++;
      updateId = event.u;
    } else if (kind === 'trade') {
      if (tradeId > 0 && event.t > tradeId + 1) holes++;
      tradeId = event.t;
    }
  }
  return holes;
}

/** Levels that both a snapshot of 1,000 and any later one reach. */
const COMPARED = 400;
interface Scales {
  readonly priceScale: number;
  readonly quantityScale: number;
}

/** The book by Binance's rules and nothing of ours: the recorded snapshot and every later update, as decimal texts. */
function replay({ snapshot, events }: ReturnType<typeof readRecording>, { priceScale, quantityScale }: Scales) {
  const sides = { b: new Map(snapshot.bids), a: new Map(snapshot.asks) };
  for (const {
    event: { kind, raw = '' },
  } of events) {
    if (kind !== 'depth') continue;
    const event = JSON.parse(raw) as { u: number; b: [string, string][]; a: [string, string][] };
    if (event.u <= snapshot.lastUpdateId) continue;
    for (const side of ['b', 'a'] as const) {
      for (const [price, size] of event[side]) sides[side].set(price, size);
    }
  }
  const levels = (side: Map<string, string>, sign: number): number[][] =>
    [...side]
      .map(([price, size]) => [Math.round(Number(price) * priceScale), Math.floor(Number(size) * quantityScale + 1e-6)])
      .filter(([, lots]) => lots! > 0)
      .sort(([x], [y]) => sign * (x! - y!))
      .slice(0, COMPARED);
  return { bids: levels(sides.b, -1), asks: levels(sides.a, 1) };
}

function levelsOf(book: Book) {
  const pairs = (flat: number[]): number[][] =>
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
  return { bids: pairs(topLevels(book.bids, COMPARED)), asks: pairs(topLevels(book.asks, COMPARED)) };
}
