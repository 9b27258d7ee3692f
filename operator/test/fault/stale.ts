// A replica of the API server that lags behind: lists and watches are answered as of an earlier resource version, and nothing
// newer is heard until it has caught up. What it says is real: the server itself is asked for its past.
import { constants, type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Live } from '../../runtime/object.ts';
import type { Request } from './request.ts';
import { statusText } from './status-text.ts';

export interface Past {
  readonly resourceVersion: string;
  readonly caughtUp: Promise<void>;
}

interface Asked {
  readonly stream: ServerHttp2Stream;
  readonly request: Request;
  readonly session: ClientHttp2Session;
}

interface ListAnswer {
  readonly kind: string;
  readonly apiVersion: string;
  readonly items: readonly Live[];
}

const INITIAL_END = 'k8s.io/initial-events-end';
const JSON_TYPE = { ':status': 200, 'content-type': 'application/json' };

export async function answerStale({ stream, request, session }: Asked, past: Past): Promise<void> {
  const from = request.query.get('resourceVersion');
  if (request.isWatch && from !== null && Number(from) > Number(past.resourceVersion)) {
    stream.respond({ ':status': 504, 'content-type': 'application/json', 'retry-after': '1' });
    return void stream.end(statusText(504));
  }
  const text = await get(session, listPath(request, past));
  if (stream.destroyed) return;
  stream.respond(JSON_TYPE);
  if (!request.isWatch) return void stream.end(text);
  if (from === null) for (const line of initialEvents(text, past)) stream.write(line);
  await past.caughtUp;
  if (!stream.destroyed) follow(stream, session, watchPath(request, past));
}

function listPath({ path, query }: Request, { resourceVersion }: Past): string {
  const asked = new URLSearchParams({ resourceVersion, resourceVersionMatch: 'Exact' });
  for (const name of ['labelSelector', 'fieldSelector']) if (query.has(name)) asked.set(name, query.get(name) ?? '');
  return `${path}?${asked.toString()}`;
}

function watchPath({ path, query }: Request, { resourceVersion }: Past): string {
  const asked = new URLSearchParams(query);
  for (const name of ['sendInitialEvents', 'resourceVersionMatch']) asked.delete(name);
  asked.set('resourceVersion', resourceVersion);
  return `${path}?${asked.toString()}`;
}

function initialEvents(list: string, { resourceVersion }: Past): string[] {
  const { kind: listKind, apiVersion, items } = JSON.parse(list) as ListAnswer;
  const kind = listKind.replace(/List$/, '');
  const mark = { kind, apiVersion, metadata: { resourceVersion, annotations: { [INITIAL_END]: 'true' } } };
  const events = [
    ...items.map((item) => ({ type: 'ADDED', object: { ...item, kind, apiVersion } })),
    { type: 'BOOKMARK', object: mark },
  ];
  return events.map((event) => `${JSON.stringify(event)}\n`);
}

function get(session: ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const upstream = session.request({ ':method': 'GET', ':path': path, accept: 'application/json' });
    let status = 0;
    upstream.on('response', (headers) => (status = headers[':status'] ?? 0));
    upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
    upstream.on('error', reject);
    upstream.on('close', () => {
      const text = Buffer.concat(chunks).toString();
      if (status === 200) resolve(text);
      else reject(new Error(`GET ${path}: ${status} ${text}`));
    });
  });
}

function follow(stream: ServerHttp2Stream, session: ClientHttp2Session, path: string): void {
  const upstream = session.request({ ':method': 'GET', ':path': path, accept: 'application/json' });
  upstream.on('data', (chunk: Buffer) => !stream.destroyed && stream.write(chunk));
  upstream.on('error', () => undefined); // `close` follows
  upstream.on('close', () => stream.end());
  stream.on('close', () => upstream.close(constants.NGHTTP2_CANCEL));
}
