// A proxy before the real API server, with TLS and HTTP/2 on both sides, that misbehaves as it is told: per request by
// `onRequest`, per connection by its `relay`. One proxy per operator, so that it sees each write of that operator, in order.
import {
  connect,
  constants,
  createSecureServer,
  type ClientHttp2Session,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Credentials } from '../../runtime/credentials.ts';
import { proxyCertificate } from './certificate.ts';
import { Relay } from './relay.ts';
import { requestOf, type Fault, type Request } from './request.ts';
import { statusText } from './status-text.ts';
import { answerStale, type Past } from './stale.ts';

/** Of an upstream answer, what a client may see. */
interface Upstream {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Mine {
  readonly relay: Relay;
  readonly authority: string;
}

const NOT_FORWARDED = new Set(['authorization', 'content-length', ':authority', ':scheme']);

export class Proxy {
  readonly relay: Relay;
  readonly #server: Http2SecureServer;
  /** One to the server, whatever becomes of those to the operator: what is in flight arrives though its sender is gone. */
  readonly #upstream: ClientHttp2Session;
  readonly #authority: string;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #watches = new Set<ServerHttp2Stream>();
  #isDead = false;
  /** What the server has done for this operator, in order, once it has answered. */
  readonly writes: Request[] = [];
  /** What to do with a request; undefined passes it on. */
  onRequest: (request: Request) => Fault | undefined = () => undefined;
  /** What becomes of the operator once the server has done this write. */
  #fateAfter: (request: Request) => 'heard' | 'lost' | undefined = () => undefined;
  /** While set, lists and watches are answered by a replica that stands there. */
  past: Past | undefined;

  private constructor(upstream: ClientHttp2Session, server: Http2SecureServer, mine: Mine) {
    this.#upstream = upstream;
    this.#server = server;
    this.relay = mine.relay;
    this.#authority = mine.authority;
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined); // `close` follows
      session.on('close', () => this.#sessions.delete(session));
    });
    server.on('stream', (stream, headers) => void this.#take(stream, headers));
    server.on('sessionError', () => undefined); // the other side may go first
  }

  static async open(upstream: Credentials): Promise<Proxy> {
    const { ca, certificate, key } = await proxyCertificate();
    const server = createSecureServer({ cert: certificate, key, settings: { maxConcurrentStreams: 100 } });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const relay = await Relay.open((server.address() as AddressInfo).port);
    const tls = await upstream.tls();
    const session = connect(upstream.origin, { ca: tls.ca, cert: tls.certificate, key: tls.key });
    return new Proxy(session, server, { relay, authority: ca });
  }

  /** What the operator connects with. */
  get credentials(): Credentials {
    const tls = { ca: this.#authority };
    return {
      origin: `https://127.0.0.1:${this.relay.port}`,
      tls: async () => tls,
      authorization: async () => undefined,
    };
  }

  /** Watches that are open. */
  get watches(): number {
    return this.#watches.size;
  }

  /** GOAWAY on every connection: what runs may end, new requests need another. */
  goAway(): void {
    for (const session of this.#sessions) if (!session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR);
  }

  /** Ends the open watches that `pick` chooses, after writing `lastWords`. */
  endWatches(lastWords = '', pick: () => boolean = () => true): void {
    for (const stream of [...this.#watches].filter(pick)) stream.end(lastWords);
  }

  /**
   * Once the server has done `count` more writes, nothing that the operator sends reaches it, whatever is on its way already:
   * to the server it is dead. The answer of the last write is `heard` by it or `lost`. Resolves with that write.
   */
  crashAfter(count: number, answer: 'heard' | 'lost'): Promise<Request> {
    let left = count;
    const { promise, resolve } = Promise.withResolvers<Request>();
    this.#fateAfter = (request) => {
      if (!isCounted(request) || --left !== 0) return undefined;
      this.#isDead = true;
      resolve(request);
      return answer;
    };
    return promise;
  }

  close(): void {
    this.relay.close();
    for (const session of this.#sessions) session.destroy();
    this.#upstream.destroy();
    this.#server.close();
  }

  async #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined); // the client may go first
    const chunks: Buffer[] = [];
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
    const request = requestOf(headers, Buffer.concat(chunks).toString());
    await this.#misbehave(stream, request, this.onRequest(request));
  }

  async #misbehave(stream: ServerHttp2Stream, request: Request, fault: Fault | undefined): Promise<void> {
    switch (fault?.do) {
      case 'stall':
        return undefined;
      case 'cut':
        return this.relay.cut();
      case 'answer':
        stream.respond({
          ':status': fault.status,
          'content-type': 'application/json',
          ...(fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) }),
        });
        return void stream.end(statusText(fault.status, fault.reason));
      case 'garbage':
        stream.respond({ ':status': 200, 'content-type': 'application/json' });
        return void stream.end('}\u0000{"kind":\n<html>\n');
      case 'goaway':
        await this.#pass(stream, request);
        return this.goAway();
      case 'hold':
        await fault.until;
        return await this.#pass(stream, request);
      case 'lose':
        return await this.#pass(stream, request, fault.by);
      case undefined:
        return await this.#pass(stream, request);
    }
  }

