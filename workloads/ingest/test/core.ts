// Ingest's core with one live book and a tick every 10 ms, without feeds: what a paper venue needs.
import assert from 'node:assert/strict';
import { monotonicNow } from '../../kit/clock.ts';
import type { PaperAnswer } from '../paper/venue.ts';
import { newShard, step, type Event } from '../step.ts';
import { depth, liveBook } from './frames.ts';
import { btcListing } from './listings.ts';

/** `bid` and `ask` are ticks and lots of BTC's best levels; filled up again at each tick where `refilled`. */
export function aCore({ bid = [6_000_000, 900_000], ask = [6_000_100, 900_000], refilled = false } = {}) {
  const shard = newShard('b');
  let listener: (answer: PaperAnswer) => void = () => undefined;
  const emit = (event: Event): void => {
    for (const output of step(shard, event)) if (output.kind === 'answer') listener(output.answer);
  };
  const link = { source: 's', up: true, heardAt: 0 };
  emit({ kind: 'listed', listing: btcListing, link, t: monotonicNow() });
  for (const event of liveBook(monotonicNow(), bid, ask)) emit(event);
  let updateId = 10;
  const ticking = setInterval(() => {
    emit({ kind: 'heard', link, t: monotonicNow() });
    if (refilled) {
      updateId += 1;
      emit({ kind: 'frame', frame: depth(updateId, updateId, bid, ask), t: monotonicNow() });
    }
    emit({ kind: 'tick', t: monotonicNow() });
  }, 10);
  return {
    shard,
    emit,
    onAnswer: (next: typeof listener) => (listener = next),
    status: () => assert.fail('not asked here'),
    stop: () => clearInterval(ticking),
  };
}
