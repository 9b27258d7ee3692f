import assert from 'node:assert/strict';
import { EXCHANGE_INFO } from '../../test/listings.ts';
import { readFilters } from './filters.ts';
import type { Answer } from '../http.ts';

interface Entry {
  readonly symbol: string;
  readonly status: string;
}
const ENTRIES = (JSON.parse(EXCHANGE_INFO) as { symbols: Entry[] }).symbols;

/** Binance: the whole request is refused for one symbol that it does not know. */
function aVenue(entries: readonly Entry[] = ENTRIES) {
  const asked: string[][] = [];
  const ask = async (path: string): Promise<Answer> => {
    const names = JSON.parse(new URL(path, 'http://v').searchParams.get('symbols') ?? '') as string[];
    asked.push(names);
    const symbols = entries.filter(({ symbol }) => names.includes(symbol));
    return symbols.length === names.length
      ? { kind: 'text', text: JSON.stringify({ symbols }) }
      : { kind: 'refused', text: '{"code":-1121,"msg":"Invalid symbol."}' };
  };
  return { ask, asked };
}
const wanted = (...names: string[]) => new Map(names.map((name) => [name, `our ${name}`]));

describe('filters of Binance', () => {
  it('are asked for all at once', async () => {
    const { ask, asked } = aVenue();
    const filters = await readFilters(wanted('BTCUSDT', 'ETHUSDT'), ask);
    assert.ok(filters.kind === 'filters');
    assert.deepEqual([[...filters.listings.keys()], asked.length], [['BTCUSDT', 'ETHUSDT'], 1]);
  });
  it('come one by one where a symbol is not known, and only that one is refused', async () => {
    const { ask } = aVenue();
    const filters = await readFilters(wanted('BTCUSDT', 'NOPE', 'ETHUSDT'), ask);
    assert.ok(filters.kind === 'filters');
    assert.deepEqual([...filters.listings.keys()], ['BTCUSDT', 'ETHUSDT']);
    assert.deepEqual([...filters.refused], [['NOPE', 'NOPE is not known to the venue']]);
  });
  it('of a symbol that is not trading are read, with its status, all at once or one by one', async () => {
    const { ask } = aVenue(ENTRIES.map((one, i) => (i === 0 ? { ...one, status: 'BREAK' } : one)));
    for (const names of [
      ['BTCUSDT', 'ETHUSDT'],
      ['BTCUSDT', 'NOPE', 'ETHUSDT'],
    ]) {
      // prettier-ignore
      const filters = await readFilters(wanted(...names), ask);
      assert.ok(filters.kind === 'filters');
      assert.deepEqual([...filters.listings.keys()], ['BTCUSDT', 'ETHUSDT']);
      assert.deepEqual([...filters.halted], [['BTCUSDT', 'BREAK']]);
    }
  });
  it('of a symbol that is not for spot trading say so', async () => {
    const { ask } = aVenue(ENTRIES.map((one) => ({ ...one, isSpotTradingAllowed: one.symbol === 'BTCUSDT' })));
    const filters = await readFilters(wanted('BTCUSDT', 'ETHUSDT'), ask);
    assert.deepEqual(filters.kind === 'filters' && [...filters.halted], [['ETHUSDT', 'not for spot trading']]);
  });
  it('of a symbol without a status, or with one that is not known, say that it is halted', async () => {
    for (const [status, word] of [
      [undefined, 'nothing'],
      [7, '7'],
      ['trading', 'trading'],
    ] as const) {
      // prettier-ignore
      const { ask } = aVenue(ENTRIES.map((one, i) => (i === 0 ? { ...one, status: status as never } : one)));
      const filters = await readFilters(wanted('BTCUSDT'), ask);
      assert.deepEqual(filters.kind === 'filters' && [...filters.halted.values()], [word]);
    }
  });
  it('are tried again, all of them, where an answer fails half-way or makes no sense', async () => {
    const { ask } = aVenue();
    let answers = 0;
    const failing = await readFilters(wanted('BTCUSDT', 'NOPE'), (path) =>
      (answers += 1) < 3 ? ask(path) : Promise.resolve({ kind: 'retry', reason: 'status 429', afterMs: 7_000 }),
    );
    assert.deepEqual(failing, { kind: 'retry', reason: 'status 429', afterMs: 7_000 });
    const odd = await readFilters(wanted('BTCUSDT'), () => Promise.resolve({ kind: 'refused', text: '<html>' }));
    assert.equal(odd.kind, 'retry');
  });
});
