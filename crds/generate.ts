// `npm run generate`: CRDs, their copies in the chart, the chart's values schema and docs/reference.md, all from schema/.
// With --check nothing is written; the exit code is 1 if a file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generated } from './generated-files.ts';

const ROOT = join(import.meta.dirname, '..');

/** Paths, relative to the repository, whose content is not what the schemas give. */
export function staleFiles(): string[] {
  return [...generated()].filter(([path, content]) => read(join(ROOT, path)) !== content).map(([path]) => path);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A file that is not there is stale, too.
    return undefined;
  }
}

function main(check: boolean): number {
  const stale = staleFiles();
  for (const path of stale) {
    if (check) console.error(`stale: ${path}; run make generate`);
    else writeFileSync(join(ROOT, path), generated().get(path) ?? '');
  }
  if (!check) console.log(stale.length === 0 ? 'up to date' : `written: ${stale.join(', ')}`);
  return check && stale.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.includes('--check'));
