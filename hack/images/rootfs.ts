// Files of this machine that go into local images: a program with the libraries it loads, and the few files that every
// root file system has.
import { existsSync, readFileSync } from 'node:fs';
import { run } from '../run.ts';
import type { Entry } from './tar.ts';

/** User and group of everything that Tradewind runs in pods. */
export const NONROOT = 65532;

/** Paths of the shared libraries in the output of ldd; none for a static program. */
export function librariesIn(lddOutput: string): string[] {
  return lddOutput.split('\n').flatMap((line) => line.match(/(\/\S+) \(0x/)?.[1] ?? []);
}

/** The program at `path` of this machine as `target` in the image, and its libraries where it looks for them. */
export async function program(path: string, target: string): Promise<Entry[]> {
  const linked = await run('ldd', [path]).catch(() => ''); // a static program is an error to ldd
  const copy = (from: string, to: string): Entry => ({
    path: to.replace(/^\//, ''),
    mode: 0o755,
    content: { file: readFileSync(from) },
  });
  return [copy(path, target), ...librariesIn(linked).map((library) => copy(library, library))];
}

const text = (path: string, content: string): Entry => ({ path, mode: 0o644, content: { file: Buffer.from(content) } });

/** Users, host look-up order, /tmp, and the certificate authorities of this machine where it has them. */
export function baseFiles(): Entry[] {
  const authorities = '/etc/ssl/certs/ca-certificates.crt';
  return [
    text('etc/passwd', `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/:/sbin/nologin\n`),
    text('etc/group', `root:x:0:\nnonroot:x:${NONROOT}:\n`),
    text('etc/nsswitch.conf', 'hosts: files dns\n'),
    { path: 'tmp', mode: 0o1777, content: { folder: true } },
    ...(existsSync(authorities) ? [text(authorities.slice(1), readFileSync(authorities, 'utf8'))] : []),
  ];
}
