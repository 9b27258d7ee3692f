// An API server that exists to misbehave: HTTP/2 without TLS on the loopback, each request answered by the test.
import { createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Api } from '../runtime/client.ts';

export interface Loopback {
  readonly api: Api;
  /** Requests so far. */
  readonly count: () => number;
  close(): void;
}

/** It takes as many streams on a connection as a kube-apiserver does. */
export async function aLoopback(answer: (stream: ServerHttp2Stream, path: string) => void): Promise<Loopback> {
  const server = createServer({ settings: { maxConcurrentStreams: 100 } });
  const sessions = new Set<Http2Session>();
  let requests = 0;
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    requests += 1;
    stream.on('error', () => undefined); // the client may go first
    answer(stream, headers[':path'] ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = Api.open({ credentials: { origin, authorization: async () => undefined } });
  return {
    api,
    count: () => requests,
    close: () => {
      api.close();
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}
