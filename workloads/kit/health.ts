// /livez, /readyz and /metrics of every pod, on HEALTH_PORT.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Logger } from './log.ts';

/** Named conditions of readiness: the reason why not yet, or undefined. */
export type ReadyChecks = Readonly<Record<string, () => string | undefined>>;

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface HealthOptions {
  readonly port: number;
  readonly ready: ReadyChecks;
  readonly registry: Registry;
  readonly log: Logger;
}

/** Resolves once it listens. A pod lives as long as its event loop answers; it is ready when no check gives a reason. */
export async function serveHealth({ port, ready, registry, log }: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    switch (request.url ?? '') {
      case '/livez':
        return answer(200, 'text/plain', 'ok\n');
      case '/readyz': {
        const reasons = reasonsOf(ready);
        return answer(reasons.length === 0 ? 200 : 503, 'text/plain', `${reasons.join('\n') || 'ok'}\n`);
      }
      case '/metrics':
        registry.metrics().then(
          (text) => answer(200, registry.contentType, text),
          (error: unknown) => {
            log.error({ error }, 'metrics not collected');
            answer(500, 'text/plain', 'metrics not collected; see the log\n');
          },
        );
        return undefined;
      default:
        return answer(404, 'text/plain', 'try /livez, /readyz or /metrics\n');
    }
  });
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const reasonsOf = (ready: ReadyChecks): string[] =>
  Object.entries(ready).flatMap(([name, check]) => {
    const reason = check();
    return reason === undefined ? [] : [`${name}: ${reason}`];
  });

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
