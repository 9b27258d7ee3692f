// Recordings of Coinbase Exchange: a gzip of lines `<receive time, s>: <frame>` of many products; lines that begin with `wss:`
// say what the client sent.
import type { Filters, MarketEvent } from './player.ts';
import type { Recording, RecordedEvent } from './recording.ts';

// 1618677847.8464699: {"type":"l2update","product_id":"SKL-GBP","changes":[["sell","0.5767","0.0"]],"time":"…"}
const LINE = /^(\d+\.\d+): (\{.*\})$/;

type Levels = [string, string][];
interface Snapshot {
  readonly bids: Levels;
  readonly asks: Levels;
}

/** What of `lines` is of this product; throws an Error that names file and line of what it cannot read. */
export function readCoinbaseRecording(symbol: string, path: string, lines: readonly string[]): Recording {
  const events: RecordedEvent[] = [];
  let snapshot: Snapshot | undefined;
  let lastTradeId = 0;
  let first: number | undefined;
  for (const { at, raw } of framesIn(path, lines)) {
    first ??= at;
    if (!raw.includes(`"product_id":"${symbol}"`)) continue;
    const data = JSON.parse(raw) as Frame;
    if (data.type === 'snapshot') snapshot ??= data as unknown as Snapshot;
    if (data.type === 'last_match') lastTradeId ||= data.trade_id;
    const event = eventOf(data, { symbol, at, raw }, events.length + 1);
    if (event !== undefined) events.push({ after: at - first, event });
  }
  if (snapshot === undefined) throw new Error(`${path}: found no snapshot of ${symbol}, expected one`);
  const { bids, asks } = snapshot;
  return { symbol, events, snapshot: { lastUpdateId: 0, bids, asks }, filters: filtersOf(snapshot), lastTradeId };
}

/** `at` in epoch ms. */
function* framesIn(path: string, lines: readonly string[]): Generator<{ readonly at: number; readonly raw: string }> {
  for (const [i, line] of lines.entries()) {
    if (line === '' || line.startsWith('wss:')) continue;
    const [, time, raw] = LINE.exec(line) ?? [];
    if (time === undefined || raw === undefined)
      throw new Error(`${path}:${i + 1}: expected a frame, found ${line.slice(0, 60)}`);
    yield { at: Number(time) * 1_000, raw };
  }
}

interface Frame {
  readonly type: string;
  readonly trade_id: number;
  readonly price: string;
  readonly size: string;
  readonly side: string;
  readonly changes: readonly (readonly [string, string, string])[];
}

/** Tickers and heartbeats are the protocol's to make: there is one ticker per match. */
function eventOf(data: Frame, about: { symbol: string; at: number; raw: string }, id: number): MarketEvent | undefined {
  if (data.type === 'match') {
    const { trade_id: tradeId, price, size, side } = data;
    return { ...about, kind: 'trade', tradeId, price, size, sellerTook: side === 'buy' };
  }
  if (data.type !== 'l2update') return undefined;
  const of = (side: string): Levels =>
    data.changes.filter(([which]) => which === side).map(([, price, size]) => [price, size]);
  return { ...about, kind: 'depth', firstId: id, lastId: id, bids: of('buy'), asks: of('sell') };
}

/** The venue writes every price and size of a product with the decimals of its increments; which they were, nobody recorded. */
function filtersOf({ bids, asks }: Snapshot): Filters {
  const step = (column: 0 | 1): string => {
    const decimals = Math.max(...[...bids, ...asks].map((level) => level[column].split('.')[1]?.length ?? 0));
    return decimals === 0 ? '1' : `0.${'1'.padStart(decimals, '0')}`;
  };
  return { tickSize: step(0), stepSize: step(1), minNotional: '0' };
}
