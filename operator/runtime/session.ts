// Requests and watches on one HTTP/2 connection at a time. A dead peer is found by PING, not by waiting for data
// (docs/adr/0001-own-watch-runtime.md). Called by connections.ts.
import { constants, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import type { Credentials } from './credentials.ts';
import { dial, ping, type Timing } from './dial.ts';
import { ApiError, isUnauthorized } from './errors.ts';

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
  /** Asked in the very turn in which the request goes out, each time it does; what it throws is thrown. */
  readonly mayGo?: () => void;
  /** Aborted, the call is given up. */
  readonly signal?: AbortSignal;
}

export interface Reading {
  readonly path: string;
  /** Called once, before any data. */
  readonly onOpen: (answer: Pick<Answer, 'status' | 'headers'>) => void;
  readonly onData: (text: string) => void;
  readonly signal: AbortSignal;
}

interface Request {
  readonly headers: OutgoingHttpHeaders;
  /** Else node:http2 ends a DELETE before its body, and the server deletes without our preconditions. */
  readonly hasBody: boolean;
  readonly mayGo?: (() => void) | undefined;
}

interface Sent {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  readonly authorization: string | undefined;
}

/**
 * Connects at the first use and again at the next use after a loss or a GOAWAY; calls that run on a connection that goes away
 * end there, watches move. Whoever waits on a lost connection gets an ApiError 0.
 */
export class Session {
  readonly #credentials: Credentials;
  readonly #timing: Timing;
  #current: Promise<ClientHttp2Session> | undefined;
  /** The authorization that was answered with 401 last. */
  #refused: string | undefined;
  #closed = false;
  /** Connections made so far. */
  connections = 0;

  constructor(credentials: Credentials, timing: Timing) {
    this.#credentials = credentials;
    this.#timing = timing;
  }

  /** Asks once more, on another connection or with another token, where the server has not looked at it: a GOAWAY, a 401. */
  async call(call: Call): Promise<Answer> {
    const first = await this.#callOnce(call);
    if (first !== UNPROCESSED && !isUnauthorized(first.status)) return first;
    const second = await this.#callOnce(call);
    if (second === UNPROCESSED) throw new ApiError(0, 'refused twice by a connection that closes');
    return second;
  }

