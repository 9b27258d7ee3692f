// The body of an HTTP request, within bounds.
import type { IncomingMessage } from 'node:http';

/** Undefined where it is longer than `limit` bytes. Rejects where the client goes away meanwhile. */
export async function bodyOf(request: IncomingMessage, limit: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limit) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
