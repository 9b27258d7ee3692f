import assert from 'node:assert/strict';
import { pino } from 'pino';
import { keepDailyBars } from './daily-bars.ts';
import type { Feed } from './venue/feed.ts';

/** Runs it until `calls` questions were asked; its clock goes `stepMs` on each time that it is looked at; `answer` gives what each brings. */
async function run(
  calls: number,
  answer: (call: number) => readonly (readonly [number, number])[] | undefined,
  { refuse = (): boolean => false, stepMs = 60_000 }: { refuse?: (call: number) => boolean; stepMs?: number } = {},
) {
  const end = new AbortController();
  const asked: { readonly symbol: string; readonly at: number }[] = [];
  const stored: string[] = [];
  let now = 0;
  const feed = {
    dailyCloses: async (symbol: string) => {
      asked.push({ symbol, at: now });
      if (asked.length >= calls) end.abort();
      return answer(asked.length);
    },
  } as unknown as Feed;
  await keepDailyBars({
    feeds: new Map([['venue', feed]]),
    wanted: new Map([['BTC-USD', 'venue'], ['ETH-USD', 'venue']]), // prettier-ignore
    store: async (key, text, seconds) => {
      if (refuse(asked.length)) throw new Error('Redis is away');
      stored.push(`${key} ${text} ${seconds}`);
    },
    now: () => (now += stepMs),
    random: () => 0.5,
    log: pino({ level: 'silent' }),
    signal: end.signal,
    lookEveryMs: 0,
  });
  return { asked, stored };
}

describe('daily closes into Redis', () => {
  it('are stored for each symbol, with the source, and asked for again some hours later', async () => {
    const { asked, stored } = await run(4, () => [[86_400, 5]]);
    assert.equal(stored[0], 'bars.daily:{BTC-USD} {"source":"venue","closes":[[86400,5]]} 345600');
    const [first, , third] = asked;
    assert.deepEqual(asked.slice(0, 2).map(({ symbol }) => symbol), ['BTC-USD', 'ETH-USD']); // prettier-ignore
    assert.ok((third?.at ?? 0) - (first?.at ?? 0) > 5 * 3_600_000);
  });
  it('are asked for again soon where the venue gives none or Redis takes none', async () => {
    const none = await run(8, (call) => (call % 2 === 0 ? undefined : []));
    assert.equal(none.stored.length, 0);
    assert.ok((none.asked.at(-1)?.at ?? Infinity) < 2 * 3_600_000);
    const patient = await run(24, () => undefined, { stepMs: 1_000 });
    const gaps = patient.asked
      .filter(({ symbol }) => symbol === 'BTC-USD')
      .map(({ at }, i, all) => at - (all[i - 1]?.at ?? 0));
    assert.ok((gaps[1] ?? Infinity) < 10_000 && (gaps.at(-1) ?? 0) > 300_000, gaps.join());
    const away = await run(6, () => [[86_400, 5]], { refuse: (call) => call < 3 }); // prettier-ignore
    assert.ok(away.stored.length > 0);
  });
});
