// What a signal provider sends, version 1 of the contract (docs/alpha.md), decoded: the same over WebSocket and HTTP. Pure.
import { isObject, parseJson, type Json } from '../../../contract/json.ts';
import type { AlphaEdge } from '../../alphas.ts';
import type { Malformed } from '../frame.ts';

/** Symbols are ours. */
export type AlphaMessage =
  /** Those that could be read, and for each other what is wrong with it. */
  | { readonly kind: 'edges'; readonly edges: readonly AlphaEdge[]; readonly unread: readonly Malformed[] }
  | { readonly kind: 'heartbeat' }
  /** The provider does not do what it was asked to. */
  | { readonly kind: 'error'; readonly text: string }
  | Malformed;

export const CONTRACT_VERSION = 1;
const MOST_EDGES = 1_000;
const LARGEST_EDGE_BPS = 100;
const LONGEST_HORIZON_SECONDS = 86_400;
const SHOWN_CHARACTERS = 40;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** `symbols`: the provider's name of each that was asked for → ours. Never throws. */
export function decodeAlpha(text: string, symbols: ReadonlyMap<string, string>): AlphaMessage {
  const message = parseJson(text);
  if (message === undefined) return malformed('NotJson', 'found no JSON, expected an object');
  if (!isObject(message)) return malformed('NotAnObject', `found ${shown(message)}, expected an object`);
  if (message['version'] !== CONTRACT_VERSION)
    return bad('version', message['version'], `${CONTRACT_VERSION}, which is all that this version reads`);
  switch (message['type']) {
    // {"version":1,"type":"edges","edges":[{"symbol":"XBT","sequence":41,"at":"2026-11-26T05:10:00.250Z","edgeBps":12.5,"horizonSeconds":60,"confidence":0.7}]}
    case 'edges':
      return edgesIn(message['edges'], symbols);
    // {"version":1,"type":"heartbeat"}
    case 'heartbeat':
      return { kind: 'heartbeat' };
    // {"version":1,"type":"error","message":"symbol DOGE is not part of your plan"}
    case 'error':
      return typeof message['message'] === 'string'
        ? { kind: 'error', text: message['message'].slice(0, 200) }
        : bad('message', message['message'], 'a text');
    default:
      return malformed('UnknownEvent', `type: found ${shown(message['type'])}, expected edges, heartbeat or error`);
  }
}

function edgesIn(list: unknown, symbols: ReadonlyMap<string, string>): AlphaMessage {
  if (!Array.isArray(list)) return bad('edges', list, 'a list');
  if (list.length > MOST_EDGES)
    return malformed('BadField', `edges: found ${list.length}, expected at most ${MOST_EDGES}`);
  const edges: AlphaEdge[] = [];
  const unread: Malformed[] = [];
  for (const [i, item] of list.entries()) {
    const edge = edgeIn(item, `edges[${i}]`, symbols);
    if ('kind' in edge) unread.push(edge);
    else edges.push(edge);
  }
  return { kind: 'edges', edges, unread };
}

interface Field {
  readonly name: string;
  readonly is: (value: unknown) => boolean;
  readonly expected: string;
}

const within = (low: number, high: number): Omit<Field, 'name'> => ({
  is: (value) => typeof value === 'number' && value >= low && value <= high,
  expected: `a number within ${low} … ${high}`,
});

/** In the order in which they are looked at. */
const FIELDS: readonly Field[] = [
  {
    name: 'sequence',
    is: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    expected: 'a whole number of at most 53 bits',
  },
  {
    name: 'at',
    is: (value) => typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value)),
    expected: 'a time in UTC such as 2026-11-26T05:10:00.250Z',
  },
  { name: 'edgeBps', ...within(-LARGEST_EDGE_BPS, LARGEST_EDGE_BPS) },
  {
    name: 'horizonSeconds',
    is: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LONGEST_HORIZON_SECONDS,
    expected: `a whole number within 1 … ${LONGEST_HORIZON_SECONDS}`,
  },
  { name: 'confidence', is: (value) => value === undefined || within(0, 1).is(value), expected: within(0, 1).expected },
];

function edgeIn(item: unknown, path: string, symbols: ReadonlyMap<string, string>): AlphaEdge | Malformed {
  if (!isObject(item)) return bad(path, item, 'an object');
  const { symbol: name } = item;
  if (typeof name !== 'string') return bad(`${path}.symbol`, name, 'a text');
  const symbol = symbols.get(name);
  if (symbol === undefined)
    return malformed('UnknownSymbol', `${path}.symbol: found ${shown(name)}, expected one that was asked for`);
  const wrong = FIELDS.find(({ name, is }) => !is(item[name]));
  if (wrong !== undefined) return bad(`${path}.${wrong.name}`, item[wrong.name], wrong.expected);
  return edgeOf(item, symbol);
}

/** All fields were looked at. */
function edgeOf(item: Json, symbol: string): AlphaEdge {
  const { sequence, at, edgeBps, horizonSeconds, confidence } = item as unknown as Omit<AlphaEdge, 'at'> & {
    readonly at: string;
  };
  const edge = { symbol, at: Date.parse(at), sequence, edgeBps, horizonSeconds };
  return confidence === undefined ? edge : { ...edge, confidence };
}

const malformed = (reason: Malformed['reason'], detail: string): Malformed => ({ kind: 'malformed', reason, detail });

const bad = (path: string, found: unknown, expected: string): Malformed =>
  malformed('BadField', `${path}: found ${shown(found)}, expected ${expected}`);

/** As JSON has it, no longer than a line needs. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** What is sent first on a WebSocket; symbols by the provider's names. */
export const subscribeMessage = (venueSymbols: readonly string[]): string =>
  JSON.stringify({ version: CONTRACT_VERSION, type: 'subscribe', symbols: venueSymbols });
