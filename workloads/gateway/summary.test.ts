import assert from 'node:assert/strict';
import { BOOK_FRESH_MS } from '../contract/messages.ts';
import { systemStatus } from './summary.ts';
import { aBook, aHarmoniser, anIngest, NOW, seen } from './test/builders.ts';

describe('the gateway’s summary', () => {
  it('shows what it does not know as null, and trading as Unknown', () => {
    const status = systemStatus(seen([], { document: undefined }));
    assert.equal(status.trading, 'Unknown');
    assert.equal(status.equityUsd, null);
    assert.equal(status.framesPerSecond, null);
    assert.deepEqual(status.symbols.map(({ mid, bookValid }) => [mid, bookValid]), [[null, false], [null, false]]); // prettier-ignore
  });
  it('counts what the one that acts for a shard says, not its standby', () => {
    const standby = aHarmoniser({ positionUsd: 7 }, { equityUsd: 5, replica: 1, lease: { held: false } });
    for (const parts of [
      [standby, aHarmoniser()],
      [aHarmoniser(), standby],
    ]) {
      const status = systemStatus(seen(parts));
      assert.deepEqual([status.equityUsd, status.symbols[0]?.positionUsd], [1e6, 0]);
    }
    assert.equal(systemStatus(seen([standby])).equityUsd, null);
  });
  it('says when a closed market opens, and null of an open one', () => {
    const closed = aHarmoniser({ blockedBy: ['Session'], opensAt: NOW + 60_000 });
    assert.equal(systemStatus(seen([closed])).symbols[0]?.opensAt, NOW + 60_000);
    assert.equal(systemStatus(seen([aHarmoniser()])).symbols[0]?.opensAt, null);
  });
  it('says why a market is halted, and null of one that trades', () => {
    const halted = anIngest({ symbols: { 'BTC-USD': aBook({ valid: false, halted: 'BREAK' }), 'ETH-USD': aBook() } });
    assert.deepEqual(systemStatus(seen([halted])).symbols.map((symbol) => symbol.halted), ['BREAK', null]); // prettier-ignore
    assert.equal(systemStatus(seen([])).symbols[0]?.halted, null);
  });
  it('says how far a book is behind its venue, and null where nobody knows', () => {
    const late = anIngest({ symbols: { 'BTC-USD': aBook({ lagMs: BOOK_FRESH_MS + 1 }), 'ETH-USD': aBook() } });
    assert.deepEqual(systemStatus(seen([late])).symbols.map(({ lagMs }) => lagMs), [BOOK_FRESH_MS + 1, null]); // prettier-ignore
    assert.equal(systemStatus(seen([])).symbols[0]?.lagMs, null);
  });
  it('shows live figures, and never a stale one as live', () => {
    assert.equal(systemStatus(seen([anIngest()])).framesPerSecond, 42);
    assert.equal(systemStatus(seen([anIngest()])).symbols[0]?.mid, 60_000);
    const status = systemStatus(seen([anIngest({ at: NOW - 6_000 })]));
    assert.equal(status.framesPerSecond, null);
    assert.equal(status.symbols[0]?.mid, null);
    assert.deepEqual(status.parts.map(({ ageMs }) => ageMs), [6_000]); // prettier-ignore
  });
});
