// Files that are there whole or not at all, whatever is killed when. All state that scripts in hack/ keep is written so.
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

/** Where the next content of `path` is gathered: two scripts never write into one. */
export const partOf = (path: string): string => `${path}.${process.pid}.part`;

/** Replaces the file in one step that also a machine losing its power leaves whole. Readable by its owner only. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const part = partOf(path);
  rmSync(part, { force: true });
  const file = openSync(part, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
}

export const writeJson = (path: string, value: unknown): void => replaceFile(path, JSON.stringify(value));

/** Undefined where there is no file, or one that is not JSON: nobody can know what it once said. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** A folder that only its owner may enter, also where an earlier version has made it open. */
export function ensurePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}
