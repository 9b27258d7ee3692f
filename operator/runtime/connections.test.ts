import assert from 'node:assert/strict';
import { PODS } from '../kinds.ts';
import { aLoopback, type Loopback } from '../test/loopback.ts';

describe('the connections to the API server', () => {
  let server: Loopback;
  afterEach(() => server.close());

  it('leave room for calls, however many watches there are', async () => {
    server = await aLoopback((stream, path) => {
      stream.respond({ ':status': 200 });
      if (!path.includes('watch=true')) stream.end('{}');
    });
    const stopping = new AbortController();
    let opened = 0;
    const handlers = { onOpen: () => void (opened += 1), onEvent: () => undefined, signal: stopping.signal };
    const watches = Array.from({ length: 13 * 13 }, () => server.api.watch('/api/v1/pods', {}, handlers));
    await server.api.get(PODS, { name: 'a' });
    while (opened < watches.length) await new Promise(setImmediate);
    assert.equal(server.api.connections, 3);
    stopping.abort();
    await Promise.all(watches);
  });
  it('are one where the watches are few', async () => {
    server = await aLoopback((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('{}');
    });
    for (let i = 0; i < 200; i++) {
      await server.api.watch(
        '/api/v1/pods',
        {},
        { onOpen: () => undefined, onEvent: () => undefined, signal: new AbortController().signal },
      );
      await server.api.get(PODS, { name: 'a' });
    }
    assert.equal(server.api.connections, 1);
  });
});
