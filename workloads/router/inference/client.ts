// HTTP to one model server: keep-alive, a deadline for each request, answers of a bounded size. Called by server.ts.

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
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

/**
 * Never rejects, and answers at the deadline at the latest: the whole answer must be there by then. Redirects are not
 * followed: none is documented. (Not AbortSignal.any of a timeout and `signal`: the one may be collected before it fires,
 * and of each request something would be left at the other, which lives as long as the server is asked.)
 */
export async function call({ url, body, timeoutMs, maxBytes, signal }: Call): Promise<Reply> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<Reply>((resolve) => {
    timer = setTimeout(() => {
      resolve({ kind: 'timeout' });
      end();
    }, timeoutMs);
  });
  signal.addEventListener('abort', end);
  try {
    return await Promise.race([exchange({ url, body, maxBytes, signal: ending.signal }), deadline]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

interface Exchange {
  readonly url: string;
  readonly body: string | undefined;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

async function exchange({ url, body, maxBytes, signal }: Exchange): Promise<Reply> {
  try {
    const response = await fetch(url, {
      signal,
      redirect: 'error',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    const text = await readText(response, maxBytes);
    return text === undefined ? { kind: 'tooLarge' } : { kind: 'answer', status: response.status, text };
  } catch (error) {
    return { kind: 'unreachable', detail: detailOf(error) };
  }
}

/** The body; undefined where it is longer, whose rest is not read. */
async function readText({ body }: Response, maxBytes: number): Promise<string | undefined> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined; // leaving the loop cancels the rest
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** fetch says "fetch failed"; why is in the cause. */
function detailOf(error: unknown): string {
  const { cause, message } = error as Error;
  if (!(cause instanceof Error)) return message;
  return (cause as NodeJS.ErrnoException).code ?? cause.message;
}
