// What the Secret of a model server has: a bearer token, the CA of its certificate, or both. Made by servers.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenOf } from '../../kit/bearer-token.ts';

/** What it is asked with, or why it is not asked: without what its model's Secret should have it is not spoken to. */
export type Credentials = { readonly token?: string; readonly ca?: string } | { readonly problem: string };

/** Files are read on the thread that makes the signals. Kubelet itself takes a minute to bring another content. */
const READ_EVERY_MS = 5_000;
const CERTIFICATE = '-----BEGIN CERTIFICATE-----';

export interface SecretOptions {
  /** Where kubelet mounts it. */
  readonly dir: string;
  /** Of the model's server. */
  readonly url: string;
  readonly now: () => number;
}

/**
 * Keys `token`, `host` and `ca.crt` of the Secret, as they were at most 5 s ago. Its `host` says to whom the token may go, so that who
 * writes rules cannot have any Secret's sent to a server of theirs. A problem says nothing of what was found.
 */
export function credentialsIn({ dir, url, now }: SecretOptions): () => Credentials {
  let read: Credentials = {};
  let readAt = -Infinity;
  return () => {
    const at = now();
    if (at - readAt < READ_EVERY_MS) return read;
    readAt = at;
    read = readAll(dir, new URL(url).host);
    return read;
  };
}

function readAll(dir: string, host: string): Credentials {
  const [token, ca, owner] = ['token', 'ca.crt', 'host'].map((key) => textIn(join(dir, key)));
  if (token === undefined && ca === undefined)
    return { problem: 'secretRef: found neither key token nor key ca.crt in the Secret, expected at least one' };
  if (ca !== undefined && !ca.includes(CERTIFICATE))
    return { problem: 'key ca.crt of the Secret in secretRef: found no certificate, expected PEM' };
  const trusted = ca === undefined ? {} : { ca };
  if (token === undefined) return trusted;
  if (owner?.trim() !== host)
    return {
      problem: `key host of the Secret in secretRef: expected ${host} as in url, as its token is sent nowhere else`,
    };
  const found = tokenOf(token, 'secretRef');
  return 'problem' in found ? found : { ...found, ...trusted };
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
