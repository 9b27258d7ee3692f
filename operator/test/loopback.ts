// An API server that exists to misbehave: HTTP/2 without TLS on the loopback, each request answered by the test.
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Api } from '../runtime/client.ts';
import type { Credentials } from '../runtime/credentials.ts';
import { TIMING, type Timing } from '../runtime/dial.ts';

export interface Loopback {
  readonly api: Api;
  readonly port: number;
  /** Requests so far. */
  readonly count: () => number;
  /** Tells every client to open another connection for what comes; what was looked at may end here. */
  goAway(): void;
  close(): void;
}

export interface LoopbackOptions {
  readonly authorization?: Credentials['authorization'];
  readonly timing?: Partial<Timing>;
  /** Where the client connects instead: a relay to this port. */
  readonly through?: (port: number) => Promise<number>;
}

type AnswerRequest = (stream: ServerHttp2Stream, path: string, headers: IncomingHttpHeaders) => void;

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/** It takes as many streams on a connection as a kube-apiserver does. */
export async function aLoopback(answer: AnswerRequest, options: LoopbackOptions = {}): Promise<Loopback> {
  const server = createServer({ settings: { maxConcurrentStreams: 100 } });
  /** The last stream that was looked at, of each. */
  const sessions = new Map<ServerHttp2Session, number>();
  let requests = 0;
  server.on('session', (session) => {
    sessions.set(session, 0);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    requests += 1;
    if (stream.session !== undefined) sessions.set(stream.session as ServerHttp2Session, stream.id ?? 0);
    stream.on('error', () => undefined); // the client may go first
    answer(stream, headers[':path'] ?? '', headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { authorization = async () => undefined, timing, through = async (port) => port } = options;
  const port = await through(portOf(server));
  const credentials = { origin: `http://127.0.0.1:${port}`, tls: async () => ({}), authorization };
  const api = Api.open({ credentials, timing: { ...TIMING, ...timing } });
  return {
    api,
    port: portOf(server),
    count: () => requests,
    goAway: () => {
      for (const [session, last] of sessions) session.goaway(constants.NGHTTP2_NO_ERROR, last);
    },
    close: () => {
      api.close();
      for (const session of sessions.keys()) session.destroy();
      server.close();
    },
  };
}

export interface Relay {
  readonly port: number;
  /** From now on nothing passes on what is open, and nobody is told. */
  swallow(): void;
  close(): void;
}

/** A relay of bytes to a port on the loopback. */
export async function aRelay(to: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let dead = new Set<Socket>();
  const server: Server = createTcpServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    for (const [from, into] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(from);
      from.on('error', () => into.destroy());
      from.on('close', () => (dead.has(client) ? undefined : into.destroy()));
      from.on('data', (bytes) => (dead.has(client) ? undefined : into.write(bytes)));
    } // prettier-ignore
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    swallow: () => (dead = new Set(sockets)),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
