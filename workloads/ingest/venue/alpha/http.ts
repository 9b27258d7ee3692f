// One poll of a provider: GET with a deadline, an answer of a bounded size, no redirects. Never throws.
import { etagIn, pauseMs, refusalOf, type Polled } from './poll.ts';

const DEADLINE_MS = 10_000;
export const MAX_BYTES = 1 << 20;

export interface Asked {
  readonly url: string;
  /** Bearer token. */
  readonly token?: string;
  /** Of the last answer. */
  readonly etag?: string;
  readonly wallNow: number;
}

export async function poll({ url, token, etag, wallNow }: Asked, signal: AbortSignal): Promise<Polled> {
  try {
    const response = await fetch(url, {
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    return await answerOf(response, wallNow);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return failed(cause instanceof Error ? cause.message : 'no answer');
  }
}

async function answerOf(response: Response, wallNow: number): Promise<Polled> {
  const { status, headers } = response;
  if (status === 200) {
    const text = await boundedText(response);
    if (text === undefined) return failed(`found more than ${MAX_BYTES} bytes, expected less`);
    return { kind: 'body', text, ...etagIn(headers.get('etag')) };
  }
  await response.body?.cancel();
  if (status === 304) return { kind: 'unchanged' };
  return failed(refusalOf(status), pauseMs(status, headers.get('retry-after'), wallNow));
}

const failed = (reason: string, afterMs = 0): Polled => ({ kind: 'failed', reason, afterMs });

/** Undefined where there is more than MAX_BYTES of it, unpacked. */
async function boundedText({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) return undefined; // leaving the loop cancels the rest
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
