// The runbook's HTTP API, as far as it only reads. Called by main.ts and by tests.
import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { healthOf } from './health.ts';
import type { Seen } from './seen.ts';
import { systemStatus } from './summary.ts';

export interface ApiOptions {
  readonly look: () => Promise<Seen>;
  readonly registry: Registry;
}

const ROUTES = ['/health', '/metrics', '/api/ready', '/api/status'];

/** Not listening yet. `/health` answers 503 only when unhealthy: a degraded system still does its work. */
export function createApi({ look, registry }: ApiOptions): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.get('/health', async (_request, reply) => {
    const health = healthOf(await look());
    return reply.code(health.status === 'unhealthy' ? 503 : 200).send(health);
  });
  app.get('/api/ready', async (_request, reply) => {
    const { redisConnected } = await look();
    return reply
      .code(redisConnected ? 200 : 503)
      .send({ ready: redisConnected, ...(redisConnected ? {} : { reason: 'redis is away' }) });
  });
  app.get('/api/status', async () => systemStatus(await look()));
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send({ error: `${request.method} ${request.url} is not here`, there: ROUTES }),
  );
  return app;
}
