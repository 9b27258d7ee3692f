import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as fc from 'fast-check';
import type { DepthFrame, Snapshot } from './frame.ts';
import { buffered, BUFFER_LIMIT, spliceOnto, verdictOn } from './splice.ts';
import { WAITING, type BookSync } from './sync.ts';

const diff = (firstId: number, lastId: number): DepthFrame => ({
  kind: 'depth',
  symbol: 'BTC-USD',
  firstId,
  lastId,
  bids: [],
  asks: [],
  venueAt: 0,
});
const snapshot = (lastId: number): Snapshot => ({ kind: 'snapshot', symbol: 'BTC-USD', lastId, bids: [], asks: [] });

describe('spliceOnto', () => {
  it('drops what the snapshot has, applies the one that spans it and all that follow (rules 5 to 7)', () => {
    const events = [diff(1, 4), diff(5, 8), diff(9, 12), diff(13, 13)];
    assert.deepEqual(spliceOnto(snapshot(10), events), { kind: 'Joined', events: events.slice(2), lastId: 13 });
  });

  it('joins on exactly where the snapshot ends', () => {
    assert.equal(spliceOnto(snapshot(8), [diff(9, 12)]).kind, 'Joined');
  });

  it('asks again when the snapshot is older than the first event (rule 4)', () => {
    assert.equal(spliceOnto(snapshot(3), [diff(5, 8)]).kind, 'TooOld');
  });

  it('takes a snapshot that is newer than all events', () => {
    assert.deepEqual(spliceOnto(snapshot(99), [diff(5, 8)]), { kind: 'Joined', events: [], lastId: 99 });
  });

  it('finds a gap inside the buffer and keeps what came after it', () => {
    const events = [diff(5, 8), diff(11, 12), diff(13, 14)];
    assert.deepEqual(spliceOnto(snapshot(6), events), { kind: 'Gap', events: events.slice(1) });
  });

  it('never leaves out an update id, whatever the cut of events and snapshot', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), fc.nat(120), (sizes, at) => {
        let next = 1;
        const events = sizes.map((size) => diff(next, (next += size) - 1));
        const splice = spliceOnto(snapshot(at), events);
        assert.ok(splice.kind === 'Joined');
        const covered = new Set(Array.from({ length: at }, (_, i) => i + 1));
        for (const event of splice.events) for (let id = event.firstId; id <= event.lastId; id++) covered.add(id);
        assert.equal(covered.size, Math.max(at, next - 1));
      }),
    );
  });
});

describe('verdictOn', () => {
  it('applies the next and an overlapping event, ignores what is known, calls a hole a gap', () => {
    assert.equal(verdictOn(diff(11, 12), 10), 'Apply');
    assert.equal(verdictOn(diff(9, 12), 10), 'Apply');
    assert.equal(verdictOn(diff(9, 10), 10), 'Stale');
    assert.equal(verdictOn(diff(12, 13), 10), 'Gap');
  });
});

describe('buffered', () => {
  it('keeps the newest events only, so that nothing grows without bound', () => {
    let sync: BookSync = WAITING;
    for (let id = 1; id <= BUFFER_LIMIT + 10; id++) sync = buffered(sync, diff(id, id));
    assert.ok(sync.phase === 'Buffering');
    assert.equal(sync.events.length, BUFFER_LIMIT);
    assert.equal(sync.events.at(-1)?.lastId, BUFFER_LIMIT + 10);
  });
});
