import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { createApi } from './api.ts';
import type { Seen } from './seen.ts';
import { aHarmoniser, anIngest, aRouter, seen } from './test/builders.ts';

const WELL = seen([anIngest(), aRouter(), aHarmoniser()]);
const get = async (given: Seen, url: string) => {
  const response = await createApi({ look: async () => given, registry: new Registry() }).inject({ url });
  return { status: response.statusCode, type: response.headers['content-type'], body: response.body };
};

describe('the HTTP API', () => {
  it('gives 200 on /health while the system works, also where it is degraded, and 503 where it does not', async () => {
    assert.equal((await get(WELL, '/health')).status, 200);
    const degraded = await get(seen([anIngest({ ready: false }), aRouter(), aHarmoniser()]), '/health');
    assert.deepEqual([degraded.status, JSON.parse(degraded.body).status], [200, 'degraded']);
    const down = await get({ ...WELL, redisConnected: false }, '/health');
    assert.deepEqual([down.status, JSON.parse(down.body).status], [503, 'unhealthy']);
  });
  it('is ready exactly while Redis answers, and says why not', async () => {
    assert.deepEqual(JSON.parse((await get(WELL, '/api/ready')).body), { ready: true });
    const { status, body } = await get({ ...WELL, redisConnected: false }, '/api/ready');
    assert.deepEqual([status, JSON.parse(body)], [503, { ready: false, reason: 'redis is away' }]);
  });
  it('gives the status of a system that is down as well: what is not known is null', async () => {
    const { status, body } = await get({ ...WELL, redisConnected: false, document: undefined }, '/api/status');
    const { health, trading, equityUsd } = JSON.parse(body) as Record<string, unknown>;
    assert.deepEqual([status, health, trading, equityUsd], [200, 'unhealthy', 'Unknown', null]);
  });
  it('gives metrics as Prometheus reads them', async () => {
    const { status, type } = await get(WELL, '/metrics');
    assert.equal(status, 200);
    assert.match(String(type), /^text\/plain; version=/);
  });
  it('says what there is to anything else', async () => {
    const { status, body } = await get(WELL, '/api/nonsense');
    assert.equal(status, 404);
    assert.match(body, /GET \/api\/nonsense.*\/api\/status/);
  });
});
