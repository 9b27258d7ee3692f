// The faults that a simulated venue has on request, one closed union; and how a request for one is read. Pure. Called by
// control.ts and tests; wire.ts and venue.ts carry them out.
import { isObject } from '../../contract/json.ts';
import type { VenueEvent } from '../player.ts';

/** Messages of what; of one symbol as the venue writes it, or of any. */
interface Some {
  readonly of: VenueEvent['kind'];
  readonly symbol?: string;
  readonly count: number;
}

/** Those of messages and streams meet the clients that are connected now; limit, refuse and quiet the whole venue. */
export type Fault =
  /** The next messages are never sent, though they are counted in whatever numbers the protocol has. */
  | ({ readonly fault: 'gap' } & Some)
  /** Each of the next messages comes after the one that follows it. */
  | ({ readonly fault: 'reorder' } & Some)
  | ({ readonly fault: 'duplicate' } & Some)
  /** In place of each of the next messages comes what is left of it: half of it, something else, a number that is none. */
  | ({ readonly fault: 'garbage' } & Some)
  /** One stream (`btcusdt@trade`, `level2:BTC-USD`), or all, says nothing any more; heartbeats and pings go on. */
  | { readonly fault: 'mute'; readonly stream?: string }
  /** Nothing at all comes any more, with the connection open. */
  | { readonly fault: 'stall'; readonly seconds: number }
  /** Everything comes late. */
  | { readonly fault: 'slow'; readonly delayMs: number; readonly seconds: number }
  /** Connections are closed in order, as after Binance's 24 h. */
  | { readonly fault: 'cut' }
  /** Connections end with a TCP reset. */
  | { readonly fault: 'reset' }
  /** 429 to every request, also to those for a connection. */
  | { readonly fault: 'limit'; readonly seconds: number }
  /** Connections end with a TCP reset, and no new one is taken. */
  | { readonly fault: 'refuse'; readonly seconds: number }
  /** The venue announces its end, and comes to it: Binance's serverShutdown. */
  | { readonly fault: 'shutdown'; readonly afterSeconds: number }
  /** The venue does not trade it, or any: no trade, no quote, its status says so, orders are refused; prices go on underneath. */
  | { readonly fault: 'halt'; readonly symbol?: string; readonly seconds: number }
  /** No fault: a market in which nothing happens, on a venue that lives. */
  | { readonly fault: 'quiet'; readonly seconds: number };

export type FaultName = Fault['fault'];

/** What is wrong with a request for a fault. */
export interface Refused {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
}

/** What the venue has that is asked. */
export interface Subject {
  readonly symbols: readonly string[];
  /** Of its messages; the first is meant where none is named. */
  readonly kinds: readonly VenueEvent['kind'][];
  /** Whether its protocol can announce its end. */
  readonly announces: boolean;
  /** Whether its market can stand still, and its symbols be halted: a recording's cannot. */
  readonly rests: boolean;
  readonly halts: boolean;
}

/** The value as the fault has it, or what was expected. */
type Field = (value: unknown, subject: Subject) => { readonly value: unknown } | string;
type Fields = Readonly<Record<string, Field>>;

const within =
  (least: number, most: number, otherwise?: number): Field =>
  (value = otherwise) =>
    typeof value === 'number' && value >= least && value <= most ? { value } : `a number in ${least} … ${most}`;
const whole =
  (most: number, otherwise: number): Field =>
  (value = otherwise) =>
    Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most
      ? { value }
      : `a whole number in 1 … ${most}`;

const symbolField: Field = (value, { symbols }) =>
  value === undefined || symbols.some((symbol) => symbol === value) ? { value } : `one of ${symbols.join(', ')}`;

const SOME: Fields = {
  of: (value, { kinds }) =>
    value === undefined || kinds.some((kind) => kind === value)
      ? { value: value ?? kinds[0] }
      : `one of ${kinds.join(', ')}`,
  symbol: symbolField,
  count: whole(10_000, 1),
};
const DAY_SECONDS = 86_400;
const LASTING: Fields = { seconds: within(0, DAY_SECONDS) };

const FIELDS: Readonly<Record<FaultName, Fields>> = {
  gap: SOME,
  reorder: SOME,
  duplicate: SOME,
  garbage: SOME,
  mute: { stream: (value) => (value === undefined || typeof value === 'string' ? { value } : 'the name of a stream') },
  stall: { seconds: within(0, DAY_SECONDS, DAY_SECONDS) },
  slow: { delayMs: within(1, 60_000), ...LASTING },
  cut: {},
  reset: {},
  limit: LASTING,
  refuse: LASTING,
  shutdown: { afterSeconds: within(0, 3_600, 5) },
  halt: { symbol: symbolField, ...LASTING },
  quiet: LASTING,
};

export const FAULTS = Object.keys(FIELDS) as readonly FaultName[];

/** The fault that `asked` (parsed JSON) names, or what is wrong with it. Never throws. */
export function readFault(asked: unknown, subject: Subject): { readonly fault: Fault } | { readonly refused: Refused } {
  if (!isObject(asked)) return refused('body', asked, 'an object such as {"fault":"gap","symbol":"BTCUSDT","count":3}');
  const { fault: name, ...rest } = asked;
  const usable = FAULTS.filter((one) => isUsable(one, subject));
  if (!usable.some((one) => one === name)) return refused('fault', name, `one of ${usable.join(', ')}`);
  const fields = FIELDS[name as FaultName];
  const unknown = Object.keys(rest).find((field) => !Object.hasOwn(fields, field));
  if (unknown !== undefined)
    return refused(
      unknown,
      rest[unknown],
      `no such field: ${name as string} has ${Object.keys(fields).join(', ') || 'none'}`,
    );
  const read: Record<string, unknown> = { fault: name };
  for (const [field, readField] of Object.entries(fields)) {
    const found = readField(rest[field], subject);
    if (typeof found === 'string') return refused(field, rest[field], found);
    if (found.value !== undefined) read[field] = found.value;
  }
  return { fault: read as unknown as Fault };
}

const isUsable = (name: FaultName, { announces, rests, halts }: Subject): boolean =>
  (name !== 'shutdown' || announces) && (name !== 'quiet' || rests) && (name !== 'halt' || halts);

const refused = (field: string, found: unknown, expected: string): { readonly refused: Refused } => ({
  refused: { field, found: JSON.stringify(found)?.slice(0, 80) ?? 'nothing', expected },
});