  async #pass(stream: ServerHttp2Stream, request: Request, lostBy?: 'cut' | 'stall'): Promise<void> {
    if (this.#isDead) return undefined;
    const session = this.#upstream;
    if (this.past !== undefined && request.isRead) return await answerStale({ stream, request, session }, this.past);
    if (request.isWatch) return this.#follow(stream, request);
    const answer = await this.#ask(request);
    if (answer === undefined) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const status = Number(answer.headers[':status']);
    const fate = request.isWrite && status < 300 ? this.#note(request) : undefined;
    if (fate === 'lost') return this.#vanish();
    if (lostBy === 'cut') return this.relay.cut();
    if (lostBy === 'stall' || stream.destroyed) return undefined;
    if (fate === 'heard') stream.once('close', () => this.#vanish());
    stream.respond(forwarded(answer.headers));
    return void stream.end(answer.body);
  }

  #note(request: Request): 'heard' | 'lost' | undefined {
    this.writes.push(request);
    return this.#fateAfter(request);
  }

  #vanish(): void {
    this.relay.mode = 'refusing';
    this.relay.cut();
  }

  /** Undefined where the connection to the server was lost. */
  #ask({ headers, body }: Request): Promise<Upstream | undefined> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let answered: IncomingHttpHeaders | undefined;
      const upstream = this.#upstream.request(forwarded(headers), { endStream: body === '' });
      upstream.on('response', (given) => (answered = given));
      upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
      upstream.on('error', () => undefined); // `close` follows
      upstream.on('close', () =>
        resolve(answered === undefined ? undefined : { headers: answered, body: Buffer.concat(chunks) }),
      );
      if (body !== '') upstream.end(body);
    });
  }

  #follow(stream: ServerHttp2Stream, { headers }: Request): void {
    this.#watches.add(stream);
    if (stream.destroyed) return;
    const upstream = this.#upstream.request(forwarded(headers), { endStream: true });
    // One that was ended before has been answered by that.
    upstream.on('response', (given) => !stream.destroyed && !stream.headersSent && stream.respond(forwarded(given)));
    upstream.on('data', (chunk: Buffer) => !stream.destroyed && !stream.writableEnded && stream.write(chunk));
    upstream.on('error', () => undefined); // `close` follows
    upstream.on('close', () => stream.end());
    stream.on('close', () => {
      this.#watches.delete(stream);
      upstream.close(constants.NGHTTP2_CANCEL);
    });
  }
}

/** Every write but the renewal of a Lease, whose number depends on the clock. */
export const isCounted = ({ isLease, body }: Request): boolean => !isLease || isAcquisition(body);

function isAcquisition(body: string): boolean {
  const { spec } = JSON.parse(body) as { spec: { acquireTime?: string; renewTime?: string } };
  return spec.acquireTime !== undefined && spec.acquireTime === spec.renewTime;
}

const forwarded = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_FORWARDED.has(name)));
