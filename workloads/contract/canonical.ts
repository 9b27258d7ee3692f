// Canonical JSON (RFC 8785) and the hash over it. Called wherever two sides must agree that a content is the same.
import { createHash } from 'node:crypto';

/**
 * RFC 8785 text of a JSON value: ECMAScript's own number and string forms, keys sorted by UTF-16 code units, members
 * that are undefined left out. Throws a TypeError on a number that is not finite, as JSON has no form for it.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/** SHA-256 of the canonical JSON, first 16 hex digits: enough to tell revisions apart, short enough to read. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);
}
