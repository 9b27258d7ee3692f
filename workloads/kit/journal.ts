// An append-only file of JSON lines that is durable before it is acted on: a shard's orders, fills and snapshots.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { oneAtATime } from './one-at-a-time.ts';

export interface Journal<Snapshot, Entry> {
  /** What was there at opening: the last snapshot, if any, and the entries after it. */
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
  /** Length of the torn tail that opening cut off; worth a line in the log where it is not 0. */
  readonly cutBytes: number;
  /** Resolves when the entry is on disk (appends that wait for the same fsync share it). Rejects if it could not be written. */
  append(entry: Entry): Promise<void>;
  /** Replaces everything so far by one snapshot, atomically; stopped half-way, the old file stays. */
  compact(snapshot: Snapshot): Promise<void>;
  /** No entry waits for the disk. A compaction may be under way: what it replaces is there until it is done. */
  isFlushed(): boolean;
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

interface Content {
  readonly lines: readonly Line[];
  readonly wholeBytes: number;
  /** Number of the first line that is not whole, where that can't come from a write that was stopped half-way. */
  readonly rottenAt?: number;
}

/**
 * The whole lines up to the first that is not. A stopped write leaves whole lines and a piece at the end; a line that ended
 * and does not fit its sum, with whole ones behind it or none before it, was written well and went bad later.
 */
function contentOf(text: string): Content {
  const raws = text.split('\n').slice(0, -1);
  const bad = raws.findIndex((raw) => !isWhole(raw));
  const whole = bad < 0 ? raws : raws.slice(0, bad);
  return {
    lines: whole.map((raw) => JSON.parse(raw.slice(9)) as Line),
    wholeBytes: whole.reduce((bytes, raw) => bytes + Buffer.byteLength(raw) + 1, 0),
    ...(bad === 0 || (bad > 0 && raws.slice(bad).some(isWhole)) ? { rottenAt: bad + 1 } : {}),
  };
}

const isWhole = (raw: string): boolean => raw.slice(0, 8) === sum(raw.slice(9));

/** Sets a rotten file aside. It stays the shard's last word: opening is refused until somebody has decided. */
function refuseRotten(path: string, { rottenAt }: Content): void {
  const aside = `${path}.corrupt`;
  if (rottenAt !== undefined) renameSync(path, aside);
  if (!existsSync(aside)) return;
  const where = rottenAt === undefined ? '' : `, line ${rottenAt} is not what was written`;
  throw new Error(
    `${aside}: found a journal that cannot be trusted${where}; restore it from a copy or repair it and rename it to ` +
      `${basename(path)}, or delete it to start with nothing`,
  );
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
 * was never acknowledged. Rejects where more than that is bad: the file is kept as `.corrupt`, as what it said may be
 * money. `Snapshot` and `Entry` are what this program wrote before; the caller checks their meaning.
 */
export async function openJournal<Snapshot, Entry>(dir: string, name: string): Promise<Journal<Snapshot, Entry>> {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${name}.journal`);
  const text = read(path);
  const content = contentOf(text);
  refuseRotten(path, content);
  const { lines, wholeBytes } = content;
  const last = lines.findLastIndex((line) => line.s !== undefined);
  let file = await open(path, 'a');
  await file.truncate(wholeBytes);
  const writer = serialised();

  return {
    snapshot: lines[last]?.s as Snapshot | undefined,
    entries: lines.slice(last + 1).map((line) => line.e as Entry),
    cutBytes: Buffer.byteLength(text) - wholeBytes,
    append: (entry) => writer.append(lineOf({ e: entry }), (text) => writeDurably(file, text)),
    compact: (snapshot) =>
      writer.alone(async () => {
        const fresh = await writeInPlace(path, lineOf({ s: snapshot }));
        await file.close();
        file = fresh;
      }),
    isFlushed: () => writer.isFlushed(),
    close: () => writer.alone(() => file.close()),
  };
}

async function writeDurably(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
  await file.datasync();
}

/** A new file under the path of the old one: after a crash it is the one or the other. */
async function writeInPlace(path: string, text: string): Promise<FileHandle> {
  const next = `${path}.next`;
  const fresh = await open(next, 'w');
  try {
    await writeDurably(fresh, text);
    await rename(next, path);
    await syncFolder(dirname(path));
    return fresh;
  } catch (error) {
    await fresh.close();
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync();
  await folder.close();
}

/**
 * One writer at a time, in the order of the calls; texts that arrive while it writes go together into the next write.
 * Work that is queued closes that write: what is appended after a compaction was asked for must not land before it.
 */
function serialised() {
  const inOrder = oneAtATime();
  let waiting: { text: string; done: Promise<void> } | undefined;
  let unwritten = 0;
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    waiting = undefined;
    return inOrder(work);
  };
  const append = (text: string, write: (batch: string) => Promise<void>): Promise<void> => {
    if (waiting !== undefined) {
      waiting.text += text;
      return waiting.done;
    }
    const batch = { text, done: Promise.resolve() };
    unwritten += 1;
    batch.done = alone(async () => {
      if (waiting === batch) waiting = undefined;
      await write(batch.text);
      unwritten -= 1; // where it failed it is not on the disk, and never will be
    });
    waiting = batch;
    return batch.done;
  };
  return { alone, append, isFlushed: () => unwritten === 0 };
}
