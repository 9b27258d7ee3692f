// Coinbase Advanced Trade's accounts and orders at a simulated venue (REST API, "Create Order", "Get Order", "List Orders", "Cancel
// Orders", "List Accounts"). Called by coinbase-advanced.ts.
import { isObject, parseJson, type Json } from '../../contract/json.ts';
import { isAuthorized } from '../orders/access.ts';
import type { Order, OrderRequest, Refusal } from '../orders/order.ts';
import { textsIn, timeOf } from './coinbase-client.ts';
import { accountIdOf, idOf, money, numbersIn, textsOf, uuidOf, type CoinbaseOrdersOptions } from './coinbase-orders.ts';
import type { Asked, RestAnswer } from './protocol.ts';

const PREFIX = '/api/v3/brokerage/';
const ok = (body: unknown): RestAnswer => ({ status: 200, body });
const UNAUTHORIZED: RestAnswer = { status: 401, body: { error: 'unauthorized', message: 'Unauthorized' } };
const NO_ORDER = 'order with this orderID was not found';

const REFUSALS: Readonly<Record<Refusal, string>> = {
  UnknownSymbol: 'INVALID_PRODUCT_ID',
  Halted: 'ORDER_ENTRY_DISABLED',
  PriceFilter: 'INVALID_PRICE_PRECISION',
  LotSize: 'INVALID_SIZE_PRECISION',
  Notional: 'ORDER_SIZE_TOO_SMALL',
  InsufficientFunds: 'INSUFFICIENT_FUND',
  WouldTake: 'INVALID_LIMIT_PRICE_POST_ONLY',
  DuplicateClientId: 'DUPLICATE_CLIENT_ORDER_ID',
  TooManyOpen: 'EXCEEDED_MAX_OPEN_ORDERS',
};

/** The answer where the address is one of an account, else undefined. */
export function advancedOrders(asked: Asked, options: CoinbaseOrdersOptions): RestAnswer | undefined {
  const { method, path } = asked;
  if (!path.startsWith(PREFIX)) return undefined;
  const what = `${method} ${path.slice(PREFIX.length)}`;
  const [, id] = /^GET orders\/historical\/([^/]+)$/.exec(what) ?? [];
  const route = id === undefined ? ROUTES[what] : id === 'batch' ? listed : queried;
  if (route === undefined) return undefined;
  if (!isAuthorized(asked, options.credentials, options.now())) return UNAUTHORIZED;
  return route(asked, options);
}

type Route = (asked: Asked, options: CoinbaseOrdersOptions) => RestAnswer;

const ROUTES: Readonly<Record<string, Route>> = {
  'POST orders': placed,
  'POST orders/batch_cancel': cancelled,
  'GET accounts': (_, options) => ok(accounts(options)),
  'GET transaction_summary': (_, { desk }) => ok(summary(desk.feeBps)),
};

function placed({ body }: Asked, options: CoinbaseOrdersOptions): RestAnswer {
  const parsed = parseJson(body);
  if (!isObject(parsed)) return { status: 400, body: { error: 'INVALID_ARGUMENT', message: 'malformed JSON' } };
  const { order_configuration } = parsed;
  // The same order sent twice is placed once: "Create Order", client_order_id.
  const earlier =
    typeof parsed['client_order_id'] === 'string' ? options.desk.byClientId(parsed['client_order_id']) : undefined;
  const request = requestOf(parsed, options);
  const order = earlier ?? (typeof request === 'string' ? request : options.desk.place(request, options.now()));
  if (typeof order === 'string') {
    const error = Object.hasOwn(REFUSALS, order) ? REFUSALS[order as Refusal] : order;
    const reasons = { preview_failure_reason: `PREVIEW_${error}`, new_order_failure_reason: error };
    const error_response = { error, message: error, error_details: '', ...reasons };
    return ok({
      success: false,
      failure_reason: 'UNKNOWN_FAILURE_REASON',
      order_id: '',
      error_response,
      order_configuration,
    });
  }
  const success_response = {
    order_id: uuidOf(order.id),
    product_id: order.request.symbol,
    side: order.request.side.toUpperCase(),
    client_order_id: order.request.clientId,
  };
  return ok({
    success: true,
    failure_reason: 'UNKNOWN_FAILURE_REASON',
    order_id: uuidOf(order.id),
    success_response,
    order_configuration,
  });
}

const FORCES: Readonly<Record<string, OrderRequest['timeInForce']>> = {
  market_market_ioc: 'IOC',
  sor_limit_ioc: 'IOC',
  limit_limit_gtc: 'GTC',
  limit_limit_fok: 'FOK',
};

// "order_configuration":{"limit_limit_gtc":{"base_size":"0.2","limit_price":"0.006","post_only":false}}
/** The order, or the venue's word on why it cannot be read. */
function requestOf(asked: Json, { desk }: CoinbaseOrdersOptions): OrderRequest | string {
  const { side, product_id: product, client_order_id: clientId } = asked;
  const symbol = typeof product === 'string' ? product : '';
  const units = desk.unitsOf(symbol);
  if (units === undefined) return REFUSALS.UnknownSymbol;
  if (side !== 'BUY' && side !== 'SELL') return 'INVALID_SIDE';
  if (typeof clientId !== 'string' || clientId === '') return 'INVALID_ARGUMENT';
  const configured = configuredIn(asked['order_configuration']);
  if (configured === undefined) return 'UNSUPPORTED_ORDER_CONFIGURATION';
  const { timeInForce, isLimit, of } = configured;
  const { limit_price: price, base_size: size, quote_size: funds, post_only: isPostOnly } = of;
  const numbers = numbersIn({ price, size, funds }, units, isLimit);
  if ('why' in numbers) return numbers.why === 'Missing' ? 'UNSUPPORTED_ORDER_CONFIGURATION' : WORDS[numbers.field];
  const common = { symbol, side: side === 'BUY' ? 'buy' : 'sell', timeInForce, clientId } as const;
  return { ...common, ...numbers, isPostOnly: isPostOnly === true };
}

