// Daily closes from the venues into Redis, for the warm start of volatilities: at the start, then some times a day. Started by
// main.ts beside the feeds; nothing depends on it.
import { setTimeout as delay } from 'node:timers/promises';
import type { DailyBars } from '../contract/bars.ts';
import { BARS_TTL_SECONDS, dailyBarsKey } from '../contract/keys.ts';
import type { Logger } from '../kit/log.ts';
import type { Feed } from './venue/feed.ts';
import { backoffMs } from './venue/limits.ts';

const LOOK_EVERY_MS = 1_000;
/** A day that has closed is there within this. */
const AGAIN_MS = 6 * 3_600_000;
const RETRY = { firstMs: 2_000, ceilingMs: 600_000 };

export interface DailyBarsOptions {
  readonly feeds: ReadonlyMap<string, Feed>;
  /** Our symbol → source. */
  readonly wanted: ReadonlyMap<string, string>;
  /** Puts a text under a key for so many seconds. Rejects while Redis is away. */
  readonly store: (key: string, text: string, seconds: number) => Promise<unknown>;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Between two looks at what is due. */
  readonly lookEveryMs?: number;
}

/** Until the signal aborts; never rejects. One request at a time. */
export async function keepDailyBars(options: DailyBarsOptions): Promise<void> {
  const { wanted, now, random, signal, lookEveryMs = LOOK_EVERY_MS } = options;
  const due = new Map([...wanted.keys()].map((symbol) => [symbol, { at: 0, failures: 0 }]));
  while (!signal.aborted) {
    for (const [symbol, of] of due) {
      if (signal.aborted || now() < of.at) continue;
      const isKept = await keep(options, symbol);
      of.failures = isKept ? 0 : of.failures + 1;
      of.at = now() + (isKept ? AGAIN_MS * (1 - random() / 4) : backoffMs(of.failures, random(), RETRY));
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

async function keep({ feeds, wanted, store, log }: DailyBarsOptions, symbol: string): Promise<boolean> {
  const source = wanted.get(symbol) ?? '';
  try {
    const closes = await feeds.get(source)?.dailyCloses(symbol);
    if (closes === undefined || closes.length === 0) return false;
    const bars: DailyBars = { source, closes };
    await store(dailyBarsKey(symbol), JSON.stringify(bars), BARS_TTL_SECONDS);
    log.info({ symbol, source, days: closes.length }, 'daily closes stored');
    return true;
  } catch (error) {
    log.warn({ symbol, source, error }, 'daily closes not stored, trying again');
    return false;
  }
}
