// Ingest beside cryptofeed, ccxt and nautilus_trader on the same recorded frames, in turns, each a process of its own that does
// nothing else. `--rounds 3 --passes 10 --only tradewind,cryptofeed`. A peer that cannot be installed is left out, and said so.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@tradewind/hack/run.ts';
import { quantile, type Figures, type Options } from '../stats.ts';
import { pythonWith } from './python.ts';
import { playablePath, type Session } from './recording.ts';
import type { Row } from './report.ts';

const SESSIONS: readonly Session[] = ['BTC', 'ETH', 'COINBASE'];
const PEERS = join(import.meta.dirname, 'peers');
const WITHIN_MS = 5 * 60_000;

interface Engine {
  readonly name: string;
  /** Whether it speaks the recorded venue's protocol. */
  readonly plays: (session: Session) => boolean;
  readonly command: readonly string[];
}

const OURS = 'tradewind';
/** ccxt and nautilus_trader take Coinbase's frames only over a socket of their own. */
const BINANCE_ONLY = new Set(['ccxt', 'nautilus']);
const MAKERS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  [OURS]: async () => [process.execPath, join(import.meta.dirname, 'ours.ts')],
  cryptofeed: () => inPython('cryptofeed', ['3.11', '3.12']),
  ccxt: async () => [process.execPath, join(PEERS, 'ccxt.ts')],
  nautilus: () => inPython('nautilus', ['3.13', '3.12']),
};

const inPython = async (name: string, versions: readonly string[]): Promise<readonly string[]> => [
  await pythonWith(join(PEERS, `${name}.txt`), versions),
  join(PEERS, `${name}_row.py`),
];

export async function ingest(options: Options): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'tradewind-bench-'));
  try {
    const rows = await playAll(folder, options);
    assertSameBooks(rows);
    return figuresOf(rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function playAll(folder: string, { values, progress }: Options): Promise<Row[]> {
  const { rounds = '3', passes = '10', only } = values;
  const paths = new Map(SESSIONS.map((session) => [session, playablePath(session, folder)]));
  const engines = await made(only?.split(',') ?? Object.keys(MAKERS), progress);
  const rows: Row[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    const turns = [...engines.slice(round % engines.length), ...engines.slice(0, round % engines.length)];
    for (const [session, path] of paths) {
      for (const { name, command } of turns.filter(({ plays }) => plays(session))) {
        const row = await play(command, [path, session, passes]);
        progress(`${name} ${session} round ${round + 1}: ${row.frames_per_s} frames/s, p99 ${row.us_p99} µs`);
        rows.push({ ...row, engine: name });
      }
    }
  }
  return rows;
}

async function made(names: readonly string[], progress: (line: string) => void): Promise<Engine[]> {
  const engines: Engine[] = [];
  for (const name of names) {
    const make = MAKERS[name];
    if (make === undefined) throw new Error(`--only: found ${name}, expected of ${Object.keys(MAKERS).join(', ')}`);
    try {
      const plays = (session: Session): boolean => session !== 'COINBASE' || !BINANCE_ONLY.has(name);
      engines.push({ name, plays, command: await make() });
    } catch (error) {
      progress(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return engines;
}

async function play([file = '', ...first]: readonly string[], args: readonly string[]): Promise<Row> {
  const output = await run(file, [...first, ...args], { timeoutMs: WITHIN_MS });
  const line = output.split('\n').findLast((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`${file}: found no row, expected one`);
  return JSON.parse(line) as Row;
}

/** Engines that keep every level: at the end theirs must be our book. */
const WHOLE = ['cryptofeed', 'nautilus'];

/** Throws where an engine that keeps whole books ended with another than ours: then the two did not do the same work. */
export function assertSameBooks(rows: readonly Row[]): void {
  for (const { engine, symbol, final_book } of rows.filter((row) => WHOLE.includes(row.engine))) {
    const ours = rows.find((row) => row.engine === OURS && row.symbol === symbol);
    const [found, expected] = [final_book, ours?.final_book ?? final_book].map((book) => book.map(Number).join(' '));
    if (found !== expected) throw new Error(`${engine} ${symbol}: found a final book of ${found}, ours is ${expected}`);
  }
}

/** Medians over the rounds, and our ratio to each peer: above 1 is faster. */
export function figuresOf(rows: readonly Row[]): Figures {
  const figures: Record<string, number | string> = {};
  for (const session of SESSIONS) {
    const ours = medianOf(rows, OURS, session, ({ frames_per_s }) => frames_per_s);
    for (const engine of new Set(rows.filter(({ symbol }) => symbol === session).map((row) => row.engine))) {
      const prefix = `${session.toLowerCase()}${engine.charAt(0).toUpperCase()}${engine.slice(1)}`;
      const perSecond = medianOf(rows, engine, session, ({ frames_per_s }) => frames_per_s);
      figures[`${prefix}FramesPerS`] = perSecond;
      figures[`${prefix}UsP50`] = medianOf(rows, engine, session, ({ us_p50 }) => us_p50);
      figures[`${prefix}UsP99`] = medianOf(rows, engine, session, ({ us_p99 }) => us_p99);
      if (engine !== OURS && ours > 0) figures[`${prefix}Ratio`] = Math.round((100 * ours) / perSecond) / 100;
    }
  }
  return figures;
}

const medianOf = (rows: readonly Row[], engine: string, session: string, of: (row: Row) => number): number =>
  quantile(rows.filter((row) => row.engine === engine && row.symbol === session).map(of), 0.5);
