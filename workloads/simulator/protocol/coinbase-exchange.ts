// Coinbase Exchange, spoken by the simulator: channels level2, level2_batch, matches, ticker and heartbeat, and public REST.
import type { WebSocket } from 'ws';
import { isObject, jsonText, type Json } from '../../contract/json.ts';
import { MARKET_KINDS, type DepthEvent, type Player, type TradeEvent, type VenueEvent } from '../player.ts';
import { CoinbaseClient, plain, textsIn, timeOf, type Subscribing } from './coinbase-client.ts';
import { exchangeOrders } from './coinbase-exchange-orders.ts';
import { exchangeRest, tooMany } from './coinbase-rest.ts';
import { newTape } from './tape.ts';
import type { Protocol, TradingOptions } from './protocol.ts';

const BOOKS = ['level2', 'level2_batch'] as const;
const CHANNELS: readonly string[] = [...BOOKS, 'matches', 'ticker', 'heartbeat'];
const MESSAGES_PER_SECOND = 100;

export function speakExchange({ player, now, credentials, desk }: TradingOptions): Protocol {
  /** Per product: one for each event, whichever channel tells it. */
  const sequences = new Map<string, number>();
  const sequenceOf = (product: string): number => sequences.get(product) ?? 0;
  const tape = newTape();
  return {
    serves: (path) => path === '/',
    open: (socket) => new ExchangeClient(socket, { player: player(), now, messages: MESSAGES_PER_SECOND }, sequenceOf),
    note: (event) => {
      const { symbol, kind } = event;
      if (kind !== 'best') sequences.set(symbol, sequenceOf(symbol) + 1);
      tape.note(event);
    },
    kinds: MARKET_KINDS,
    tooMany,
    rest: exchangeRest(
      { player, now, orders: (asked) => exchangeOrders(asked, { desk, credentials, now }) },
      sequenceOf,
      tape.of,
    ),
  };
}

class ExchangeClient extends CoinbaseClient {
  readonly #sequenceOf: (product: string) => number;

  constructor(socket: WebSocket, options: Subscribing, sequenceOf: (product: string) => number) {
    super(socket, options);
    this.#sequenceOf = sequenceOf;
  }

  take(event: VenueEvent): void {
    if (event.kind === 'edge') return;
    const { symbol } = event;
    if (event.kind === 'depth' && BOOKS.some((channel) => this.has(channel, symbol))) {
      this.tell(event, event.raw ?? JSON.stringify(updateOf(event)));
    }
    if (event.kind !== 'trade') return;
    const sequence = this.#sequenceOf(symbol);
    if (this.has('matches', symbol)) {
      this.tell(event, event.raw ?? JSON.stringify({ type: 'match', ...matchOf(event, sequence) }));
    }
    if (this.has('ticker', symbol)) this.tell(event, JSON.stringify(tickerOf(event, sequence, this.player)));
  }

  // {"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2_batch",{"name":"heartbeat","product_ids":["ETH-USD"]}]}
  protected onRequest(type: 'subscribe' | 'unsubscribe', { channels, product_ids: common }: Json): string | undefined {
    const wanted = (Array.isArray(channels) ? channels : []).map((channel: unknown) => ({
      name: isObject(channel) ? channel['name'] : channel,
      products: [...textsIn(common), ...textsIn(isObject(channel) ? channel['product_ids'] : [])],
    }));
    if (wanted.length === 0) return 'channels is required';
    for (const { name, products } of wanted) {
      if (typeof name !== 'string' || !CHANNELS.includes(name)) return `${jsonText(name)} is not a valid channel`;
      const unknown = this.unknownOf(products);
      if (unknown !== undefined) return `${unknown} is not a valid product`;
    }
    const asked = wanted.map(({ name, products }) => ({ name: String(name), products }));
    for (const { name, products } of asked) this.#change(type, name, products);
    this.say(JSON.stringify({ type: 'subscriptions', channels: this.#subscriptions() }));
    if (type === 'subscribe') for (const { name, products } of asked) this.#begin(name, products);
    return undefined;
  }

  protected beat(): void {
    for (const product of this.subscribed.get('heartbeat') ?? []) {
      const sequence = this.#sequenceOf(product);
      const last_trade_id = this.player.lastTradeId(product);
      this.say(
        JSON.stringify({ type: 'heartbeat', sequence, last_trade_id, product_id: product, time: timeOf(this.now()) }),
      );
    }
  }

  #change(type: 'subscribe' | 'unsubscribe', channel: string, products: readonly string[]): void {
    if (type === 'subscribe') this.add(channel, products);
    else this.remove(channel, products);
  }

  /** What a subscription begins with; then the market goes on. */
  #begin(channel: string, products: readonly string[]): void {
    for (const product of products) {
      if (BOOKS.some((book) => book === channel)) this.#tellBook(product);
      if (channel === 'matches') this.#tellLast(product);
    }
    if (BOOKS.some((book) => book === channel)) this.listens(products, 'depth');
    if (channel === 'matches') this.listens(products, 'trade');
  }

  #tellBook(product: string): void {
    const { bids = [], asks = [] } = this.player.depth(product) ?? {};
    const levels = (side: typeof bids): [string, string][] => side.map(([price, size]) => [plain(price), plain(size)]);
    this.say(JSON.stringify({ type: 'snapshot', product_id: product, asks: levels(asks), bids: levels(bids) }));
  }

  #tellLast(product: string): void {
    const tradeId = this.player.lastTradeId(product);
    if (tradeId === 0) return;
    const last = {
      kind: 'trade',
      symbol: product,
      at: this.now(),
      tradeId,
      price: '1',
      size: '1',
      sellerTook: false,
    } as const;
    this.say(JSON.stringify({ type: 'last_match', ...matchOf(last, this.#sequenceOf(product)) }));
  }

  #subscriptions(): object[] {
    return [...this.subscribed].map(([name, products]) => ({ name, product_ids: [...products] }));
  }
}

const updateOf = ({ symbol, bids, asks, at }: DepthEvent): object => ({
  type: 'l2update',
  product_id: symbol,
  changes: [
    ...bids.map(([price, size]) => ['buy', plain(price), plain(size)]),
    ...asks.map(([price, size]) => ['sell', plain(price), plain(size)]),
  ],
  time: timeOf(at),
});

/** `side` is the maker's. */
const matchOf = ({ symbol, tradeId, price, size, sellerTook, at }: TradeEvent, sequence: number): object => ({
  trade_id: tradeId,
  maker_order_id: orderId(2 * tradeId),
  taker_order_id: orderId(2 * tradeId + 1),
  side: sellerTook ? 'buy' : 'sell',
  size: plain(size),
  price: plain(price),
  product_id: symbol,
  sequence,
  time: timeOf(at),
});

const orderId = (number: number): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

function tickerOf(
  { symbol, tradeId, price, size, sellerTook, at }: TradeEvent,
  sequence: number,
  player: Player,
): object {
  const { bids = [], asks = [] } = player.depth(symbol) ?? {};
  return {
    type: 'ticker',
    sequence,
    product_id: symbol,
    price: plain(price),
    best_bid: plain(bids[0]?.[0] ?? '0'),
    best_bid_size: plain(bids[0]?.[1] ?? '0'),
    best_ask: plain(asks[0]?.[0] ?? '0'),
    best_ask_size: plain(asks[0]?.[1] ?? '0'),
    side: sellerTook ? 'sell' : 'buy',
    time: timeOf(at),
    trade_id: tradeId,
    last_size: plain(size),
  };
}
