// A venue whose clock is not ours: told, and of no consequence to books.
import assert from 'node:assert/strict';
import type { Event } from '../step.ts';
import { openBinanceFeed } from '../venue/binance/feed.ts';
import { areValid, MARKET, start, stop, until } from './running.ts';

const AHEAD_MS = 1_272;

const shifted = (event: Event): Event =>
  event.kind === 'frame' && 'venueAt' in event.frame && typeof event.frame.venueAt === 'number'
    ? { ...event, frame: { ...event.frame, venueAt: event.frame.venueAt + AHEAD_MS } }
    : event;

describe('a clock that is behind the venue’s', () => {
  it('is seen in status and metrics, and trades and books go on', async () => {
    const running = await start(MARKET, {
      openFeed: (_, options) => openBinanceFeed({ ...options, emit: (event) => options.emit(shifted(event)) }),
    });
    const skew = (): number | undefined => running.ingest.status().sources[0]?.clockSkewMs;
    try {
      await until('a trade of each', () => running.features.filter(({ trades }) => trades > 0).length >= 2);
      // Of the first messages, one that was not held up.
      await until('the skew', () => (skew() ?? 0) >= -AHEAD_MS && (skew() ?? 0) < -AHEAD_MS + 200);
      const metric = /^tradewind_clock_skew_seconds\{source="binance"\} (\S+)$/m.exec(await running.registry.metrics());
      assert.ok(Math.abs(Number(metric?.[1]) + AHEAD_MS / 1_000) < 0.2, metric?.[0]);
      await until('valid books', () => areValid(running));
    } finally {
      await stop(running);
    }
  });
});
