// A tar writer of what image layers need, with nothing in it that differs between two runs: the same files give the same
// bytes, so the same digest. Format: POSIX.1-1988 ustar.

export interface Entry {
  /** Without a leading slash; folders end without one too. */
  readonly path: string;
  readonly mode: number;
  /** Owner and group; default 0. */
  readonly owner?: number;
  readonly content: { readonly file: Uint8Array } | { readonly link: string } | { readonly folder: true };
}

const BLOCK = 512;
const TYPES = { file: '0', link: '2', folder: '5' } as const;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

/** Splits a path over ustar's two fields (100 and 155 bytes). Throws RangeError for one that does not fit. */
export function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let cut = path.indexOf('/'); cut > 0; cut = path.indexOf('/', cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { name, prefix };
  }
  throw new RangeError(`path too long for a tar: ${path}`);
}

function header(entry: Entry, size: number): Buffer {
  const kind = 'file' in entry.content ? 'file' : 'link' in entry.content ? 'link' : 'folder';
  const { name, prefix } = splitPath(kind === 'folder' ? `${entry.path}/` : entry.path);
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, offset: number): number => block.write(text, offset, 'utf8');
  put(name, 0);
  put(octal(entry.mode, 8), 100);
  put(octal(entry.owner ?? 0, 8), 108);
  put(octal(entry.owner ?? 0, 8), 116);
  put(octal(size, 12), 124);
  put(octal(0, 12), 136); // time: always 1970, or the digest would change with each run
  put('        ', 148); // the checksum is taken with blanks in its own place
  put(TYPES[kind], 156);
  if ('link' in entry.content) put(entry.content.link, 157);
  put('ustar\x0000', 257);
  put(prefix, 345);
  put(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  );
  return block;
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** The pieces of one file as it stands in a tar. `size` is given for content that the caller writes itself. */
export const fileHeader = (path: string, size: number): Buffer =>
  header({ path, mode: 0o644, content: { file: Buffer.alloc(0) } }, size);
export const filePadding = padding;
export const END = Buffer.alloc(2 * BLOCK);

/** A whole tar of `entries`, in their order. */
export function tarOf(entries: readonly Entry[]): Buffer {
  const pieces = entries.flatMap((entry) => {
    if (!('file' in entry.content)) return [header(entry, 0)];
    const { file } = entry.content;
    return [header(entry, file.length), file, padding(file.length)];
  });
  return Buffer.concat([...pieces, END]);
}

/** `entries` and the folders above them, each once, folders first, in order of path. */
export function withFolders(entries: readonly Entry[]): Entry[] {
  const all = new Map<string, Entry>(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let cut = path.indexOf('/'); cut > 0; cut = path.indexOf('/', cut + 1)) {
      const folder = path.slice(0, cut);
      if (!all.has(folder)) all.set(folder, { path: folder, mode: 0o755, content: { folder: true } });
    }
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
