// Recordings of Binance spot: a gzip of lines `<receive time, ns> <frame>`: combined-stream frames, and one REST depth snapshot.
import type { Recording, RecordedEvent } from './recording.ts';
import { instrumentOf, type Depth, type MarketEvent } from './player.ts';

// 1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT",…}}
const FRAME = /^(\d+) \{"stream":"[^"@]+@([^"]+)","data":(.*)\}$/;
// 1723161254206652067 {"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],…],"asks":[…]}
const SNAPSHOT = /^\d+ (\{"lastUpdateId":.*\})$/;

/** `lines` of the file at `path`; throws an Error that names file and line of what it cannot read. */
export function readBinanceRecording(symbol: string, path: string, lines: readonly string[]): Recording {
  const events: RecordedEvent[] = [];
  let snapshot: Depth | undefined;
  let first: bigint | undefined;
  for (const [i, line] of lines.entries()) {
    if (line === '') continue;
    const frame = FRAME.exec(line);
    if (frame === null) {
      const found = SNAPSHOT.exec(line)?.[1];
      if (found === undefined)
        throw new Error(`${path}:${i + 1}: expected a frame or a snapshot, found ${line.slice(0, 60)}`);
      snapshot ??= JSON.parse(found) as Depth;
      continue;
    }
    const [, time = '0', stream = '', raw = ''] = frame;
    first ??= BigInt(time);
    events.push({
      after: Number(BigInt(time) - first) / 1e6,
      event: eventOf(stream, { symbol, at: Number(time) / 1e6, raw }),
    });
  }
  if (snapshot === undefined) throw new Error(`${path}: found no depth snapshot, expected one`);
  return { symbol, events, snapshot, filters: instrumentOf(symbol), lastTradeId: 0 };
}

type Levels = [string, string][];

function eventOf(stream: string, about: { symbol: string; at: number; raw: string }): MarketEvent {
  const data = JSON.parse(about.raw) as Record<string, unknown>;
  switch (stream) {
    case 'trade': {
      const { t, p, q, m } = data as { t: number; p: string; q: string; m: boolean };
      return { ...about, kind: 'trade', tradeId: t, price: p, size: q, sellerTook: m };
    }
    case 'bookTicker': {
      const { u, b, B, a, A } = data as { u: number; b: string; B: string; a: string; A: string };
      return { ...about, kind: 'best', updateId: u, bid: [b, B], ask: [a, A] };
    }
    default: {
      const { U, u, b, a } = data as { U: number; u: number; b: Levels; a: Levels };
      return { ...about, kind: 'depth', firstId: U, lastId: u, bids: b, asks: a };
    }
  }
}
