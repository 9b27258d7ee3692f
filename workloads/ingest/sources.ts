// Which source serves which symbol of a shard, decided once at start. Pure; main.ts opens the feeds.
import type { SystemConfig } from '../contract/system-config.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import { ADVANCED, EXCHANGE } from './venue/coinbase/apis.ts';

type Source = SystemConfig['sources'][number];

/** What a source speaks: a venue itself, or a simulator that plays it. */
export type Protocol = NonNullable<Source['options']['protocol']>;

export interface PlannedSource {
  readonly name: string;
  readonly protocol: Protocol | 'ccxt';
  /** ccxt: its id of the exchange, and seconds between two polls where it has no WebSocket. */
  readonly ccxt?: { readonly exchange: string; readonly pollSeconds: number };
  /** Its subscriptions are to be signed with the key in its Secret. */
  readonly isSigned: boolean;
  readonly endpoints: { readonly ws: string; readonly rest: string };
  /** The venue's name of a symbol → ours: the symbols of the shard whose primary source this is. */
  readonly symbols: ReadonlyMap<string, string>;
}

export interface SourcePlan {
  readonly feeds: readonly PlannedSource[];
  /** Sources that serve a symbol of the shard and cannot, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

/** The venues' own hosts: market data needs no account. */
const OWN: Readonly<Record<PlannedSource['protocol'], PlannedSource['endpoints']>> = {
  binance: { ws: 'wss://stream.binance.com:9443', rest: 'https://api.binance.com' },
  'coinbase-exchange': EXCHANGE.endpoints,
  'coinbase-advanced': ADVANCED.endpoints,
  // Where ccxt knows them to be.
  ccxt: { ws: '', rest: '' },
};

/**
 * The first source that lists a symbol is its primary, and never changes silently. Sources that are
 * nobody's primary here are left out: references and alpha are not read yet.
 */
export function planSources(system: SystemConfig, shard: number): SourcePlan {
  const feeds: PlannedSource[] = [];
  const refused = new Map<string, string>();
  const mine = symbolsOfShard(system.symbols, shard, system.shards);
  for (const source of system.sources) {
    const symbols = new Map<string, string>();
    for (const { name } of mine) {
      const venueSymbol = primaryOf(system, name) === source ? source.symbols[name] : undefined;
      if (venueSymbol !== undefined) symbols.set(venueSymbol, name);
    }
    if (symbols.size === 0) continue;
    const planned = planSource(source, symbols, system);
    if (typeof planned === 'string') refused.set(source.name, planned);
    else feeds.push(planned);
  }
  return { feeds, refused };
}

/** The source, or why it cannot be served. */
function planSource(source: Source, symbols: PlannedSource['symbols'], system: SystemConfig): PlannedSource | string {
  const protocol = protocolOf(source);
  if (protocol === undefined)
    return `sources of type ${source.type} are not supported yet: expected binance, coinbase, ccxt or simulator`;
  const endpoints = endpointsOf(source, protocol, system);
  if (typeof endpoints === 'string') return endpoints;
  return { name: source.name, protocol, isSigned: isSigned(source), endpoints, symbols, ...ccxtOf(source) };
}

const primaryOf = ({ sources }: SystemConfig, symbol: string): Source | undefined =>
  sources.find((source) => source.symbols[symbol] !== undefined);

function protocolOf({ type, options }: Source): PlannedSource['protocol'] | undefined {
  if (type === 'binance' || type === 'ccxt') return type;
  if (type === 'coinbase') return `coinbase-${options.api ?? 'exchange'}`;
  return type === 'simulator' ? options.protocol : undefined;
}

/** The API server refuses a source of type ccxt without an exchange. */
const ccxtOf = ({ type, options: { exchange = '', pollSeconds = 1 } }: Source): Pick<PlannedSource, 'ccxt'> =>
  type === 'ccxt' ? { ccxt: { exchange, pollSeconds } } : {};

const isSigned = ({ type, options }: Source): boolean =>
  type === 'coinbase' && options.api === 'advanced' && options.secretRef !== undefined;

/** Where REST and WebSocket are of two hosts, as with the venues themselves, a `url` in their place serves both. */
function endpointsOf(
  source: Source,
  protocol: PlannedSource['protocol'],
  { venueUrls }: SystemConfig,
): PlannedSource['endpoints'] | string {
  if (source.type !== 'simulator') return source.url === undefined ? OWN[protocol] : bothSchemes(source.url);
  const url = venueUrls[source.name];
  return url === undefined ? `venueUrls has no address of ${source.name}` : bothSchemes(url);
}

/** ws://host ↔ http://host, wss ↔ https: one address serves both. */
function bothSchemes(url: string): PlannedSource['endpoints'] | string {
  const [scheme = '', rest] = url.split('://');
  const isSecure = scheme === 'wss' || scheme === 'https';
  if (rest === undefined || !(isSecure || scheme === 'ws' || scheme === 'http')) {
    return `url: found ${url}, expected ws, wss, http or https`;
  }
  const host = rest.endsWith('/') ? rest.slice(0, -1) : rest;
  return { ws: `${isSecure ? 'wss' : 'ws'}://${host}`, rest: `${isSecure ? 'https' : 'http'}://${host}` };
}

/** Symbol → fee in bps, where the market of its primary source is simulated and charges one of its own. */
export const ownFeesBps = (system: SystemConfig): ReadonlyMap<string, number> =>
  new Map(
    system.symbols.flatMap(({ name }): [string, number][] => {
      const feeBps = primaryOf(system, name)?.options.market?.feeBps;
      return feeBps === undefined ? [] : [[name, feeBps]];
    }),
  );
