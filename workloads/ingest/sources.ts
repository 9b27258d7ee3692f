// Which source serves which symbol of a shard, decided once at start. Pure; main.ts opens the feeds.
import type { SystemConfig } from '../contract/system-config.ts';
import { symbolsOfShard } from '../contract/shards.ts';

type Source = SystemConfig['sources'][number];

export interface PlannedSource {
  readonly name: string;
  readonly endpoints: { readonly ws: string; readonly rest: string };
  /** The venue's name of a symbol → ours: the symbols of the shard whose primary source this is. */
  readonly symbols: ReadonlyMap<string, string>;
}

export interface SourcePlan {
  readonly feeds: readonly PlannedSource[];
  /** Sources that serve a symbol of the shard and cannot, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Binance's own hosts: market data needs no account. */
const BINANCE = { ws: 'wss://stream.binance.com:9443', rest: 'https://api.binance.com' } as const;

/**
 * The first source that lists a symbol is its primary, and never changes silently (DESIGN section 3). Sources that are
 * nobody's primary here are left out: references and alpha come with part 3.
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
    const endpoints = endpointsOf(source, system);
    if (typeof endpoints === 'string') refused.set(source.name, endpoints);
    else feeds.push({ name: source.name, endpoints, symbols });
  }
  return { feeds, refused };
}

const primaryOf = ({ sources }: SystemConfig, symbol: string): Source | undefined =>
  sources.find((source) => source.symbols[symbol] !== undefined);

function endpointsOf(source: Source, { venueUrls }: SystemConfig): PlannedSource['endpoints'] | string {
  if (source.type === 'binance') return source.url === undefined ? BINANCE : bothSchemes(source.url);
  if (source.type !== 'simulator')
    return `sources of type ${source.type} are not supported yet, binance and simulator are`;
  const { protocol } = source.options;
  if (protocol !== 'binance') return `protocol ${protocol} is not supported yet, binance is`;
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
