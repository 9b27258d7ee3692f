// A recorded session of Binance spot, as the files of `../shared/recordings` hold it: one frame a line behind its receive time.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export type Coin = 'BTC' | 'ETH';

export interface Recording {
  /** WebSocket texts, in order. */
  readonly frames: readonly string[];
  /** Receive time of each, epoch ms. */
  readonly times: readonly number[];
  /** The answer to one REST request for the book. */
  readonly snapshot: string;
}

/** Throws where the recordings are not there, with where they were looked for. */
export function recordingPath(coin: Coin): string {
  const url = new URL(`../../../shared/recordings/binance-spot-${coin.toLowerCase()}usdt-20240808.gz`, import.meta.url);
  if (!existsSync(url)) throw new Error(`${fileURLToPath(url)}: not found; expected a recording of Binance spot`);
  return fileURLToPath(url);
}

export function readRecording(path: string): Recording {
  const frames: string[] = [];
  const times: number[] = [];
  let snapshot = '';
  for (const line of gunzipSync(readFileSync(path)).toString().split('\n')) {
    const at = line.indexOf(' ');
    if (at < 0) continue;
    const text = line.slice(at + 1);
    if (text.includes('"lastUpdateId"')) snapshot = text;
    else {
      frames.push(text);
      times.push(Number(line.slice(0, at)) / 1e6);
    }
  }
  if (snapshot === '' || frames.length === 0) throw new Error(`${path}: expected frames and one book`);
  return { frames, times, snapshot };
}