  async #callOnce({
    method,
    path,
    headers = {},
    body,
    deadlineMs,
    mayGo,
    signal,
  }: Call): Promise<Answer | Unprocessed> {
    const request = { headers: { ...headers, ':method': method, ':path': path }, hasBody: body !== undefined, mayGo };
    const { session, stream, authorization } = await this.#send(request);
    const doubt = setTimeout(() => ping(session, this.#timing), this.#timing.doubtAfterMs);
    const giveUp = (): void => stream.close(constants.NGHTTP2_CANCEL);
    const deadline = setTimeout(giveUp, deadlineMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted === true) giveUp();
    try {
      const answer = await answerOf(stream, session, body);
      if (answer !== UNPROCESSED && isUnauthorized(answer.status)) this.#refused = authorization;
      return answer;
    } finally {
      clearTimeout(doubt);
      clearTimeout(deadline);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /**
   * Reads until the stream ends, for whatever reason; resolves at a clean end, or to be begun again on another connection,
   * and rejects with ApiError 0 otherwise.
   */
  async read({ path, onOpen, onData, signal }: Reading): Promise<void> {
    const headers = { ':method': 'GET', ':path': path, accept: 'application/json' };
    const { session, stream, authorization } = await this.#send({ headers, hasBody: false });
    let moves = false;
    const abort = (): void => stream.close(constants.NGHTTP2_CANCEL);
    // node:http2 sends no PING where the server has said GOAWAY: a watch that stayed could go blind.
    const move = (): void => {
      moves = true;
      abort();
    };
    session.once('goaway', move);
    const doubt = setTimeout(() => ping(session, this.#timing), this.#timing.doubtAfterMs);
    const unopened = setTimeout(abort, this.#timing.openWithinMs);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const open = (answer: Pick<Answer, 'status' | 'headers'>): void => {
      clearTimeout(doubt);
      clearTimeout(unopened);
      if (isUnauthorized(answer.status)) this.#refused = authorization;
      onOpen(answer);
    };
    try {
      await readAll(stream, {
        onOpen: open,
        onData,
        lost: () => lost(session),
        isAborted: () => signal.aborted || moves,
      });
    } finally {
      clearTimeout(doubt);
      clearTimeout(unopened);
      session.off('goaway', move);
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

  async #send({ headers, hasBody, mayGo }: Request): Promise<Sent> {
    const authorization = await this.#credentials.authorization(this.#refused);
    const session = await this.#usable();
    mayGo?.();
    const all = authorization === undefined ? headers : { ...headers, authorization };
    try {
      return { session, stream: session.request(all, { endStream: !hasBody }), authorization };
    } catch (cause) {
      throw new ApiError(0, 'connection to the API server is closing', { cause });
    }
  }

  /** One that takes requests: where the one at hand has just begun to close, another. */
  async #usable(): Promise<ClientHttp2Session> {
    const opening = this.#session();
    const session = await opening;
    if (!session.closed && !session.destroyed) return session;
    if (this.#current === opening) this.#current = undefined;
    return this.#session();
  }

  #session(): Promise<ClientHttp2Session> {
    if (this.#closed) return Promise.reject(new ApiError(0, 'session is closed'));
    this.#current ??= this.#connect();
    return this.#current;
  }

  #connect(): Promise<ClientHttp2Session> {
    this.connections += 1;
    const opening = dial(this.#credentials, this.#timing);
    // The next use connects anew; what still runs on this one ends by itself.
    const forget = (): void => {
      if (this.#current === opening) this.#current = undefined;
    };
    const onceOpen = (session: ClientHttp2Session): void => {
      for (const end of ['goaway', 'close', 'error']) session.once(end, forget);
    };
    opening.then(onceOpen, forget);
    return opening;
  }
}

/** The server has ended the stream before it did anything about the request (RFC 9113, 8.7): it may be sent again. */
const UNPROCESSED = 'unprocessed';
type Unprocessed = typeof UNPROCESSED;

function answerOf(
  stream: ClientHttp2Stream,
  session: ClientHttp2Session,
  body: string | undefined,
): Promise<Answer | Unprocessed> {
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
      if (ended && isOrderly(stream) && status > 0) resolve({ status, headers, text: chunks.join('') });
      else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve(UNPROCESSED);
      else reject(lost(session));
    });
    stream.end(body);
  });
}

interface Reader extends Pick<Reading, 'onOpen' | 'onData'> {
  readonly lost: () => ApiError;
  readonly isAborted: () => boolean;
}

function readAll(stream: ClientHttp2Stream, { onOpen, onData, lost, isAborted }: Reader): Promise<void> {
  return new Promise((resolve, reject) => {
    let ended = false;
    const guarded = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        reject(error); // garbage on the wire: whoever reads starts again
        stream.close(constants.NGHTTP2_CANCEL);
      }
    };
    stream.setEncoding('utf8');
    stream.on('response', (headers) =>
      guarded(() => onOpen({ status: headers[':status'] ?? 0, headers: headers as Answer['headers'] })),
    );
    stream.on('data', (text: string) => guarded(() => onData(text)));
    stream.on('end', () => (ended = true));
    stream.on('error', () => undefined); // settled at `close`, which always follows
    stream.on('close', () => ((ended && isOrderly(stream)) || isAborted() ? resolve() : reject(lost())));
    stream.end();
  });
}

/** What was cut, by us or by the server, ends as well. */
const isOrderly = (stream: ClientHttp2Stream): boolean => stream.rstCode === constants.NGHTTP2_NO_ERROR;

const lost = (session: ClientHttp2Session): ApiError =>
  new ApiError(0, session.destroyed ? 'connection to the API server lost' : 'no answer from the API server');
