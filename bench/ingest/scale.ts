// What a symbol more costs one thread of ingest: `--symbols 100,1000,10000 --frames 300000`. Each size in a process of its own;
// then the largest in `--shards 2` processes at once, each with its part of the symbols, as a system of so many shards has it.
import { join } from 'node:path';
import { run } from '@tradewind/hack/run.ts';
import type { Figures, Options } from '../stats.ts';

const WITHIN_MS = 9 * 60_000;

interface Many {
  readonly us_per_frame: number;
  readonly kb_per_symbol: number;
  readonly rss_mb: number;
}

/**
 * Per size: µs a frame, kB that a symbol keeps, and the symbols that one core carries at 30 frames a second each. For the
 * shards: µs a frame in each, on average, and what all together carry.
 */
export async function ingestScale({ values, progress }: Options): Promise<Figures> {
  const { symbols = '100,1000,10000', frames = '300000', shards = '2' } = values;
  const sizes = symbols.split(',').map(Number);
  const figures: Record<string, number> = {};
  for (const size of sizes) {
    const { us_per_frame, kb_per_symbol, rss_mb } = await play(size, frames);
    progress(`${size} symbols: ${us_per_frame.toFixed(2)} µs a frame, ${kb_per_symbol.toFixed(1)} kB a symbol`);
    figures[`n${size}UsPerFrame`] = rounded(us_per_frame);
    figures[`n${size}KbPerSymbol`] = rounded(kb_per_symbol);
    figures[`n${size}RssMb`] = rounded(rss_mb);
    figures[`n${size}SymbolsPerCore`] = symbolsCarried([us_per_frame]);
  }
  const [count, most] = [Number(shards), Math.max(...sizes)];
  const each = await Promise.all(Array.from({ length: count }, () => play(Math.ceil(most / count), frames)));
  const us = each.map(({ us_per_frame }) => us_per_frame);
  const mean = us.reduce((sum, one) => sum + one, 0) / count;
  progress(`${most} symbols in ${count} shards: ${mean.toFixed(2)} µs a frame, ${symbolsCarried(us)} symbols carried`);
  figures[`n${most}Shards${count}UsPerFrame`] = rounded(mean);
  figures[`n${most}Shards${count}SymbolsCarried`] = symbolsCarried(us);
  return figures;
}

async function play(symbols: number, frames: string): Promise<Many> {
  const program = join(import.meta.dirname, 'many.ts');
  return JSON.parse(await run(process.execPath, [program, String(symbols), frames], { timeoutMs: WITHIN_MS })) as Many;
}

/** Of one symbol in a batch of 100 ms: three frames. */
const FRAMES_PER_S = 30;

/** By threads that take so many µs a frame, each on a core of its own. */
const symbolsCarried = (us: readonly number[]): number =>
  Math.floor(us.reduce((sum, one) => sum + 1e6 / one / FRAMES_PER_S, 0));

const rounded = (value: number): number => Math.round(value * 100) / 100;
