// What the Secret of a model server has: a bearer token, the CA of its certificate, or both. Made by servers.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenIn } from '../../kit/bearer-token.ts';

/** What it is asked with, or why it is not asked: without what its model's Secret should have it is not spoken to. */
export type Credentials = { readonly token?: string; readonly ca?: string } | { readonly problem: string };

/** Files are read on the thread that makes the signals. Kubelet itself takes a minute to bring another content. */
const READ_EVERY_MS = 5_000;
const CERTIFICATE = '-----BEGIN CERTIFICATE-----';

/** Keys `token` and `ca.crt` of the Secret mounted at `dir`, as they were at most 5 s ago. A problem says nothing of what was found. */
export function credentialsIn(dir: string, now: () => number): () => Credentials {
  let read: Credentials = {};
  let readAt = -Infinity;
  return () => {
    const at = now();
    if (at - readAt < READ_EVERY_MS) return read;
    readAt = at;
    read = readAll(dir);
    return read;
  };
}

function readAll(dir: string): Credentials {
  const [token, ca] = ['token', 'ca.crt'].map((key) => textIn(join(dir, key)));
  if (token === undefined && ca === undefined)
    return { problem: 'secretRef: found neither key token nor key ca.crt in the Secret, expected at least one' };
  if (ca !== undefined && !ca.includes(CERTIFICATE))
    return { problem: 'key ca.crt of the Secret in secretRef: found no certificate, expected PEM' };
  const trusted = ca === undefined ? {} : { ca };
  if (token === undefined) return trusted;
  const found = tokenIn(dir, 'secretRef');
  return 'problem' in found ? found : { ...found, ...trusted };
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
