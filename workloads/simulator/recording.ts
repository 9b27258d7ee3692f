// Plays recorded events at their own pace or another; a protocol that sends what was recorded of it sends it byte for byte.
// Called by server.ts.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  instrumentOf,
  type Depth,
  type DepthEvent,
  type Filters,
  type MarketEvent,
  type Player,
  type Sink,
} from './player.ts';
import { readBinanceRecording } from './recording-binance.ts';
import { readCoinbaseRecording } from './recording-coinbase.ts';

export interface RecordedEvent {
  /** ms since the recording's first line. */
  readonly after: number;
  readonly event: MarketEvent;
}

export interface Recording {
  readonly symbol: string;
  readonly events: readonly RecordedEvent[];
  readonly snapshot: Depth;
  readonly filters: Filters;
  /** Of the last trade before it; 0 = not known. */
  readonly lastTradeId: number;
}

/**
 * A recording in the form that belongs to the protocol it is to be played in; one of Coinbase Exchange is played in Coinbase
 * Advanced Trade's, too. Throws an Error that names the file and line of what it cannot read, or says what is missing.
 */
export function readRecording(protocol: string, symbol: string, path: string): Recording {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').split('\n');
  const read = protocol === 'binance' ? readBinanceRecording : readCoinbaseRecording;
  return read(symbol, path, lines);
}

/** The venue's book while a recording plays: its snapshot, and every update since that is newer. */
export class RecordedBook {
  readonly #bids = new Map<string, string>();
  readonly #asks = new Map<string, string>();
  #lastId: number;

  constructor({ lastUpdateId, bids, asks }: Depth) {
    this.#lastId = lastUpdateId;
    for (const [price, size] of bids) this.#bids.set(price, size);
    for (const [price, size] of asks) this.#asks.set(price, size);
  }

  take({ lastId, bids, asks }: DepthEvent): void {
    if (lastId <= this.#lastId) return;
    this.#lastId = lastId;
    for (const [levels, changes] of [
      [this.#bids, bids],
      [this.#asks, asks],
    ] as const) {
      for (const [price, size] of changes) {
        if (Number(size) === 0) levels.delete(price);
        else levels.set(price, size);
      }
    }
  }

  depth(): Depth {
    const sorted = (levels: Map<string, string>, sign: number): [string, string][] =>
      [...levels].sort(([x], [y]) => sign * (Number(x) - Number(y)));
    return { lastUpdateId: this.#lastId, bids: sorted(this.#bids, -1), asks: sorted(this.#asks, 1) };
  }
}

export interface RecordedOptions {
  readonly recordings: readonly Recording[];
  /** Times its own pace; 0 = as fast as readers take it. */
  readonly speed: number;
  readonly loop: boolean;
  readonly sink: Sink;
  /** A clock that never goes back, ms. */
  readonly now: () => number;
}

/** Events in one go before readers are waited for. */
const BURST = 200;

/** Starts when everything in it has a listener; events that nobody heard would be a gap that was not recorded. */
export function playRecording({ recordings, speed, loop, sink, now }: RecordedOptions): Player {
  const events = recordings.flatMap((recording) => recording.events).sort((a, b) => a.after - b.after);
  const needed = new Set(events.map(({ event }) => `${event.symbol} ${event.kind}`));
  const bySymbol = new Map(recordings.map((recording) => [recording.symbol, recording]));
  const books = new Map<string, RecordedBook>();
  const tradeIds = new Map<string, number>();
  const rewind = (): void => {
    for (const { symbol, snapshot, lastTradeId } of recordings) {
      books.set(symbol, new RecordedBook(snapshot));
      tradeIds.set(symbol, lastTradeId);
    }
  };
  rewind();
  const stopping = new AbortController();
  let heard = new Set<string>();
  let playing = false;

  const play = async (): Promise<void> => {
    const started = now();
    for (const [i, { after, event }] of events.entries()) {
      const waitMs = speed === 0 ? 0 : after / speed - (now() - started);
      if (waitMs > 1) await delay(waitMs, undefined, { signal: stopping.signal });
      else if (i % BURST === 0) await sink.drained();
      if (stopping.signal.aborted) return;
      if (event.kind === 'depth') books.get(event.symbol)?.take(event);
      if (event.kind === 'trade') tradeIds.set(event.symbol, event.tradeId);
      sink.send(event);
    }
    await sink.drained();
    if (!loop) return; // silent from here on, with the connections open
    heard = new Set();
    playing = false;
    rewind();
    sink.disconnectAll();
  };

  return {
    symbols: recordings.map(({ symbol }) => symbol),
    filters: (symbol) => bySymbol.get(symbol)?.filters ?? instrumentOf(symbol),
    depth: (symbol) => books.get(symbol)?.depth(),
    lastTradeId: (symbol) => tradeIds.get(symbol) ?? 0,
    bars: () => [],
    listened: (symbol, kind) => {
      heard.add(`${symbol} ${kind}`);
      if (playing || [...needed].some((one) => !heard.has(one))) return;
      playing = true;
      play().catch(() => undefined); // stopped: nothing more to play
    },
    stop: () => stopping.abort(),
  };
}
