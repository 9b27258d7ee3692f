// Coinbase Advanced Trade, spoken by the simulator: channels level2, market_trades and heartbeats, numbered over all of a
// connection, and public REST. A snapshot comes before the acknowledgement, trades newest first, and the counter of heartbeats
// as a number or as a text, as the venue does.
import type { WebSocket } from 'ws';
import { isObject, jsonText, parseJson, type Json } from '../../contract/json.ts';
import { MARKET_KINDS, type DepthEvent, type TextLevels, type TradeEvent, type VenueEvent } from '../player.ts';
import { CoinbaseClient, plain, textsIn, timeOf, type Subscribing } from './coinbase-client.ts';
import { advancedOrders } from './coinbase-advanced-orders.ts';
import { advancedRest, tooMany } from './coinbase-rest.ts';
import { newTape } from './tape.ts';
import type { Protocol, TradingOptions } from './protocol.ts';

/** Without a login. */
const MESSAGES_PER_SECOND = 8;
const BATCH_MS = 250;

export function speakAdvanced({ player, now, credentials, desk }: TradingOptions): Protocol {
  const tape = newTape();
  return {
    serves: (path) => path === '/',
    open: (socket) => new AdvancedClient(socket, { player: player(), now, messages: MESSAGES_PER_SECOND }),
    note: (event) => tape.note(event),
    kinds: MARKET_KINDS,
    tooMany,
    rest: advancedRest({ player, now, orders: (asked) => advancedOrders(asked, { desk, credentials, now }) }, tape.of),
  };
}

class AdvancedClient extends CoinbaseClient {
  #sequence = 0;
  #beats = 0;
  readonly #trades: TradeEvent[] = [];
  readonly #batching: NodeJS.Timeout;

  constructor(socket: WebSocket, options: Subscribing) {
    super(socket, options);
    this.#batching = setInterval(() => this.#tellTrades(), BATCH_MS);
  }

  take(event: VenueEvent): void {
    if (event.kind === 'edge') return;
    if (event.kind === 'depth' && this.has('level2', event.symbol)) {
      this.tell(event, this.#message('l2_data', [bookOf('update', event, timeOf(event.at))]));
    }
    if (event.kind === 'trade' && this.has('market_trades', event.symbol)) this.#trades.push(event);
  }

  // {"type":"subscribe","product_ids":["ETH-USD"],"channel":"level2","jwt":"…"}
  protected onRequest(type: 'subscribe' | 'unsubscribe', request: Json): string | undefined {
    const { channel, jwt } = request;
    const products = textsIn(request['product_ids']);
    if (jwt !== undefined && !isFresh(jwt, this.now() / 1_000)) return 'authentication failure';
    if (channel !== 'level2' && channel !== 'market_trades' && channel !== 'heartbeats')
      return `${jsonText(channel)} is not a valid channel`;
    const unknown = this.unknownOf(products);
    if (unknown !== undefined) return `${unknown} is not a valid product`;
    if (type === 'unsubscribe') this.remove(channel, products);
    else this.#subscribe(channel, products);
    const now = Object.fromEntries([...this.subscribed].map(([name, of]) => [name, [...of]]));
    this.say(this.#message('subscriptions', [{ subscriptions: now }]));
    if (type === 'subscribe' && channel === 'level2') this.listens(products, 'depth');
    if (type === 'subscribe' && channel === 'market_trades') this.listens(products, 'trade');
    return undefined;
  }

  protected beat(): void {
    if (!this.subscribed.has('heartbeats')) return;
    this.#beats += 1;
    const counter = this.#beats % 2 === 0 ? this.#beats : String(this.#beats);
    this.say(this.#message('heartbeats', [{ current_time: timeOf(this.now()), heartbeat_counter: counter }]));
  }

  protected override onClose(): void {
    super.onClose();
    clearInterval(this.#batching);
  }

  #subscribe(channel: string, products: readonly string[]): void {
    this.add(channel, products);
    for (const product of products) {
      if (channel === 'level2') this.#tellBook(product);
      if (channel === 'market_trades') this.#tellPast(product);
    }
  }

  #tellBook(symbol: string): void {
    const { bids = [], asks = [] } = this.player.depth(symbol) ?? {};
    const book = { symbol, bids, asks };
    this.say(this.#message('l2_data', [bookOf('snapshot', book, '1970-01-01T00:00:00Z')]));
  }

  #tellPast(symbol: string): void {
    const tradeId = this.player.lastTradeId(symbol);
    const last = { kind: 'trade', symbol, at: this.now(), tradeId, price: '1', size: '1', sellerTook: false } as const;
    const trades = tradeId === 0 ? [] : [tradeOf(last)];
    this.say(this.#message('market_trades', [{ type: 'snapshot', trades }]));
  }

  #tellTrades(): void {
    const trades = this.#trades.splice(0).reverse();
    const [last] = trades;
    if (last === undefined) return;
    this.tell(last, this.#message('market_trades', [{ type: 'update', trades: trades.map(tradeOf) }]));
  }

  /** Counts also what a fault keeps back. */
  #message(channel: string, events: readonly object[]): string {
    const sequence_num = this.#sequence++;
    return JSON.stringify({ channel, client_id: '', timestamp: timeOf(this.now()), sequence_num, events });
  }
}

function bookOf(
  type: 'snapshot' | 'update',
  { symbol, bids, asks }: Pick<DepthEvent, 'symbol' | 'bids' | 'asks'>,
  event_time: string,
): object {
  const levels = (side: string, of: TextLevels): object[] =>
    of.map(([price, size]) => ({ side, event_time, price_level: plain(price), new_quantity: plain(size) }));
  return { type, product_id: symbol, updates: [...levels('bid', bids), ...levels('offer', asks)] };
}

/** `side` is the maker's. */
const tradeOf = ({ symbol, tradeId, price, size, sellerTook, at }: TradeEvent): object => ({
  trade_id: String(tradeId),
  product_id: symbol,
  price: plain(price),
  size: plain(size),
  side: sellerTook ? 'BUY' : 'SELL',
  time: timeOf(at),
});

/** Well-formed and in force at `now` (epoch s); whose key signed it, a simulated venue does not know. */
function isFresh(jwt: unknown, now: number): boolean {
  const [header, claims, signature] = typeof jwt === 'string' ? jwt.split('.') : [];
  if (!signature) return false;
  const { alg, kid, nonce } = partOf(header);
  const { iss, nbf, exp } = partOf(claims);
  const isNamed = typeof kid === 'string' && typeof nonce === 'string' && iss === 'cdp';
  if (!isNamed || (alg !== 'ES256' && alg !== 'EdDSA')) return false;
  return typeof nbf === 'number' && typeof exp === 'number' && nbf <= now + 5 && now < exp && exp - nbf <= 120;
}

function partOf(text = ''): Json {
  const parsed = parseJson(Buffer.from(text, 'base64url').toString('utf8'));
  return isObject(parsed) ? parsed : {};
}
