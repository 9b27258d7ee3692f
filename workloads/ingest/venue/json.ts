// What the venues' decoders check alike.
import type { Malformed } from './frame.ts';

/** A sequence or trade id: a safe integer ≥ 0. */
export const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

export const malformed = (reason: Malformed['reason'], detail = ''): Malformed => ({
  kind: 'malformed',
  reason,
  detail,
});

/** An ISO 8601 time → epoch ms; 0 where it is none, or before 1970. */
export function epochMs(time: unknown): number {
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return at > 0 ? at : 0;
}
