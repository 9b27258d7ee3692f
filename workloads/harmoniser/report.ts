// Reports as they come from Redis, checked before they reach the volume: what is on it is acted on at every start, so one
// that cannot be would end each start. Pure.
import { isObject, parseJson } from '../contract/json.ts';
import type { VenueReport } from '../contract/messages.ts';

type Field = (value: unknown) => boolean;

const text: Field = (value) => typeof value === 'string' && value !== '';
const integer: Field = (value) => Number.isSafeInteger(value);
const amount: Field = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const oneOf =
  (...words: readonly string[]): Field =>
  (value) =>
    words.includes(value as string);
const all =
  (field: Field): Field =>
  (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(field);

const scale: Field = (value) => Number.isSafeInteger(value) && (value as number) > 0;
/** An earlier version of the venue did not write it. */
const orAbsent =
  (field: Field): Field =>
  (value) =>
    value === undefined || field(value);

const EVERY: Readonly<Record<string, Field>> = {
  seq: amount,
  bootId: text,
  symbol: text,
  t: (value) => Number.isFinite(value),
};
const OF_KIND: Readonly<Record<VenueReport['kind'], Readonly<Record<string, Field>>>> = {
  accepted: { orderId: text },
  fill: {
    orderId: text,
    tradeId: text,
    side: oneOf('buy', 'sell'),
    lots: amount,
    ticks: amount,
    notionalMicros: amount,
    feeMicros: integer,
    quantityScale: orAbsent(scale),
  },
  done: { orderId: text, outcome: oneOf('Filled', 'Expired', 'Cancelled'), filledLots: amount },
  rejected: { orderId: text, reason: (value) => typeof value === 'string' },
  account: {
    requestId: text,
    cashMicros: integer,
    positions: all(integer),
    quantityScales: orAbsent(all(scale)),
    openOrders: all(text),
    epoch: amount,
  },
};

/** The report in a JSON text, or why there is none: what was found, by its field. */
export function parseReport(json: string): { readonly report: VenueReport } | { readonly problem: string } {
  const found = parseJson(json);
  if (!isObject(found)) return { problem: found === undefined ? 'not JSON' : 'not an object' };
  const kind = found['kind'];
  if (typeof kind !== 'string' || !Object.hasOwn(OF_KIND, kind)) return { problem: `kind: found ${String(kind)}` };
  const fields = { ...EVERY, ...OF_KIND[kind as VenueReport['kind']] };
  const wrong = Object.entries(fields).find(([name, isSound]) => !isSound(found[name]));
  if (wrong !== undefined) return { problem: `${wrong[0]}: found ${JSON.stringify(found[wrong[0]])}` };
  return { report: found as unknown as VenueReport };
}
