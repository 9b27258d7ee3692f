// Reading outside JSON without a throw: shared by the venues' decoders.
import type { Malformed } from './frame.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The value, or undefined where the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller turns it into Malformed
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A sequence or trade id: a safe integer ≥ 0. */
export const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

export const malformed = (reason: Malformed['reason'], detail = ''): Malformed => ({
  kind: 'malformed',
  reason,
  detail,
});
