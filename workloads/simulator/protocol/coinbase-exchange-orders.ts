// Coinbase Exchange's accounts and orders at a simulated venue (REST API, "Create a new order", "Get single order", "Cancel an
// order", "Get all accounts for a profile"). Called by coinbase-exchange.ts.
import { isObject, parseJson, type Json } from '../../contract/json.ts';
import { exchangeProblem } from '../orders/access.ts';
import { isTimeInForce, type Order, type OrderRequest, type Refusal } from '../orders/order.ts';
import { timeOf } from './coinbase-client.ts';
import {
  accountIdOf,
  idOf,
  money,
  numbersIn,
  textsOf,
  uuidOf,
  type BadNumber,
  type CoinbaseOrdersOptions,
} from './coinbase-orders.ts';
import type { Asked, RestAnswer } from './protocol.ts';

const ok = (body: unknown): RestAnswer => ({ status: 200, body });
const refused = (status: number, message: string): RestAnswer => ({ status, body: { message } });
const NOT_FOUND = refused(404, 'NotFound');

const REFUSALS: Readonly<Record<Refusal, string>> = {
  UnknownSymbol: 'Product not found',
  Halted: 'Trading is disabled',
  PriceFilter: 'price too precise',
  LotSize: 'size is too small',
  Notional: 'funds is too small',
  InsufficientFunds: 'Insufficient funds',
  WouldTake: 'Post only order would immediately match',
  DuplicateClientId: 'Duplicate client oid',
  TooManyOpen: 'Maximum number of open orders exceeded',
};

/** The answer where the address is one of an account, else undefined. */
export function exchangeOrders(asked: Asked, options: CoinbaseOrdersOptions): RestAnswer | undefined {
  const [, what, id] = /^\/(orders|accounts|fills)(?:\/(.+))?$/.exec(asked.path) ?? [];
  if (what === undefined) return undefined;
  const problem = exchangeProblem(asked, options.credentials, options.now());
  if (problem !== undefined) return refused(problem === 'request timestamp expired' ? 400 : 401, problem);
  if (what === 'orders' && id !== undefined) return ofOrder(asked.method, id, options);
  switch (`${asked.method} ${what}`) {
    case 'POST orders':
      return placed(asked, options);
    case 'GET orders':
      return ok(open(asked, options));
    case 'GET accounts':
      return id === undefined ? ok(accounts(options)) : NOT_FOUND;
    default:
      return NOT_FOUND;
  }
}

function ofOrder(method: string, id: string, options: CoinbaseOrdersOptions): RestAnswer {
  const order = found(id, options);
  if (order === undefined) return refused(404, 'order not found');
  if (method === 'GET') return ok(orderOf(order, options));
  return method === 'DELETE' ? cancelled(order, options) : NOT_FOUND;
}

function found(id: string, { desk }: CoinbaseOrdersOptions): Order | undefined {
  const [, clientId] = /^client[:/](.+)$/.exec(id) ?? [];
  return clientId === undefined ? desk.order(idOf(id)) : desk.byClientId(clientId);
}

function placed({ body }: Asked, options: CoinbaseOrdersOptions): RestAnswer {
  const parsed = parseJson(body);
  const request = isObject(parsed) ? requestOf(parsed, options) : 'Invalid JSON';
  if (typeof request === 'string') return refused(400, request);
  const order = options.desk.place(request, options.now());
  if (typeof order === 'string') return refused(order === 'Halted' ? 403 : 400, REFUSALS[order]);
  return ok(orderOf(order, options));
}

/** The order, or the venue's words on why it cannot be read. */
function requestOf(asked: Json, { desk }: CoinbaseOrdersOptions): OrderRequest | string {
  const { product_id: product, client_oid: clientId, price, size, funds } = asked;
  const symbol = typeof product === 'string' ? product : '';
  const units = desk.unitsOf(symbol);
  if (units === undefined) return REFUSALS.UnknownSymbol;
  const kind = kindOf(asked);
  if (typeof kind === 'string') return kind;
  const { isLimit, ...rest } = kind;
  const numbers = numbersIn({ price, size, funds }, units, isLimit);
  if ('why' in numbers) return wordsOn(numbers);
  return { symbol, ...rest, ...numbers, clientId: typeof clientId === 'string' ? clientId : '' };
}

const wordsOn = ({ field, why }: BadNumber): string => {
  if (why === 'Missing') return `${field} is required`;
  return why === 'TooFine' ? `${field} too precise` : `Invalid ${field}`;
};

interface Kind extends Pick<OrderRequest, 'side' | 'timeInForce' | 'isPostOnly'> {
  readonly isLimit: boolean;
}

function kindOf({ type = 'limit', side, time_in_force: force = 'GTC', post_only: isPostOnly }: Json): Kind | string {
  if (side !== 'buy' && side !== 'sell') return 'Invalid side';
  if (type !== 'limit' && type !== 'market') return 'Invalid order type';
  if (!isTimeInForce(force)) return 'Invalid time_in_force';
  const isLimit = type === 'limit';
  return { side, timeInForce: isLimit ? force : 'IOC', isPostOnly: isPostOnly === true, isLimit };
}

/** The id alone, as the venue answers. */
function cancelled({ id, status }: Order, { desk, now }: CoinbaseOrdersOptions): RestAnswer {
  if (status !== 'Open') return refused(400, 'Order already done');
  desk.cancel(id, now());
  return ok(uuidOf(id));
}

const open = ({ query }: Asked, options: CoinbaseOrdersOptions): object[] =>
  options.desk
    .orders()
    .filter(({ status, request }) => status === 'Open' && [null, request.symbol].includes(query.get('product_id')))
    .map((order) => orderOf(order, options));

// {"id":"d0c5340b-6d6c-49d9-b567-48c4bfca13d2","price":"0.10000000","size":"0.01000000","product_id":"BTC-USD","side":"buy",
//  "type":"limit","time_in_force":"GTC","post_only":false,"created_at":"2016-12-08T20:02:28.53864Z","fill_fees":"0.0000000000000000",
//  "filled_size":"0.00000000","executed_value":"0.0000000000000000","status":"pending","settled":false}
function orderOf(order: Order, { desk }: CoinbaseOrdersOptions): object {
  const { id, request, status, createdAt, updatedAt } = order;
  const { price, size, filled, value, fee } = textsOf(order, desk);
  const isDone = status !== 'Open';
  return {
    id: uuidOf(id),
    ...(request.ticks === undefined ? {} : { price }),
    size,
    product_id: request.symbol,
    side: request.side,
    stp: 'dc',
    type: request.ticks === undefined ? 'market' : 'limit',
    time_in_force: request.timeInForce,
    post_only: request.isPostOnly,
    ...(request.clientId === '' ? {} : { client_oid: request.clientId }),
    created_at: timeOf(createdAt),
    fill_fees: fee,
    filled_size: filled,
    executed_value: value,
    status: isDone ? 'done' : 'open',
    ...(isDone ? { done_at: timeOf(updatedAt), done_reason: status === 'Filled' ? 'filled' : 'canceled' } : {}),
    settled: isDone,
  };
}

const accounts = ({ desk }: CoinbaseOrdersOptions): object[] =>
  [...desk.account.balances()].map(([currency, { free, held }]) => ({
    id: accountIdOf(currency),
    currency,
    balance: money(free + held),
    hold: money(held),
    available: money(free),
    profile_id: accountIdOf('profile'),
    trading_enabled: true,
  }));
