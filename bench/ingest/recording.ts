// Recorded sessions, as the files of `../shared/recordings` hold them: one frame a line behind its receive time.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { asAdvanced } from './advanced.ts';

/** BTC and ETH are Binance's, each with one symbol; COINBASE has ten. */
export type Session = 'BTC' | 'ETH' | 'COINBASE';

const FILES: Readonly<Record<Session, string>> = {
  BTC: 'binance-spot-btcusdt-20240808.gz',
  ETH: 'binance-spot-ethusdt-20240808.gz',
  COINBASE: 'coinbase-exchange-20210417.gz',
};

export interface Recording {
  /** WebSocket texts, in order. */
  readonly frames: readonly string[];
  /** Receive time of each, epoch ms. */
  readonly times: readonly number[];
  /** The answer to one REST request for the book; empty where the book comes by stream. */
  readonly snapshot: string;
}

/** Throws where the recordings are not there, with where they were looked for. */
export function recordingPath(session: Session): string {
  const url = new URL(`../../../shared/recordings/${FILES[session]}`, import.meta.url);
  if (!existsSync(url)) throw new Error(`${fileURLToPath(url)}: not found; expected a recording of ${session}`);
  return fileURLToPath(url);
}

/** A file with lines `<receive time, ns> <frame>`: the recording itself, or one that is made of it in `folder`. */
export function playablePath(session: Session, folder: string): string {
  const path = recordingPath(session);
  if (session !== 'COINBASE') return path;
  const lines: string[] = [];
  for (const line of textOf(path).split('\n')) {
    const [, seconds, text] = /^([\d.]+): (.*)$/.exec(line) ?? [];
    const frame = text === undefined ? undefined : asAdvanced(text, lines.length);
    if (frame !== undefined) lines.push(`${Math.round(Number(seconds) * 1e9)} ${frame}`);
  }
  const played = join(folder, 'coinbase-advanced.gz');
  writeFileSync(played, gzipSync(`${lines.join('\n')}\n`));
  return played;
}

export function readRecording(path: string): Recording {
  const frames: string[] = [];
  const times: number[] = [];
  let snapshot = '';
  for (const line of textOf(path).split('\n')) {
    const at = line.indexOf(' ');
    if (at < 0) continue;
    const text = line.slice(at + 1);
    if (text.includes('"lastUpdateId"')) snapshot = text;
    else {
      frames.push(text);
      times.push(Number(line.slice(0, at)) / 1e6);
    }
  }
  if (frames.length === 0) throw new Error(`${path}: found no frames`);
  return { frames, times, snapshot };
}

const textOf = (path: string): string => gunzipSync(readFileSync(path)).toString();
