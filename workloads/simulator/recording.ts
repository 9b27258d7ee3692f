// Plays recorded frames, byte for byte, at their own pace or another. Called by server.ts.
//
// A recording is a gzip of lines `<receive time, ns> <frame>`: combined-stream frames, and one REST depth snapshot.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { instrumentOf, type Depth, type Player, type Sink } from './player.ts';

export interface RecordedFrame {
  /** ms since the recording's first line. */
  readonly at: number;
  readonly stream: string;
  /** The event's JSON, as it was. */
  readonly data: string;
}

export interface Recording {
  readonly symbol: string;
  readonly frames: readonly RecordedFrame[];
  readonly snapshot: Depth;
}

// 1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT",…}}
const FRAME = /^(\d+) \{"stream":"([^"]+)","data":(.*)\}$/;
// 1723161254206652067 {"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],…],"asks":[…]}
const SNAPSHOT = /^\d+ (\{"lastUpdateId":.*\})$/;

/** Throws an Error that names the file and line of what it cannot read, or says that there is no snapshot. */
export function readRecording(symbol: string, path: string): Recording {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').split('\n');
  const frames: RecordedFrame[] = [];
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
    const [, time = '0', stream = '', data = ''] = frame;
    first ??= BigInt(time);
    frames.push({ at: Number(BigInt(time) - first) / 1e6, stream, data });
  }
  if (snapshot === undefined) throw new Error(`${path}: found no depth snapshot, expected one`);
  return { symbol, frames, snapshot };
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

  // {"e":"depthUpdate","U":50093239208,"u":50093239224,"b":[["61837.63000000","3.78826000"]],"a":[]}
  take(data: string): void {
    const { u, b, a } = JSON.parse(data) as { u: number; b: [string, string][]; a: [string, string][] };
    if (u <= this.#lastId) return;
    this.#lastId = u;
    for (const [levels, changes] of [
      [this.#bids, b],
      [this.#asks, a],
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
  /** All streams that must have a listener before it starts. */
  readonly now: () => number;
}

/** Frames in one go before readers are waited for. */
const BURST = 200;

/** Starts when every one of its streams has a listener; frames that nobody heard would be a gap that was not recorded. */
export function playRecording({ recordings, speed, loop, sink, now }: RecordedOptions): Player {
  const frames = recordings.flatMap((recording) => recording.frames).sort((a, b) => a.at - b.at);
  const streams = new Set(frames.map(({ stream }) => stream));
  const books = new Map<string, RecordedBook>();
  const rewind = (): void => {
    for (const { symbol, snapshot } of recordings) books.set(symbol, new RecordedBook(snapshot));
  };
  rewind();
  const stopping = new AbortController();
  let heard = new Set<string>();
  let playing = false;

  const play = async (): Promise<void> => {
    const started = now();
    for (const [i, { at, stream, data }] of frames.entries()) {
      const waitMs = speed === 0 ? 0 : at / speed - (now() - started);
      if (waitMs > 1) await delay(waitMs, undefined, { signal: stopping.signal });
      else if (i % BURST === 0) await sink.drained();
      if (stopping.signal.aborted) return;
      if (stream.includes('@depth')) books.get(stream.split('@')[0]?.toUpperCase() ?? '')?.take(data);
      sink.send(stream, data);
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
    filters: instrumentOf,
    depth: (symbol) => books.get(symbol)?.depth(),
    subscribed: (stream) => {
      heard.add(stream);
      if (playing || [...streams].some((one) => !heard.has(one))) return;
      playing = true;
      play().catch(() => undefined); // stopped: nothing more to play
    },
    stop: () => stopping.abort(),
  };
}
