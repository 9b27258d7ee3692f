// What the images are made of, as one key: with it an unchanged tree is known in some milliseconds, without bundling.
import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** Sources by content. Tests are in no image. */
const SOURCES = '{crds,operator,workloads,hack/images}/**/*.{ts,json}';
/** npm writes the second after each install, so that it tells what node_modules really holds. */
const PACKAGES = ['package-lock.json', 'node_modules/.package-lock.json'];

/**
 * Key of everything that decides the images' content: sources and package locks by content, `programs` (absolute paths) by
 * size and time of change, as reading them takes longer than all the rest.
 */
export function inputKey(programs: readonly string[], root = ROOT): string {
  const hash = createHash('sha256');
  const skipped = (path: string): boolean => path.includes('node_modules') || path.endsWith('.test.ts');
  const sources = globSync(SOURCES, { cwd: root }).filter((path) => !skipped(path));
  for (const path of [...sources.sort(), ...PACKAGES]) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}:${content.length}:`).update(content);
  }
  for (const path of programs) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}:${size}:${mtimeMs};`);
  }
  return hash.digest('hex').slice(0, 16);
}
