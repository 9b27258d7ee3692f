// HTTP to one model server: keep-alive, a deadline for each request, answers of a bounded size. Made by server.ts. On node:http,
// not on fetch: that takes several times the CPU for a small request, of the thread that makes the signals.
import { Agent, request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as requestHttps } from 'node:https';
import type { Credentials } from './credentials.ts';

export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  /** More than `maxBytes`. */
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable'; readonly detail: string };

export interface Call {
  readonly url: string;
  /** Absent: GET. */
  readonly body?: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface Client {
  /** Never rejects. The whole answer must be there within `timeoutMs`. Redirects are not followed: none is documented. */
  call(call: Call): Promise<Reply>;
  /** Ends what is under way, and every connection. */
  close(): void;
}

/**
 * An idle connection is given up before the server does: a question that crosses its end on the way is a failure. Uvicorn, in which
 * many Python servers run, closes after 5 s and does not say so (uvicorn.org, "Settings", timeout_keep_alive).
 */
export const IDLE_MS = 4_000;

/** A client of the server at `url`; `maxSockets` connections at most. `credentials` are asked for each request, and sent over TLS only. */
export function newClient(url: string, maxSockets: number, credentials: () => Credentials = () => ({})): Client {
  const isTls = url.startsWith('https:');
  const kept = { keepAlive: true, maxSockets, timeout: IDLE_MS };
  const agent = isTls ? new TlsAgent(kept) : new Agent(kept);
  const dial: Dial = (call, { token, ca }) => {
    const { url: to, body } = call;
    const asked = { agent, method: body === undefined ? 'GET' : 'POST', headers: headersOf(body, token) };
    return isTls ? requestHttps(to, { ...asked, ...(ca === undefined ? {} : { ca }) }) : requestHttp(to, asked);
  };
  return {
    call: async (call) => {
      const found = isTls ? credentials() : {};
      if ('problem' in found) return { kind: 'unreachable', detail: found.problem };
      return withoutToken(await replyTo(call, found, dial), found.token);
    },
    close: () => agent.destroy(),
  };
}

type Known = Exclude<Credentials, { readonly problem: string }>;
type Dial = (call: Call, known: Known) => ClientRequest;

const headersOf = (body: string | undefined, token: string | undefined): Record<string, string | number> => ({
  accept: 'application/json',
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
});

const replyTo = (call: Call, known: Known, dial: Dial): Promise<Reply> =>
  new Promise((resolve) => {
    try {
      const { body, timeoutMs, maxBytes } = call;
      const request = dial(call, known);
      const settle = settling(request, timeoutMs, resolve);
      request.on('error', (error) => settle({ kind: 'unreachable', detail: detailOf(error) }));
      request.once('response', (response) => read(response, maxBytes, settle));
      request.end(body);
    } catch (error) {
      // A CA that cannot be read, for one.
      resolve({ kind: 'unreachable', detail: error instanceof Error ? detailOf(error) : 'no request' });
    }
  });

/** What cannot be read is shown in logs: some servers quote what they were sent, and not only with a refusal. */
function withoutToken(reply: Reply, token: string | undefined): Reply {
  if (token === undefined || reply.kind !== 'answer') return reply;
  return { ...reply, text: reply.text.replaceAll(token, '…') };
}

type Settle = (reply: Reply) => void;

/**
 * The first reply counts, and there is one whatever becomes of the connection: some of its ends (a 101) are no error to node:http.
 * Whatever else than an answer ends the connection: nobody knows what would come on it next.
 */
function settling(request: ClientRequest, timeoutMs: number, resolve: Settle): Settle {
  let isSettled = false;
  const settle: Settle = (reply) => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    resolve(reply);
    if (reply.kind !== 'answer') request.destroy();
  };
  const timer = setTimeout(() => settle({ kind: 'timeout' }), timeoutMs).unref();
  return settle;
}

function read(response: IncomingMessage, maxBytes: number, settle: Settle): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > maxBytes) settle({ kind: 'tooLarge' });
    else chunks.push(chunk);
  });
  response.once('end', () =>
    settle({ kind: 'answer', status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
  );
  response.on('error', (error) => settle({ kind: 'unreachable', detail: detailOf(error) }));
}

const detailOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;
