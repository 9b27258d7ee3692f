// Binance's account and orders at a simulated venue (rest-api.md, "Trading endpoints" and "Account endpoints"; errors.md): signed
// requests in, the venue's own answers and codes out. Called by binance.ts.
import { parseScaled, TOO_FINE } from '../../ingest/venue/decimal.ts';
import { binanceProblem, paramsOf, type BinanceProblem, type Credentials } from '../orders/access.ts';
import { AMOUNT_DECIMALS, pairOf } from '../orders/account.ts';
import type { Desk } from '../orders/desk.ts';
import { isTimeInForce, textOf, type Order, type OrderRequest, type Refusal, type Units } from '../orders/order.ts';
import type { Asked, RestAnswer } from './protocol.ts';

export interface OrdersOptions {
  readonly desk: Desk;
  readonly credentials: Credentials;
  /** Epoch ms. */
  readonly now: () => number;
}

const refused = (code: number, msg: string, status = 400): RestAnswer => ({ status, body: { code, msg } });

const PROBLEMS: Readonly<Record<BinanceProblem, RestAnswer>> = {
  BadKey: refused(-2015, 'Invalid API-key, IP, or permissions for action.', 401),
  BadSignature: refused(-1022, 'Signature for this request is not valid.'),
  NoTimestamp: refused(-1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."),
  OutsideRecvWindow: refused(-1021, 'Timestamp for this request is outside of the recvWindow.'),
  LongRecvWindow: refused(-1131, 'recvWindow must be less than 60000.'),
};

const REFUSALS: Readonly<Record<Refusal, RestAnswer>> = {
  UnknownSymbol: refused(-1121, 'Invalid symbol.'),
  Halted: refused(-1013, 'Market is closed.'),
  PriceFilter: refused(-1013, 'Filter failure: PRICE_FILTER'),
  LotSize: refused(-1013, 'Filter failure: LOT_SIZE'),
  Notional: refused(-1013, 'Filter failure: NOTIONAL'),
  InsufficientFunds: refused(-2010, 'Account has insufficient balance for requested action.'),
  WouldTake: refused(-2010, 'Order would immediately match and take.'),
  DuplicateClientId: refused(-2010, 'Duplicate order sent.'),
  TooManyOpen: refused(-1013, 'Filter failure: MAX_NUM_ORDERS'),
};
const NO_ORDER = refused(-2013, 'Order does not exist.');
const UNKNOWN_ORDER = refused(-2011, 'Unknown order sent.');

const ROUTES: Readonly<Record<string, (asked: URLSearchParams, options: OrdersOptions) => RestAnswer>> = {
  'POST /api/v3/order': placed,
  'POST /api/v3/order/test': tested,
  'GET /api/v3/order': queried,
  'DELETE /api/v3/order': cancelled,
  'GET /api/v3/openOrders': open,
  'GET /api/v3/account': account,
  'GET /api/v3/myTrades': trades,
  // Asked by clients that have a key: nothing is lent here.
  'GET /sapi/v1/margin/allPairs': () => ({ status: 200, body: [] }),
  'GET /sapi/v1/margin/isolated/allPairs': () => ({ status: 200, body: [] }),
};

/** The answer where the address is one of an account, else undefined. */
export function binanceOrders(asked: Asked, options: OrdersOptions): RestAnswer | undefined {
  const route = ROUTES[`${asked.method} ${asked.path}`];
  if (route === undefined) return undefined;
  // MARKET_DATA endpoints of margin want the key and no signature.
  const problem = asked.path.startsWith('/sapi/') && !asked.search.includes('signature=') ? undefined : binanceProblem(asked, options.credentials, options.now()); // prettier-ignore
  return problem === undefined ? route(paramsOf(asked), options) : PROBLEMS[problem];
}

function placed(params: URLSearchParams, options: OrdersOptions): RestAnswer {
  const request = requestOf(params, options.desk);
  if ('status' in request) return request;
  const order = options.desk.place(request, options.now());
  if (typeof order === 'string') return REFUSALS[order];
  return {
    status: 200,
    body: { ...orderOf(order, options.desk), transactTime: order.createdAt, fills: fillsOf(order, options.desk) },
  };
}

/** The request is read, and nothing placed. */
function tested(params: URLSearchParams, { desk }: OrdersOptions): RestAnswer {
  const request = requestOf(params, desk);
  return 'status' in request ? request : { status: 200, body: {} };
}

/** An order as the desk has it, or why it cannot be read. */
function requestOf(params: URLSearchParams, desk: Desk): OrderRequest | RestAnswer {
  const symbol = params.get('symbol') ?? '';
  const units = desk.unitsOf(symbol);
  if (units === undefined) return REFUSALS.UnknownSymbol;
  const kind = kindOf(params);
  if ('status' in kind) return kind;
  const numbers = numbersOf(params, units);
  if ('status' in numbers) return numbers;
  const { isLimit, ...rest } = kind;
  const { ticks, lots, spend } = numbers;
  if (isLimit && ticks === undefined) return missing('price');
  if (lots === undefined && (isLimit || spend === undefined)) return missing('quantity');
  return {
    symbol,
    ...rest,
    ticks: isLimit ? ticks : undefined,
    lots,
    ...(lots === undefined && spend !== undefined ? { spend } : {}),
    clientId: params.get('newClientOrderId') ?? '',
  };
}

interface Kind extends Pick<OrderRequest, 'side' | 'timeInForce' | 'isPostOnly'> {
  readonly isLimit: boolean;
}

/** Time in force where none is sent; '' = it must be. */
const TYPES: Readonly<Record<string, string>> = { LIMIT: '', MARKET: 'IOC', LIMIT_MAKER: 'GTC' };

function kindOf(params: URLSearchParams): Kind | RestAnswer {
  const [side, type = ''] = [params.get('side'), params.get('type') ?? undefined];
  if (side !== 'BUY' && side !== 'SELL') return refused(-1117, 'Invalid side.');
  if (!Object.hasOwn(TYPES, type)) return refused(-1116, 'Invalid orderType.');
  const timeInForce = params.get('timeInForce') ?? TYPES[type];
  if (timeInForce === '') return missing('timeInForce');
  if (!isTimeInForce(timeInForce)) return refused(-1115, 'Invalid timeInForce.');
  const isPostOnly = type === 'LIMIT_MAKER';
  return { side: side === 'BUY' ? 'buy' : 'sell', timeInForce, isPostOnly, isLimit: type !== 'MARKET' };
}

const missing = (name: string): RestAnswer =>
  refused(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);

interface Numbers {
  readonly ticks: number | undefined;
  readonly lots: number | undefined;
  readonly spend: bigint | undefined;
}

function numbersOf(params: URLSearchParams, { priceDecimals, sizeDecimals }: Units): Numbers | RestAnswer {
  const ticks = scaled(params.get('price'), priceDecimals);
  const lots = scaled(params.get('quantity'), sizeDecimals);
  const spend = scaled(params.get('quoteOrderQty'), priceDecimals);
  for (const [name, value, filter] of [
    ['price', ticks, REFUSALS.PriceFilter],
    ['quantity', lots, REFUSALS.LotSize],
    ['quoteOrderQty', spend, REFUSALS.Notional],
  ] as const) {
    if (value === TOO_FINE) return filter;
    if (value !== undefined && value < 0) return refused(-1100, `Illegal characters found in parameter '${name}'.`);
  }
  return { ticks, lots, spend: spend === undefined ? undefined : BigInt(spend) * 10n ** BigInt(sizeDecimals) };
}

const scaled = (text: string | null, decimals: number): number | undefined =>
  text === null ? undefined : parseScaled(text, decimals);

function found(params: URLSearchParams, desk: Desk): Order | undefined {
  const [id, clientId] = [params.get('orderId'), params.get('origClientOrderId')];
  const order = id === null ? desk.byClientId(clientId ?? '') : desk.order(Number(id));
  return order?.request.symbol === params.get('symbol') ? order : undefined;
}

function queried(params: URLSearchParams, { desk }: OrdersOptions): RestAnswer {
  const order = found(params, desk);
  return order === undefined ? NO_ORDER : { status: 200, body: orderOf(order, desk) };
}

function cancelled(params: URLSearchParams, { desk, now }: OrdersOptions): RestAnswer {
  const order = found(params, desk);
  if (order?.status !== 'Open') return UNKNOWN_ORDER;
  desk.cancel(order.id, now());
  return { status: 200, body: { ...orderOf(order, desk), origClientOrderId: clientIdOf(order) } };
}

function open(params: URLSearchParams, { desk }: OrdersOptions): RestAnswer {
  const symbol = params.get('symbol');
  const orders = desk
    .orders()
    .filter(({ status, request }) => status === 'Open' && (symbol === null || request.symbol === symbol));
  return { status: 200, body: orders.map((order) => orderOf(order, desk)) };
}

function account(_: URLSearchParams, { desk, now }: OrdersOptions): RestAnswer {
  const balances = [...desk.account.balances()].map(([asset, { free, held }]) => ({
    asset,
    free: money(free),
    locked: money(held),
  }));
  const body = {
    makerCommission: 0,
    takerCommission: 0,
    canTrade: true,
    canWithdraw: false,
    canDeposit: false,
    accountType: 'SPOT',
    updateTime: now(),
    balances,
    permissions: ['SPOT'],
  };
  return { status: 200, body };
}

function trades(params: URLSearchParams, { desk }: OrdersOptions): RestAnswer {
  const orders = desk.orders().filter(({ request }) => request.symbol === params.get('symbol'));
  const body = orders
    .flatMap((order) =>
      fillsOf(order, desk).map((fill, i) => ({
        ...fill,
        id: fill.tradeId,
        orderId: order.id,
        symbol: order.request.symbol,
        time: order.fills[i]?.at,
        isBuyer: order.request.side === 'buy',
        isMaker: order.fills[i]?.isMaker,
        isBestMatch: true,
      })),
    )
    .sort((a, b) => a.id - b.id);
  return { status: 200, body };
}

const money = (amount: bigint): string => textOf(amount / 10n ** BigInt(AMOUNT_DECIMALS - 8), 8);
const clientIdOf = ({ id, request }: Order): string => request.clientId || `simulated-${id}`;

const STATUS = { Filled: 'FILLED', Cancelled: 'CANCELED', Expired: 'EXPIRED' } as const;

// {"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"6gCrw2kRUAF9CvJDGP16IP","price":"61000.00",
//  "origQty":"0.01000000","executedQty":"0.00000000","cummulativeQuoteQty":"0.00","status":"NEW","timeInForce":"GTC",…}
function orderOf(order: Order, desk: Desk): object {
  const { request, filledLots, value, status, createdAt, updatedAt } = order;
  const { priceDecimals, sizeDecimals } = desk.unitsOf(request.symbol) ?? { priceDecimals: 0, sizeDecimals: 0 };
  return {
    symbol: request.symbol,
    orderId: order.id,
    orderListId: -1,
    clientOrderId: clientIdOf(order),
    price: textOf(request.ticks ?? 0, priceDecimals),
    origQty: textOf(request.lots ?? filledLots, sizeDecimals),
    executedQty: textOf(filledLots, sizeDecimals),
    cummulativeQuoteQty: textOf(value, priceDecimals + sizeDecimals),
    status: status === 'Open' ? (filledLots > 0 ? 'PARTIALLY_FILLED' : 'NEW') : STATUS[status],
    timeInForce: request.ticks === undefined ? 'GTC' : request.timeInForce,
    type: request.ticks === undefined ? 'MARKET' : request.isPostOnly ? 'LIMIT_MAKER' : 'LIMIT',
    side: request.side.toUpperCase(),
    time: createdAt,
    updateTime: updatedAt,
    workingTime: createdAt,
    isWorking: true,
    selfTradePreventionMode: 'NONE',
  };
}

function fillsOf({ request, fills }: Order, desk: Desk) {
  const { priceDecimals, sizeDecimals } = desk.unitsOf(request.symbol) ?? { priceDecimals: 0, sizeDecimals: 0 };
  const [base, quote] = pairOf(request.symbol);
  return fills.map(({ tradeId, ticks, lots, fee }) => ({
    tradeId,
    price: textOf(ticks, priceDecimals),
    qty: textOf(lots, sizeDecimals),
    quoteQty: textOf(BigInt(ticks) * BigInt(lots), priceDecimals + sizeDecimals),
    commission: money(fee),
    commissionAsset: request.side === 'buy' ? base : quote,
  }));
}
