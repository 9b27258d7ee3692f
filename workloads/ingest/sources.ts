// Which source serves which symbol of a shard, decided once at start. Pure; main.ts opens the feeds.
import { isAlpha } from '../contract/alpha.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import { ADVANCED, EXCHANGE } from './venue/coinbase/apis.ts';

type Source = SystemConfig['sources'][number];

/** What a source speaks: a venue itself, or a simulator that plays it. */
type Protocol = Exclude<NonNullable<Source['options']['protocol']>, 'alpha'>;

export interface PlannedSource {
  readonly name: string;
  readonly protocol: Protocol | 'ccxt';
  /** ccxt: its id of the exchange, and seconds between two polls where it has no WebSocket. */
  readonly ccxt?: { readonly exchange: string; readonly pollSeconds: number };
  /** Its subscriptions are to be signed with the key in its Secret. */
  readonly isSigned: boolean;
  /** It plays a recording: its times are of the past, and pass as fast as it is played. */
  readonly isRecorded: boolean;
  readonly endpoints: { readonly ws: string; readonly rest: string };
  /** The venue's name of a symbol → ours: the symbols of the shard whose primary source this is. */
  readonly symbols: ReadonlyMap<string, string>;
}

/** A signal provider: it has no book, and is nobody's primary. */
export interface PlannedAlpha {
  readonly name: string;
  /** Whole: ws or wss, or http or https where it is polled. */
  readonly url: string;
  /** Ms between two polls; absent: a WebSocket. */
  readonly pollMs?: number;
  /** It is sent the token in its Secret. */
  readonly hasToken: boolean;
  /** The provider's name of a symbol → ours: the symbols of the shard that it lists. */
  readonly symbols: ReadonlyMap<string, string>;
}

export interface SourcePlan {
  readonly feeds: readonly PlannedSource[];
  readonly alphas: readonly PlannedAlpha[];
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
 * The first source with a book that lists a symbol is its primary, and never changes silently. Signal providers are read for
 * every symbol that they list. Other sources that are nobody's primary here are left out: references are not read yet.
 */
export function planSources(system: SystemConfig, shard: number): SourcePlan {
  const feeds: PlannedSource[] = [];
  const alphas: PlannedAlpha[] = [];
  const refused = new Map<string, string>();
  const mine = symbolsOfShard(system.symbols, shard, system.shards);
  for (const source of system.sources) {
    const symbols = new Map<string, string>();
    for (const { name } of mine) {
      const isServed = isAlpha(source) || primaryOf(system, name) === source;
      const venueSymbol = isServed ? source.symbols[name] : undefined;
      if (venueSymbol !== undefined) symbols.set(venueSymbol, name);
    }
    if (symbols.size === 0) continue;
    const planned = sharedNameOf(source, symbols) ?? undialable(source) ?? planOf(source, symbols, system);
    if (typeof planned === 'string') refused.set(source.name, planned);
    else if ('url' in planned) alphas.push(planned);
    else feeds.push(planned);
  }
  return { feeds, alphas, refused };
}

const planOf = (source: Source, symbols: PlannedSource['symbols'], system: SystemConfig) =>
  isAlpha(source) ? planAlpha(source, symbols, system) : planSource(source, symbols, system);

/** Why no client takes its address: they throw at such a one, and would take the other sources with them. */
function undialable({ url = 'ws://none' }: Source): string | undefined {
  if (URL.canParse(url) && !url.includes('#')) return undefined;
  return `url: found ${url}, expected an address with a host, a port up to 65535 if any, and no #`;
}

/** The provider, or why it cannot be read: the API server refuses the same, but what is stored may be older than its rules. */
function planAlpha(source: Source, symbols: PlannedAlpha['symbols'], system: SystemConfig): PlannedAlpha | string {
  const { name, options } = source;
  const { pollSeconds, secretRef } = options;
  const url = source.type === 'simulator' ? playedAt(source, system) : source.url;
  if (url === undefined) return 'url: found none, which type alpha needs';
  if (/^https?:/.test(url) !== (pollSeconds !== undefined)) {
    const expected =
      pollSeconds === undefined ? 'ws or wss, as pollSeconds is absent' : 'http or https, as pollSeconds is set';
    return `url: found ${url}, expected ${expected}`;
  }
  return {
    name,
    url,
    ...(pollSeconds === undefined ? {} : { pollMs: pollSeconds * 1_000 }),
    hasToken: secretRef !== undefined,
    symbols,
  };
}

/** The source, or why it cannot be served. */
function planSource(source: Source, symbols: PlannedSource['symbols'], system: SystemConfig): PlannedSource | string {
  const protocol = protocolOf(source);
  if (protocol === undefined) return 'options.protocol: found none, which type simulator needs';
  const endpoints = endpointsOf(source, protocol, system);
  if (typeof endpoints === 'string') return endpoints;
  const isRecorded = source.type === 'simulator' && source.options.recording !== undefined;
  return { name: source.name, protocol, isSigned: isSigned(source), isRecorded, endpoints, symbols, ...ccxtOf(source) };
}

/** What a source says is told apart by its own names. */
function sharedNameOf({ symbols }: Source, read: PlannedAlpha['symbols']): string | undefined {
  for (const [name, venueSymbol] of Object.entries(symbols)) {
    const other = read.get(venueSymbol);
    if (other !== undefined && other !== name)
      return `symbols: found ${venueSymbol} for ${name} and ${other}, expected another name for each`;
  }
  return undefined;
}

/** A simulator has both at one address. */
function playedAt({ name, options }: Source, { venueUrls }: SystemConfig): string | undefined {
  const url = venueUrls[name];
  return options.pollSeconds === undefined ? url : url?.replace(/^ws/, 'http');
}

const primaryOf = ({ sources }: SystemConfig, symbol: string): Source | undefined =>
  sources.find((source) => !isAlpha(source) && source.symbols[symbol] !== undefined);

function protocolOf({ type, options }: Source): PlannedSource['protocol'] | undefined {
  if (type === 'binance' || type === 'ccxt') return type;
  if (type === 'coinbase') return `coinbase-${options.api ?? 'exchange'}`;
  return type === 'simulator' && options.protocol !== 'alpha' ? options.protocol : undefined;
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
