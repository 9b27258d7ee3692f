// REST of both of Coinbase's protocols: products, books, daily candles, time, and the limit per second. Pure but for its count.
import type { Bar, Player, TradeEvent } from '../player.ts';
import { plain, timeOf } from './coinbase-client.ts';
import type { Asked, Protocol, ProtocolOptions, RestAnswer } from './protocol.ts';

/** Per second and address ("REST Rate Limits" of both); for all clients together. */
const REQUESTS_PER_SECOND = 10;
/** Of the account; Exchange allows 15, Advanced Trade 30. */
const PRIVATE_PER_SECOND = 15;
const DAY_SECONDS = 86_400;
const MOST_TRADES = 1_000;
const EXCHANGE_CANDLES = 300;
const ADVANCED_CANDLES = 350;

const ok = (body: unknown): RestAnswer => ({ status: 200, body });
const refused = (status: number, message: string): RestAnswer => ({ status, body: { message } });
const NOT_FOUND = refused(404, 'NotFound');

/** Without a time: the venue gives none. */
export const tooMany = (): RestAnswer => refused(429, 'Public rate limit exceeded');

interface Clocked extends Pick<ProtocolOptions, 'player' | 'now'> {
  /** The answer where the address is one of an account. */
  readonly orders: (asked: Asked) => RestAnswer | undefined;
}

type Answering = (player: Player, asked: Asked, now: number) => RestAnswer;

/** Answers within the limits: the account's own is apart from that of an address. */
function limited({ player, now, orders }: Clocked, answer: Answering): Protocol['rest'] {
  const isPublicSpent = newCount(REQUESTS_PER_SECOND);
  const isPrivateSpent = newCount(PRIVATE_PER_SECOND);
  return (asked) => {
    const at = now();
    const ordered = orders(asked);
    if (ordered !== undefined) return isPrivateSpent(at) ? refused(429, 'Private rate limit exceeded') : ordered;
    if (isPublicSpent(at)) return tooMany();
    return asked.method === 'GET' ? answer(player(), asked, at) : NOT_FOUND;
  };
}

/** Whether more than so many came in the second of `at`, this one included. */
function newCount(perSecond: number): (at: number) => boolean {
  let second = 0;
  let count = 0;
  return (at) => {
    if (Math.floor(at / 1_000) !== second) [second, count] = [Math.floor(at / 1_000), 0];
    count += 1;
    return count > perSecond;
  };
}

export const exchangeRest = (
  options: Clocked,
  sequenceOf: (product: string) => number,
  tradesOf: (product: string) => readonly TradeEvent[],
): Protocol['rest'] =>
  limited(options, (player, { path, query }, now) => {
    if (path === '/time') return ok({ iso: new Date(now).toISOString(), epoch: now / 1_000 });
    if (path === '/products') return ok(player.symbols.map((symbol) => exchangeProduct(player, symbol)));
    const [, product = '', what = ''] = /^\/products\/([^/]+)(?:\/([a-z]+))?$/.exec(path) ?? [];
    if (!player.symbols.includes(product)) return NOT_FOUND;
    if (what === '') return ok(exchangeProduct(player, product));
    if (what === 'candles') return exchangeCandles(player, product, query, now);
    if (what === 'trades') return ok(exchangeTrades(tradesOf(product), query));
    return what === 'book' ? exchangeBook(player, product, query, sequenceOf(product)) : NOT_FOUND;
  });

/** Those before the id `after`, as many as are wanted. */
function exchangeTrades(trades: readonly TradeEvent[], query: URLSearchParams): readonly object[] {
  const after = Number(query.get('after') ?? Infinity);
  return trades
    .filter(({ tradeId }) => tradeId < after)
    .slice(0, Number(query.get('limit') ?? MOST_TRADES))
    .map(exchangeTrade);
}

