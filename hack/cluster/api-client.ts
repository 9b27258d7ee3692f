// The few requests that bringing a cluster up needs, over TLS with a client certificate. Not a Kubernetes client.
import { request } from 'node:https';
import type { Access } from './kubeconfig.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One GET; status 0 where nothing answers within `timeoutMs`. Never throws. */
export function get(access: Access, path: string, timeoutMs = 2_000): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (): void => resolve({ status: 0, body: '' });
    const outgoing = request(
      `${access.server}${path}`,
      { ca: access.ca, cert: access.certificate, key: access.key, agent: false, timeout: timeoutMs },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', failed);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', failed);
    outgoing.end();
  });
}

/** GET of an object or list; undefined where it is not there or nothing answers. */
export async function getJson<T>(access: Access, path: string): Promise<T | undefined> {
  const { status, body } = await get(access, path);
  return status === 200 ? (JSON.parse(body) as T) : undefined;
}

export const isReady = async (access: Access): Promise<boolean> => (await get(access, '/readyz')).status === 200;