const WORDS = { price: REFUSALS.PriceFilter, size: REFUSALS.LotSize, funds: REFUSALS.LotSize } as const;

interface Configured {
  readonly timeInForce: OrderRequest['timeInForce'];
  readonly isLimit: boolean;
  readonly of: Json;
}

function configuredIn(configuration: unknown): Configured | undefined {
  const [kind = '', of] = isObject(configuration) ? (Object.entries(configuration)[0] ?? []) : [];
  const timeInForce = Object.hasOwn(FORCES, kind) ? FORCES[kind] : undefined;
  if (timeInForce === undefined || !isObject(of)) return undefined;
  return { timeInForce, isLimit: kind !== 'market_market_ioc', of };
}

function cancelled({ body }: Asked, { desk, now }: CoinbaseOrdersOptions): RestAnswer {
  const parsed = parseJson(body);
  const ids = textsIn(isObject(parsed) ? parsed['order_ids'] : []);
  const results = ids.map((order_id) => {
    const order = desk.order(idOf(order_id));
    const success = order?.status === 'Open';
    if (success) desk.cancel(order.id, now());
    const failure_reason = success ? 'UNKNOWN_CANCEL_FAILURE_REASON' : order === undefined ? 'UNKNOWN_CANCEL_ORDER' : 'DUPLICATE_CANCEL_REQUEST'; // prettier-ignore
    return { success, failure_reason, order_id };
  });
  return ok({ results });
}

function queried({ path }: Asked, options: CoinbaseOrdersOptions): RestAnswer {
  const order = options.desk.order(idOf(path.slice(path.lastIndexOf('/') + 1)));
  if (order === undefined)
    return { status: 404, body: { error: 'unknown', error_details: NO_ORDER, message: NO_ORDER } };
  return ok({ order: orderOf(order, options) });
}

function listed({ query }: Asked, options: CoinbaseOrdersOptions): RestAnswer {
  const [products, states] = [query.getAll('product_ids'), query.getAll('order_status')];
  const orders = options.desk
    .orders()
    .filter(({ request }) => products.length === 0 || products.includes(request.symbol))
    .map((order) => orderOf(order, options))
    .filter(({ status }) => states.length === 0 || states.includes(status));
  return ok({ orders, has_next: false, cursor: '' });
}

const summary = (feeBps: number): object => {
  const rate = String(feeBps / 10_000);
  return {
    total_volume: 0,
    total_fees: 0,
    fee_tier: { pricing_tier: 'Simulated', taker_fee_rate: rate, maker_fee_rate: rate },
  };
};

const STATUS = { Open: 'OPEN', Filled: 'FILLED', Cancelled: 'CANCELLED', Expired: 'EXPIRED' } as const;
const FORCE_NAMES = { GTC: 'GOOD_UNTIL_CANCELLED', IOC: 'IMMEDIATE_OR_CANCEL', FOK: 'FILL_OR_KILL' } as const;

function orderOf(order: Order, { desk }: CoinbaseOrdersOptions) {
  const { id, request, status, createdAt, fills } = order;
  const { price, size, filled, value, average, fee } = textsOf(order, desk);
  const isMarket = request.ticks === undefined;
  const kind = isMarket ? 'market_market_ioc' : request.timeInForce === 'GTC' ? 'limit_limit_gtc' : request.timeInForce === 'IOC' ? 'sor_limit_ioc' : 'limit_limit_fok'; // prettier-ignore
  return {
    order_id: uuidOf(id),
    product_id: request.symbol,
    user_id: accountIdOf('user'),
    order_configuration: {
      [kind]: isMarket ? { base_size: size } : { base_size: size, limit_price: price, post_only: request.isPostOnly },
    },
    side: request.side.toUpperCase(),
    client_order_id: request.clientId,
    status: STATUS[status],
    time_in_force: FORCE_NAMES[request.timeInForce],
    created_time: timeOf(createdAt),
    completion_percentage: String(
      Math.floor((100 * order.filledLots) / (request.lots ?? Math.max(1, order.filledLots))),
    ),
    filled_size: filled,
    average_filled_price: average,
    number_of_fills: String(fills.length),
    filled_value: value,
    pending_cancel: false,
    size_in_quote: request.lots === undefined,
    total_fees: fee,
    order_type: isMarket ? 'MARKET' : 'LIMIT',
    reject_reason: 'REJECT_REASON_UNSPECIFIED',
    settled: status !== 'Open',
    product_type: 'SPOT',
  };
}

const accounts = ({ desk }: CoinbaseOrdersOptions): object => ({
  accounts: [...desk.account.balances()].map(([currency, { free, held }]) => ({
    uuid: accountIdOf(currency),
    name: `${currency} Wallet`,
    currency,
    available_balance: { value: money(free), currency },
    hold: { value: money(held), currency },
    default: true,
    active: true,
    type: 'ACCOUNT_TYPE_CRYPTO',
    ready: true,
  })),
  has_next: false,
  cursor: '',
});
