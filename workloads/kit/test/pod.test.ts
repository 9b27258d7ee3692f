// How a pod ends, as a process against a real Redis.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { desiredKey, partsKey } from '../../contract/keys.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from './redis.ts';

/** Less than a pod may take to write what is decided, after which it would end all the same; more than a read that blocks. */
const AT_ONCE_MS = 4_800;

describe('a pod that is told to stop', () => {
  let server: TestRedis;
  let folder: PodFolder;
  before(async () => {
    server = await startRedis();
    folder = podFolder('router', { ...CONFIG, redisUrl: server.url });
  });
  after(async () => {
    folder.remove();
    await server.stop();
  });

  it('ends as soon as its work is done, with 0', async () => {
    const redis = await server.client();
    await redis.set(desiredKey('demo'), JSON.stringify(aFullDocument()));
    const main = join(import.meta.dirname, '..', '..', 'router', 'main.ts');
    const pod = spawn(process.execPath, [main], { env: { ...process.env, ...folder.env }, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => pod.once('exit', resolve));
    await eventually('its status', () => redis.hget(partsKey('demo'), 'router-0').then((text) => text ?? undefined));
    const toldAt = performance.now();
    pod.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.ok(performance.now() - toldAt < AT_ONCE_MS, `${performance.now() - toldAt} ms`);
  });
});
