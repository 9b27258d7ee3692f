// One exchange of ccxt, loaded when a source asks for it: each is a module (and in the images a chunk) of its own, so that
// nobody pays for the hundred others. Called by thread.ts.
import { existsSync } from 'node:fs';

/** What is used of ccxt; all that it gives is unknown until unified.ts has read it. */
export interface CcxtExchange {
  readonly id: string;
  readonly has: Record<string, unknown>;
  readonly urls: Record<string, unknown>;
  readonly options: Record<string, unknown>;
  readonly markets: Readonly<Record<string, unknown>>;
  readonly precisionMode: number;
  /** Its connections by address. */
  readonly clients: Readonly<Record<string, CcxtClient>>;
  /** Ms between two requests that its own throttle keeps. */
  rateLimit: number;
  /** What the throttle is made of; `refillRate` per ms, in the weight of its cheapest request. */
  tokenBucket: { readonly refillRate: number; readonly algorithm?: string; readonly rateLimit?: number };
  initThrottler(): void;
  /** Where ccxt tells of a message that is no JSON, and of nothing else unless it is verbose. */
  log: (...said: unknown[]) => void;
  /** `reload`: else what failed once fails for ever. */
  loadMarkets(reload: true): Promise<unknown>;
  /** All markets as the exchange has them now; and takes them for its own. */
  fetchMarkets(): Promise<unknown>;
  setMarkets(markets: unknown): unknown;
  watchOrderBook(symbol: string): Promise<unknown>;
  watchTrades(symbol: string): Promise<unknown>;
  fetchOrderBook(symbol: string): Promise<unknown>;
  fetchTrades(symbol: string): Promise<unknown>;
  fetchOHLCV(symbol: string, timeframe: '1d', since: undefined, limit: number): Promise<unknown>;
  loadHttpProxyAgent(): Promise<unknown>;
}

export interface CcxtClient {
  readonly url: string;
  readonly isConnected: boolean;
  /** Epoch ms; undefined before the first. */
  readonly lastPong?: number;
  /** What is waited for on it, by names that have the symbol in them. */
  readonly futures: Readonly<Record<string, unknown>>;
  /** Why it is of no use any more. */
  error?: Error;
  readonly connection?: { terminate?(): void };
  /** Rejects all that is waited for. */
  reset(error: Error): void;
}

export interface ExchangeOptions {
  /** Its id in ccxt. */
  readonly exchange: string;
  /** Where its WebSocket and REST are served; '' = where ccxt knows them to be. */
  readonly endpoints: { readonly ws: string; readonly rest: string };
  readonly venueSymbols: readonly string[];
  /** Pods that may share one address toward the exchange. */
  readonly shards: number;
}

/** Twice this without a pong, and ccxt takes a connection for dead. */
const KEEP_ALIVE_MS = 5_000;

/** The exchange, not connected yet. Rejects where ccxt has none of this id. */
export async function loadExchange({
  exchange,
  endpoints,
  venueSymbols,
  shards,
}: ExchangeOptions): Promise<CcxtExchange> {
  const address = addressOf(exchange);
  if (!existsSync(new URL(address))) throw new Error(`ccxt has no exchange ${exchange}`);
  const loaded = (await import(address)) as { readonly default: new (config: object) => CcxtExchange };
  const made = new loaded.default({
    enableRateLimit: true,
    newUpdates: true,
    streaming: { keepAlive: KEEP_ALIVE_MS },
    // Ours has full jitter, which theirs has not.
    options: { ws: { backoff: { base: 0 } } },
  });
  share(made, shards);
  // Nothing is asked of currencies, and some exchanges want a login for them.
  made.has['fetchCurrencies'] = false;
  // Its streams need protobufjs, which is not among our packages.
  if (exchange === 'mexc') made.has['watchOrderBook'] = made.has['watchTrades'] = false;
  narrow(made, venueSymbols);
  if (endpoints.rest !== '') {
    made.urls['api'] = moved(made.urls['api'], endpoints);
    await made.loadHttpProxyAgent(); // or it refuses ws://
  }
  return made;
}

/** In the images they lie beside the program (hack/images/bundles.ts); else in the package, which exports none of them. */
function addressOf(exchange: string): string {
  if (import.meta.url.endsWith('.js')) return new URL(`./ccxt/${exchange}.js`, import.meta.url).href;
  const whole = import.meta.resolve('ccxt');
  const streaming = new URL(`./src/pro/${exchange}.js`, whole);
  return existsSync(streaming) ? streaming.href : new URL(`./src/${exchange}.js`, whole).href;
}

/** A throttle is made with the exchange: it is made again, paced evenly, as a part of a window may be too small for one request. */
function share(made: CcxtExchange, shards: number): void {
  if (shards === 1) return;
  made.rateLimit *= shards;
  const { tokenBucket, rateLimit } = made;
  made.tokenBucket = {
    ...tokenBucket,
    rateLimit,
    refillRate: tokenBucket.refillRate / shards,
    algorithm: 'leakyBucket',
  };
  made.initThrottler();
}

/** Where all symbols are spot (no `:` of a contract), markets of no other kind are loaded. */
function narrow({ options }: CcxtExchange, venueSymbols: readonly string[]): void {
  const fetching = options['fetchMarkets'] as { types?: unknown } | undefined;
  if (!Array.isArray(fetching?.types) || !fetching.types.includes('spot')) return;
  if (venueSymbols.every((symbol) => !symbol.includes(':'))) fetching.types = ['spot'];
}

/** The same addresses on another host: wss://stream.example.com/ws → {ws}/ws. */
function moved(urls: unknown, { ws, rest }: ExchangeOptions['endpoints']): unknown {
  if (typeof urls === 'string')
    return urls.replace(/^(ws|http)s?:\/\/[^/]+/, (_, scheme) => (scheme === 'ws' ? ws : rest));
  if (typeof urls !== 'object' || urls === null) return urls;
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, moved(url, { ws, rest })]));
}
