// How the gateway finds the Redis that is in use: by the document where it is connected, or by the mounted one.
import { pino } from 'pino';
import { desiredDocument, type DesiredDocument } from '../../contract/desired.ts';
import { desiredKey } from '../../contract/keys.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { followActive } from '../active-redis.ts';
import { readPodConfig } from '../config.ts';
import { connectRedis } from '../redis.ts';
import { eventually, podFolder, startRedis } from './redis.ts';

const naming = (version: number, active: string, owner = 'uid'): DesiredDocument => {
  const { owner: _, epoch, version: __, hash: ___, ...content } = aFullDocument();
  return desiredDocument({ owner, epoch, version }, { ...content, redis: { active } });
};

describe('which Redis is in use', () => {
  it('is what the newest document of the system says, in Redis or mounted', async () => {
    const server = await startRedis();
    const stored = await server.client();
    const redis = { urls: [server.url, 'redis://b:1', 'redis://c:1'], tls: false };
    const folder = podFolder('gateway', { ...CONFIG, redisUrl: server.url, redis });
    const pod = readPodConfig(folder.env);
    const client = connectRedis(pod, pino({ level: 'silent' }), { name: 'test' });
    const stop = new AbortController();
    let active = '';
    const following = followActive({ pod, redis: client, moveRedis: (url) => (active = url), signal: stop.signal });
    const becomes = (url: string) => eventually(url, () => (active === url ? true : undefined));
    await stored.set(desiredKey('demo'), JSON.stringify(naming(1, server.url)));
    await becomes(server.url);
    await stored.set(desiredKey('demo'), JSON.stringify(naming(2, 'redis://b:1')));
    await becomes('redis://b:1');
    folder.writeDesired(JSON.stringify(naming(3, 'redis://c:1')));
    await becomes('redis://c:1');
    await stored.set(desiredKey('demo'), JSON.stringify(naming(9, 'redis://b:1', 'another system')));
    folder.writeDesired(JSON.stringify(naming(4, server.url)));
    await becomes(server.url);
    stop.abort();
    await following;
    client.disconnect();
    folder.remove();
    await server.stop();
  });
});
