// The connections of the client of a model server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { IDLE_MS, newClient } from '../inference/client.ts';

describe('a connection to a model server', () => {
  it('is used again, and given up before a server that closes idle ones after 5 s does', async () => {
    const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
    server.keepAliveTimeout = 0; // it never closes one, nor tells when it would
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = newClient(url, 2);
    const ask = async () => assert.equal((await client.call({ url, body: '{}', timeoutMs: 30_000, maxBytes: 100 })).kind, 'answer'); // prettier-ignore
    await ask();
    await ask();
    assert.equal(sockets.length, 1);
    const idleSince = performance.now();
    await once(sockets[0]!, 'close', { signal: AbortSignal.timeout(60_000) });
    const idleMs = performance.now() - idleSince;
    assert.ok(idleMs > 3_000, `${idleMs}`);
    assert.ok(IDLE_MS < 4_900);
    await ask();
    assert.equal(sockets.length, 2);
    client.close();
    server.close();
    server.closeAllConnections();
  });
  it('may wait for its answer for longer than it may be idle', async () => {
    const server = createServer((_, response) => void setTimeout(() => response.end('{}'), 4_500));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = newClient(url, 2);
    assert.equal((await client.call({ url, timeoutMs: 60_000, maxBytes: 100 })).kind, 'answer');
    client.close();
    server.close();
    server.closeAllConnections();
  });
});
