// One request of the operator, as the proxy sees it, and what can be done to it.
import type { IncomingHttpHeaders } from 'node:http2';

export type Fault =
  /** RST of every connection; the server never sees it. */
  | { readonly do: 'cut' }
  /** Taken and never answered; the server never sees it. */
  | { readonly do: 'stall' }
  /** Answered in the server's place. */
  | { readonly do: 'answer'; readonly status: number; readonly reason: string; readonly retryAfterSeconds?: number }
  | { readonly do: 'garbage' }
  /** Passed on, then GOAWAY. */
  | { readonly do: 'goaway' }
  /** Passed on when this resolves: a delay, or a write in flight while others act. */
  | { readonly do: 'hold'; readonly until: Promise<unknown> }
  /** The server does it, and nobody hears of it. */
  | { readonly do: 'lose'; readonly by: 'cut' | 'stall' };

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly isWrite: boolean;
  readonly isWatch: boolean;
  /** A list or a watch. */
  readonly isRead: boolean;
  /** Of the Lease by which leaders are elected. */
  readonly isLease: boolean;
  /** Of an Event, which people read and no operator does. */
  readonly isEvent: boolean;
  /** `PATCH deployments/demo-router-0`, for messages. */
  readonly title: string;
}

export function requestOf(headers: IncomingHttpHeaders, body: string): Request {
  const method = headers[':method'] ?? '';
  const url = new URL(headers[':path'] ?? '/', 'https://server');
  const isWatch = url.searchParams.get('watch') === 'true';
  const isLease = url.pathname.includes('/leases');
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    headers,
    body,
    isWrite: method !== 'GET',
    isWatch,
    isRead: method === 'GET' && !isLease && (isWatch || !isOne(url.pathname)),
    isLease,
    isEvent: url.pathname.endsWith('/events'),
    title: `${method} ${url.pathname.split('/namespaces/')[1]?.split('/').slice(1).join('/') ?? url.pathname}`,
  };
}

/** `/apis/group/version/namespaces/ns/kind/name`: seven parts and more name one object; of the core group, six. */
function isOne(path: string): boolean {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.length > (parts[0] === 'api' ? 5 : 6);
}
