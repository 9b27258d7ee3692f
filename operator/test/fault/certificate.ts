// The certificate that the proxy shows, with an authority of its own. Made once per run, in a folder that goes with it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePki } from '@tradewind/hack/cluster/pki.ts';

export interface ProxyCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

let made: Promise<ProxyCertificate> | undefined;

export function proxyCertificate(): Promise<ProxyCertificate> {
  made ??= make();
  return made;
}

async function make(): Promise<ProxyCertificate> {
  const folder = mkdtempSync(join(tmpdir(), 'tradewind-proxy-'));
  try {
    await ensurePki(folder, [{ name: 'proxy', commonName: 'fault-proxy', hosts: ['127.0.0.1'] }]);
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    return { ca: read('ca.crt'), certificate: read('proxy.crt'), key: read('proxy.key') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