/** `side` is the maker's. */
const exchangeTrade = ({ tradeId, price, size, sellerTook, at }: TradeEvent): object => ({
  trade_id: tradeId,
  side: sellerTook ? 'buy' : 'sell',
  price: plain(price),
  size: plain(size),
  time: timeOf(at),
});

function exchangeBook(player: Player, product: string, query: URLSearchParams, sequence: number): RestAnswer {
  const level = query.get('level') ?? '1';
  if (level !== '1' && level !== '2') return refused(400, 'level must be 1 or 2');
  const { bids = [], asks = [] } = player.depth(product) ?? {};
  const levels = (side: typeof bids): unknown[] =>
    side.slice(0, level === '1' ? 1 : undefined).map(([price, size]) => [plain(price), plain(size), 1]);
  return ok({ bids: levels(bids), asks: levels(asks), sequence, auction_mode: false, auction: null });
}

/** [[time, low, high, open, close, volume], …], newest first. */
function exchangeCandles(player: Player, product: string, query: URLSearchParams, now: number): RestAnswer {
  if (query.get('granularity') !== String(DAY_SECONDS)) return refused(400, 'Unsupported granularity');
  const [start, end] = ['start', 'end'].map((name) => secondsIn(query.get(name)));
  const bars = barsBetween(player, { product, start, end, now, limit: EXCHANGE_CANDLES });
  if (bars === undefined) {
    return refused(
      400,
      `granularity too small for the requested time range. Count of aggregations requested exceeds ${EXCHANGE_CANDLES}`,
    );
  }
  return ok(
    bars.map(({ start: time, low, high, open, close, volume }) => [time, low, high, open, close, volume]).reverse(),
  );
}

const PREFIX = '/api/v3/brokerage/';

export const advancedRest = (
  options: Clocked,
  tradesOf: (product: string) => readonly TradeEvent[],
): Protocol['rest'] =>
  limited(options, (player, { path, query }, now) => {
    if (path === `${PREFIX}time`)
      return ok({
        iso: new Date(now).toISOString(),
        epochSeconds: String(Math.floor(now / 1_000)),
        epochMillis: String(Math.floor(now)),
      });
    if (path === `${PREFIX}market/products`) return advancedProducts(player, query);
    if (path === `${PREFIX}market/product_book`) return advancedBook(player, query, now);
    const [, product = '', what] =
      /^\/api\/v3\/brokerage\/market\/products\/([^/]+)(?:\/(candles|ticker))?$/.exec(path) ?? [];
    if (!player.symbols.includes(product)) return { status: 404, body: { error: 'NOT_FOUND', message: 'not found' } };
    if (what === undefined) return ok(advancedProduct(player, product));
    return what === 'ticker'
      ? advancedTicker(player, product, tradesOf(product))
      : advancedCandles(player, product, query, now);
  });

/** `side` is the maker's. */
function advancedTicker(player: Player, product: string, trades: readonly TradeEvent[]): RestAnswer {
  const { bids = [], asks = [] } = player.depth(product) ?? {};
  const told = trades.map(({ tradeId, price, size, sellerTook, at }) => ({
    trade_id: String(tradeId),
    product_id: product,
    price: plain(price),
    size: plain(size),
    time: timeOf(at),
    side: sellerTook ? 'BUY' : 'SELL',
  }));
  return ok({ trades: told, best_bid: plain(bids[0]?.[0] ?? '0'), best_ask: plain(asks[0]?.[0] ?? '0') });
}

function advancedProducts(player: Player, query: URLSearchParams): RestAnswer {
  const asked = query.getAll('product_ids');
  const isSpot = (query.get('product_type') ?? 'SPOT') === 'SPOT';
  const symbols = player.symbols.filter((symbol) => isSpot && (asked.length === 0 || asked.includes(symbol)));
  const products = symbols.map((symbol) => advancedProduct(player, symbol));
  return ok({ products, num_products: products.length });
}

