// /healthz, /readyz and /metrics of the operator.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  readonly port: number;
  readonly registry: Registry;
  /** Why not ready; undefined when it is. */
  readonly notReady: () => string | undefined;
}

export interface HealthServer {
  readonly port: number;
  close(): void;
}

/** Resolves once it listens. Alive as long as the event loop answers; ready also on the replica that does not lead. */
export function serveHealth({ port, registry, notReady }: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (request.url === '/healthz') return answer(200, 'text/plain', 'ok\n');
    if (request.url === '/readyz') {
      const reason = notReady();
      return answer(reason === undefined ? 200 : 503, 'text/plain', `${reason ?? 'ok'}\n`);
    }
    if (request.url !== '/metrics') return answer(404, 'text/plain', 'try /healthz, /readyz or /metrics\n');
    registry.metrics().then(
      (text) => answer(200, registry.contentType, text),
      () => answer(500, 'text/plain', 'metrics not collected\n'),
    );
    return undefined;
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      const close = (): void => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}
