// An append-only file of JSON lines that is durable before it is acted on: a shard's orders, fills and snapshots.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Journal<Snapshot, Entry> {
  /** What was there at opening: the last snapshot, if any, and the entries after it. */
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
  /** Resolves when the entry is on disk (appends that wait for the same fsync share it). Rejects if it could not be written. */
  append(entry: Entry): Promise<void>;
  /** Replaces everything so far by one snapshot, atomically; stopped half-way, the old file stays. */
  compact(snapshot: Snapshot): Promise<void>;
  close(): Promise<void>;
}

interface Line {
  readonly s?: unknown;
  readonly e?: unknown;
}

/** `<first 8 hex of SHA-256 of the JSON> <JSON>`: a torn or rotten line is told from a whole one. */
const lineOf = (line: Line): string => {
  const json = JSON.stringify(line);
  return `${sum(json)} ${json}\n`;
};
const sum = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

function linesOf(text: string): { lines: Line[]; wholeBytes: number } {
  const lines: Line[] = [];
  let wholeBytes = 0;
  for (const raw of text.split('\n').slice(0, -1)) {
    const json = raw.slice(9);
    if (raw.slice(0, 8) !== sum(json)) break;
    lines.push(JSON.parse(json) as Line);
    wholeBytes += Buffer.byteLength(raw) + 1;
  }
  return { lines, wholeBytes };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/**
 * Opens `<dir>/<name>.journal`. A torn tail (the process or machine died in the middle of a write) is cut off: what it held
 * was never acknowledged. `Snapshot` and `Entry` are what this program wrote before; the caller checks their meaning.
 */
export async function openJournal<Snapshot, Entry>(dir: string, name: string): Promise<Journal<Snapshot, Entry>> {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${name}.journal`);
  const { lines, wholeBytes } = linesOf(read(path));
  const last = lines.findLastIndex((line) => line.s !== undefined);
  let file = await open(path, 'a');
  await file.truncate(wholeBytes);
  const writer = serialised();

  return {
    snapshot: lines[last]?.s as Snapshot | undefined,
    entries: lines.slice(last + 1).map((line) => line.e as Entry),
    append: (entry) => writer.append(lineOf({ e: entry }), (text) => writeDurably(file, text)),
    compact: (snapshot) =>
      writer.alone(async () => {
        const next = `${path}.next`;
        const fresh = await open(next, 'w');
        await writeDurably(fresh, lineOf({ s: snapshot }));
        await rename(next, path);
        await syncFolder(dirname(path));
        await file.close();
        file = fresh;
      }),
    close: () => writer.alone(() => file.close()),
  };
}

async function writeDurably(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
  await file.datasync();
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync();
  await folder.close();
}

/** One writer at a time; texts that arrive while it writes go together into the next write. */
function serialised() {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting: { text: string; done: Promise<void> } | undefined;
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const next = tail.then(work);
    tail = next.catch(() => undefined);
    return next;
  };
  const append = (text: string, write: (batch: string) => Promise<void>): Promise<void> => {
    if (waiting !== undefined) {
      waiting.text += text;
      return waiting.done;
    }
    const batch = { text, done: Promise.resolve() };
    waiting = batch;
    batch.done = alone(() => {
      waiting = undefined;
      return write(batch.text);
    });
    return batch.done;
  };
  return { alone, append };
}
