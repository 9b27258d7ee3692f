// Kubeconfigs with everything inside, so that one file is all that a client needs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Access {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export function readAccess(pki: string, client: string, server: string): Access {
  const read = (file: string): string => readFileSync(join(pki, file), 'utf8');
  return { server, ca: read('ca.crt'), certificate: read(`${client}.crt`), key: read(`${client}.key`) };
}

/** JSON is YAML: the file needs no emitter. */
export function kubeconfigText(context: string, user: string, access: Access): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: context, cluster: { server: access.server, 'certificate-authority-data': base64(access.ca) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(access.certificate), 'client-key-data': base64(access.key) },
      },
    ],
    contexts: [{ name: context, context: { cluster: context, user } }],
    'current-context': context,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
