// Binance's REST answers of a simulated venue: depth, filters, time, and its errors and limits. Pure but for the weights.
import type { Tape } from './tape.ts';
import type { Player } from '../player.ts';
import type { Asked, RestAnswer } from './protocol.ts';

const refused = (status: number, code: number, msg: string): RestAnswer => ({ status, body: { code, msg } });
const BAD_SYMBOL = refused(400, -1121, 'Invalid symbol.');
const DEFAULT_DEPTH = 100;
const DEEPEST = 5_000;
const DEFAULT_KLINES = 500;
const MOST_KLINES = 1_000;
const DAY_MS = 86_400_000;

/** Request weights as Binance's: what 6,000 a minute and address are counted in. */
export const WEIGHT_PER_MINUTE = 6_000;
const depthWeight = (limit: number): number => (limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1_000 ? 50 : 250);

export function weightOf(path: string, query: URLSearchParams): number {
  if (path === '/api/v3/depth') return depthWeight(Number(query.get('limit') ?? DEFAULT_DEPTH));
  if (path === '/api/v3/klines' || path === '/api/v3/ticker/24hr') return 2;
  if (path === '/api/v3/account' || path === '/api/v3/myTrades') return 20;
  if (path === '/api/v3/openOrders') return query.has('symbol') ? 6 : 80;
  if (path === '/api/v3/trades') return 25;
  return path === '/api/v3/exchangeInfo' ? 20 : 1;
}

/** The answer to a GET of market data; `now` is epoch ms. */
export function restAnswer(
  player: Player,
  { method, path, query }: Asked,
  { now, tape }: { readonly now: number; readonly tape: Tape },
): RestAnswer {
  if (method !== 'GET') return refused(404, -1_000, `${method} ${path} is not here`);
  switch (path) {
    case '/api/v3/ping':
      return { status: 200, body: {} };
    case '/api/v3/time':
      return { status: 200, body: { serverTime: Math.trunc(now) } };
    case '/api/v3/depth':
      return depthAnswer(player, query);
    case '/api/v3/klines':
      return klines(player, query, now);
    case '/api/v3/trades':
      return trades(player, query, tape);
    case '/api/v3/ticker/24hr':
      return lastTrade(player, query);
    case '/api/v3/exchangeInfo':
      return exchangeInfo(player, query, now);
    default:
      return refused(404, -1_000, `${path} is not here: this is Tradewind's simulator of Binance spot market data`);
  }
}

function depthAnswer(player: Player, query: URLSearchParams): RestAnswer {
  const limit = Number(query.get('limit') ?? DEFAULT_DEPTH);
  if (!Number.isInteger(limit) || limit < 1)
    return refused(400, -1100, "Illegal characters found in parameter 'limit'.");
  const symbol = query.get('symbol');
  if (symbol === null) return refused(400, -1102, "Mandatory parameter 'symbol' was not sent.");
  const depth = player.depth(symbol);
  if (depth === undefined) return BAD_SYMBOL;
  const levels = Math.min(limit, DEEPEST);
  return { status: 200, body: { ...depth, bids: depth.bids.slice(0, levels), asks: depth.asks.slice(0, levels) } };
}

/** Oldest first. */
function trades(player: Player, query: URLSearchParams, tape: Tape): RestAnswer {
  const symbol = query.get('symbol') ?? '';
  if (!player.symbols.includes(symbol)) return BAD_SYMBOL;
  const count = Number(query.get('limit') ?? DEFAULT_KLINES);
  const recent = tape.of(symbol).slice(0, count).toReversed();
  const body = recent.map(({ tradeId: id, price, size: qty, sellerTook: isBuyerMaker, at: time }) => ({
    id,
    price,
    qty,
    quoteQty: (Number(price) * Number(qty)).toFixed(8),
    time: Math.trunc(time),
    isBuyerMaker,
    isBestMatch: true,
  }));
  return { status: 200, body };
}

/** Of the day's figures, the ids of its trades. */
function lastTrade(player: Player, query: URLSearchParams): RestAnswer {
  const symbol = query.get('symbol') ?? '';
  if (!player.symbols.includes(symbol)) return BAD_SYMBOL;
  const lastId = player.lastTradeId(symbol);
  return {
    status: 200,
    body: { symbol, firstId: lastId === 0 ? -1 : 1, lastId: lastId === 0 ? -1 : lastId, count: lastId },
  };
}

/** Closed days only, oldest first. */
function klines(player: Player, query: URLSearchParams, now: number): RestAnswer {
  const symbol = query.get('symbol') ?? '';
  if (!player.symbols.includes(symbol)) return BAD_SYMBOL;
  if (query.get('interval') !== '1d') return refused(400, -1120, 'Invalid interval.');
  const count = Number(query.get('limit') ?? DEFAULT_KLINES);
  if (!Number.isInteger(count) || count < 1)
    return refused(400, -1100, "Illegal characters found in parameter 'limit'.");
  const bars = player.bars(symbol, now, Math.min(count, MOST_KLINES));
  const text = (value: number): string => value.toFixed(8);
  return {
    status: 200,
    body: bars.map(({ start, open, high, low, close, volume }) => [
      start * 1_000,
      ...[open, high, low, close, volume].map(text),
      start * 1_000 + DAY_MS - 1,
      text(volume * close),
      1_000,
      text(volume / 2),
      text((volume * close) / 2),
      '0',
    ]),
  };
}

function exchangeInfo(player: Player, query: URLSearchParams, now: number): RestAnswer {
  const asked = askedSymbols(query);
  if (asked === undefined) return refused(400, -1100, "Illegal characters found in parameter 'symbols'.");
  if (asked.some((symbol) => !player.symbols.includes(symbol))) return BAD_SYMBOL;
  const symbols = asked.length === 0 ? player.symbols : asked;
  return {
    status: 200,
    body: {
      timezone: 'UTC',
      serverTime: Math.trunc(now),
      rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: WEIGHT_PER_MINUTE }],
      exchangeFilters: [],
      symbols: symbols.map((symbol) => symbolInfo(player, symbol)),
    },
  };
}

function askedSymbols(query: URLSearchParams): string[] | undefined {
  const [one, many] = [query.get('symbol'), query.get('symbols')];
  if (one !== null) return [one];
  if (many === null) return [];
  try {
    const list: unknown = JSON.parse(many);
    return Array.isArray(list) && list.every((symbol) => typeof symbol === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

function symbolInfo(player: Player, symbol: string): object {
  const { tickSize, stepSize, minNotional } = player.filters(symbol);
  return {
    symbol,
    status: player.isHalted?.(symbol) === true ? 'BREAK' : 'TRADING',
    baseAsset: symbol.replace(/(USDT|USDC|USD)$/, ''),
    isSpotTradingAllowed: true,
    orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET'],
    quoteAsset: /(USDT|USDC|USD)$/.exec(symbol)?.[0] ?? 'USDT',
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '1000000.00000000', tickSize },
      { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '9000.00000000', stepSize },
      { filterType: 'NOTIONAL', minNotional, applyMinToMarket: true, maxNotional: '9000000.00000000' },
    ],
  };
}
