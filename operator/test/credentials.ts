// What a kubeconfig of the tests' API server says, read without client-node. Called by whoever plays a part beside the operator.
import { readFileSync } from 'node:fs';
import type { Credentials } from '../runtime/credentials.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** Of one that hack/cluster/kubeconfig.ts wrote: JSON, everything inside. */
export function credentialsIn(path: string): Credentials {
  const { clusters, users } = JSON.parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const text = (of: Readonly<Record<string, string>> | undefined, field: string): string =>
    Buffer.from(of?.[field] ?? '', 'base64').toString();
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  const tls = {
    ca: text(cluster, 'certificate-authority-data'),
    certificate: text(user, 'client-certificate-data'),
    key: text(user, 'client-key-data'),
  };
  return { origin: cluster?.['server'] ?? '', tls: async () => tls, authorization: async () => undefined };
}