function advancedBook(player: Player, query: URLSearchParams, now: number): RestAnswer {
  const product = query.get('product_id') ?? '';
  const depth = player.depth(product);
  if (depth === undefined) return { status: 404, body: { error: 'NOT_FOUND', message: 'not found' } };
  const limit = Number(query.get('limit') ?? depth.bids.length);
  const levels = (side: typeof depth.bids): object[] =>
    side.slice(0, limit).map(([price, size]) => ({ price: plain(price), size: plain(size) }));
  const pricebook = {
    product_id: product,
    bids: levels(depth.bids),
    asks: levels(depth.asks),
    time: new Date(now).toISOString(),
  };
  return ok({ pricebook });
}

function advancedCandles(player: Player, product: string, query: URLSearchParams, now: number): RestAnswer {
  if (query.get('granularity') !== 'ONE_DAY') return refused(400, 'granularity: only ONE_DAY is here');
  const [start, end] = ['start', 'end'].map((name) => secondsIn(query.get(name)));
  const bars = barsBetween(player, { product, start, end, now, limit: ADVANCED_CANDLES });
  if (bars === undefined) return refused(400, `number of candles requested should be less than ${ADVANCED_CANDLES}`);
  const text = Object.entries;
  const candles = bars.map((bar) => Object.fromEntries(text(bar).map(([name, value]) => [name, String(value)])));
  return ok({ candles: candles.reverse() });
}

interface Range {
  readonly product: string;
  /** Epoch s, both included. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly now: number;
  readonly limit: number;
}

/** Closed days of the range; undefined where it asks for more than the limit. */
function barsBetween(player: Player, { product, start, end, now, limit }: Range): readonly Bar[] | undefined {
  const last = Math.min(end ?? Infinity, now / 1_000);
  const first = start ?? (Math.floor(last / DAY_SECONDS) - limit) * DAY_SECONDS;
  if (start !== undefined && (last - start) / DAY_SECONDS > limit) return undefined;
  const days = Math.ceil((now / 1_000 - first) / DAY_SECONDS) + 1;
  return player.bars(product, now, Math.max(0, days)).filter((bar) => bar.start >= first && bar.start <= last);
}

/** Epoch seconds, or an ISO 8601 time. */
function secondsIn(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1_000;
  return Number.isFinite(seconds) ? seconds : undefined;
}

const currenciesOf = (product: string): [base: string, quote: string] => {
  const [base = product, quote = 'USD'] = product.split('-');
  return [base, quote];
};

const isHalted = (player: Player, product: string): boolean => player.isHalted?.(product) === true;

function exchangeProduct(player: Player, id: string): object {
  const { tickSize, stepSize, minNotional } = player.filters(id);
  const [base_currency, quote_currency] = currenciesOf(id);
  return {
    id,
    base_currency,
    quote_currency,
    quote_increment: plain(tickSize),
    base_increment: plain(stepSize),
    display_name: id,
    min_market_funds: plain(minNotional),
    margin_enabled: false,
    post_only: false,
    limit_only: false,
    cancel_only: false,
    status: 'online',
    status_message: '',
    trading_disabled: isHalted(player, id),
    fx_stablecoin: false,
    auction_mode: false,
  };
}

function advancedProduct(player: Player, product_id: string): object {
  const { tickSize, stepSize, minNotional } = player.filters(product_id);
  const [base_currency_id, quote_currency_id] = currenciesOf(product_id);
  return {
    product_id,
    base_increment: plain(stepSize),
    quote_increment: plain(tickSize),
    price_increment: plain(tickSize),
    quote_min_size: plain(minNotional),
    base_min_size: plain(stepSize),
    base_max_size: '1000000',
    is_disabled: false,
    new: false,
    status: 'online',
    cancel_only: false,
    limit_only: false,
    post_only: false,
    trading_disabled: isHalted(player, product_id),
    auction_mode: false,
    view_only: false,
    product_type: 'SPOT',
    base_currency_id,
    quote_currency_id,
    alias: '',
    alias_to: [],
  };
}
