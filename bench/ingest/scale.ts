// What a symbol more costs one thread of ingest: `--symbols 100,1000,10000 --frames 300000`. Each size in a process of its own.
import { join } from 'node:path';
import { run } from '@tradewind/hack/run.ts';
import type { Figures, Options } from '../stats.ts';

const WITHIN_MS = 9 * 60_000;

interface Many {
  readonly us_per_frame: number;
  readonly kb_per_symbol: number;
  readonly rss_mb: number;
}

/** Per size: µs a frame, kB that a symbol keeps, and the symbols that one core carries at 30 frames a second each. */
export async function ingestScale({ values, progress }: Options): Promise<Figures> {
  const { symbols = '100,1000,10000', frames = '300000' } = values;
  const figures: Record<string, number> = {};
  for (const size of symbols.split(',')) {
    const output = await run(process.execPath, [join(import.meta.dirname, 'many.ts'), size, frames], {
      timeoutMs: WITHIN_MS,
    });
    const { us_per_frame, kb_per_symbol, rss_mb } = JSON.parse(output) as Many;
    progress(`${size} symbols: ${us_per_frame.toFixed(2)} µs a frame, ${kb_per_symbol.toFixed(1)} kB a symbol`);
    figures[`n${size}UsPerFrame`] = rounded(us_per_frame);
    figures[`n${size}KbPerSymbol`] = rounded(kb_per_symbol);
    figures[`n${size}RssMb`] = rounded(rss_mb);
    figures[`n${size}SymbolsPerCore`] = Math.floor(1e6 / us_per_frame / FRAMES_PER_S);
  }
  return figures;
}

/** Of one symbol in a batch of 100 ms: three frames. */
const FRAMES_PER_S = 30;

const rounded = (value: number): number => Math.round(value * 100) / 100;
