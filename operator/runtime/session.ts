// One HTTP/2 connection for requests and watches alike. A dead peer is found by PING, not by waiting for data
// (docs/adr/0001-own-watch-runtime.md). Called by connections.ts.
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Credentials } from './credentials.ts';
import { ApiError } from './errors.ts';

const CONNECT_MS = 5_000;
const PING_EVERY_MS = 10_000;
const PING_ANSWER_MS = 5_000;
/** An unanswered request makes us doubt the connection before the next PING is due. */
const DOUBT_AFTER_MS = 1_000;
const STREAM_WINDOW = 1 << 20;
const SESSION_WINDOW = 2 << 20;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** No answer by then: the stream is given up, and the connection doubted. */
  readonly deadlineMs: number;
}

export interface Reading {
  readonly path: string;
  /** Called once, before any data. */
  readonly onOpen: (status: number) => void;
  readonly onData: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Connects at the first use and again at the next use after a loss. Whoever waits on a lost connection gets an ApiError 0. */
export class Session {
  readonly #credentials: Credentials;
  #current: Promise<ClientHttp2Session> | undefined;
  #closed = false;
  /** Connections made so far. */
  connections = 0;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  async call({ method, path, headers = {}, body, deadlineMs }: Call): Promise<Answer> {
    const session = await this.#session();
    const stream = await this.#open(session, { ...headers, ':method': method, ':path': path }, body !== undefined);
    const doubt = setTimeout(() => ping(session), DOUBT_AFTER_MS);
    const deadline = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), deadlineMs);
    try {
      return await answerOf(stream, session, body);
    } finally {
      clearTimeout(doubt);
      clearTimeout(deadline);
    }
  }

  /** Reads until the stream ends, for whatever reason; resolves at a clean end, rejects with ApiError 0 otherwise. */
  async read({ path, onOpen, onData, signal }: Reading): Promise<void> {
    const session = await this.#session();
    const stream = await this.#open(session, { ':method': 'GET', ':path': path, accept: 'application/json' });
    const abort = (): void => stream.close(constants.NGHTTP2_CANCEL);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      await new Promise<void>((resolve, reject) => {
        let ended = false;
        stream.setEncoding('utf8');
        stream.on('response', (headers) => onOpen(headers[':status'] ?? 0));
        stream.on('data', (text: string) => {
          try {
            onData(text);
          } catch (error) {
            reject(error); // garbage on the wire: whoever reads starts again
            abort();
          }
        });
        stream.on('end', () => (ended = true));
        stream.on('error', () => undefined); // settled at `close`, which always follows
        stream.on('close', () => (ended || signal.aborted ? resolve() : reject(lost(session))));
        stream.end();
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  close(): void {
    this.#closed = true;
    const current = this.#current;
    this.#current = undefined;
    current?.then(
      (session) => session.close(),
      () => undefined,
    );
  }

  /** `hasBody`: else node:http2 ends a DELETE before its body, and the server deletes without our preconditions. */
  async #open(session: ClientHttp2Session, headers: OutgoingHttpHeaders, hasBody = false): Promise<ClientHttp2Stream> {
    const authorization = await this.#credentials.authorization();
    const all = { ...headers, ...(authorization === undefined ? {} : { authorization }) };
    try {
      return session.request(all, { endStream: !hasBody });
    } catch (cause) {
      throw new ApiError(0, 'connection to the API server is closing', { cause });
    }
  }

  #session(): Promise<ClientHttp2Session> {
    if (this.#closed) return Promise.reject(new ApiError(0, 'session is closed'));
    this.#current ??= this.#connect();
    return this.#current;
  }

  #connect(): Promise<ClientHttp2Session> {
    const { origin, ca, certificate, key, skipVerify } = this.#credentials;
    this.connections += 1;
    const session = connect(origin, {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      rejectUnauthorized: skipVerify !== true,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    const pinging = setInterval(() => ping(session), PING_EVERY_MS);
    pinging.unref();
    const opening = new Promise<ClientHttp2Session>((resolve, reject) => {
      const tooLate = setTimeout(() => session.destroy(new Error(`no connection within ${CONNECT_MS} ms`)), CONNECT_MS);
      session.once('connect', () => {
        clearTimeout(tooLate);
        session.setLocalWindowSize(SESSION_WINDOW);
        resolve(session);
      });
      session.on('error', (cause: Error) => reject(new ApiError(0, `${origin}: ${cause.message}`, { cause })));
      session.once('close', () => {
        clearTimeout(tooLate);
        clearInterval(pinging);
        reject(new ApiError(0, `${origin}: connection closed`));
      });
    });
    // The next use connects anew; what still runs on this one ends by itself.
    const forget = (): void => {
      if (this.#current === opening) this.#current = undefined;
    };
    session.once('goaway', forget);
    session.once('close', forget);
    session.once('error', forget);
    return opening;
  }
}

/** A peer that does not answer within PING_ANSWER_MS is gone, whatever TCP thinks. */
function ping(session: ClientHttp2Session): void {
  if (session.destroyed || session.closed) return;
  const silent = setTimeout(() => session.destroy(new Error('no answer to PING')), PING_ANSWER_MS);
  silent.unref();
  try {
    session.ping(() => clearTimeout(silent));
  } catch {
    clearTimeout(silent); // too many PINGs under way: one of them will tell
  }
}

function answerOf(stream: ClientHttp2Stream, session: ClientHttp2Session, body: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: string[] = [];
    let status = 0;
    let ended = false;
    let headers: Answer['headers'] = {};
    stream.setEncoding('utf8');
    stream.on('response', (given) => {
      status = given[':status'] ?? 0;
      headers = given as Answer['headers'];
    });
    stream.on('data', (chunk: string) => chunks.push(chunk));
    stream.on('end', () => (ended = true));
    stream.on('error', () => undefined); // settled at `close`, which always follows
    stream.on('close', () => {
      if (ended && status > 0) resolve({ status, headers, text: chunks.join('') });
      else reject(lost(session));
    });
    stream.end(body);
  });
}

const lost = (session: ClientHttp2Session): ApiError =>
  new ApiError(0, session.destroyed ? 'connection to the API server lost' : 'no answer from the API server');
