// Where orders meet a simulated market: at once against the visible book, and what rests when the market comes to it. Orders
// of ours move no market: what they took from a level is only not there for them again until the level changes. Called by the
// protocols; synchronous, time comes in.
import type { MarketEvent, Player, TextLevels } from '../player.ts';
import { parseFloored } from '../../ingest/venue/decimal.ts';
import { Account, AMOUNT_DECIMALS, pairOf, type Pair } from './account.ts';
import { unitsOf, type Order, type OrderRequest, type Refusal, type Units } from './order.ts';

export interface DeskOptions {
  readonly player: Player;
  /** Of the value, taker and maker alike. */
  readonly feeBps: number;
  /** Binance takes it out of what is received, Coinbase always out of the quote currency. */
  readonly feeIn: 'Received' | 'Quote';
}

/** As Binance's MAX_NUM_ORDERS. */
const MOST_OPEN = 200;
/** Orders that are done are known for as long as no more have been done since. */
const DONE_KEPT = 1_000;
const FILLS_KEPT = 100;
const BPS = 10_000n;

/** What is left of a level for us. */
interface Level {
  readonly ticks: number;
  readonly lots: number;
}

interface Met extends Level {
  readonly isMaker: boolean;
  /** A level of the visible book, not somebody's trade. */
  readonly isOfBook: boolean;
}

export class Desk {
  readonly account: Account;
  readonly #options: DeskOptions;
  readonly #units = new Map<string, Units>();
  readonly #open = new Map<number, Order>();
  readonly #done = new Map<number, Order>();
  /** What was taken of a level, by symbol, side and ticks. */
  readonly #taken = new Map<string, number>();
  #lastId = 0;
  #lastTradeId = 0;

  constructor(options: DeskOptions) {
    const { player } = options;
    this.#options = options;
    for (const symbol of player.symbols) this.#units.set(symbol, unitsOf(player.filters(symbol)));
    this.account = new Account(player.symbols.map(pairOf));
  }

  get feeBps(): number {
    return this.#options.feeBps;
  }

  unitsOf(symbol: string): Units | undefined {
    return this.#units.get(symbol);
  }

  order(id: number): Order | undefined {
    return this.#open.get(id) ?? this.#done.get(id);
  }

  byClientId(clientId: string): Order | undefined {
    return this.orders().find(({ request }) => request.clientId === clientId);
  }

  /** Newest first. */
  orders(): readonly Order[] {
    return [...this.#open.values(), ...this.#done.values()].sort((a, b) => b.id - a.id);
  }

  /** Takes an order and matches it, or says why not. */
  place(request: OrderRequest, now: number): Order | Refusal {
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) return refusal;
    const order: Order = {
      id: ++this.#lastId,
      request,
      createdAt: now,
      updatedAt: now,
      status: 'Open',
      filledLots: 0,
      value: 0n,
      fee: 0n,
      held: this.#reserveOf(request),
      fills: [],
    };
    this.account.hold(this.#assets(request)[0], order.held);
    this.#open.set(order.id, order);
    const there = this.#reachable(request);
    const isAllThere = there.reduce((sum, { lots }) => sum + lots, 0) >= (request.lots ?? 0);
    if (request.timeInForce !== 'FOK' || isAllThere) this.#take(order, there, now);
    if (order.status === 'Open' && (request.timeInForce !== 'GTC' || request.ticks === undefined))
      this.#end(order, 'Expired', now);
    return order;
  }

  /** Undefined where it is not known; one that is done stays as it is. */
  cancel(id: number, now: number): Order | undefined {
    const order = this.#open.get(id);
    if (order === undefined) return this.#done.get(id);
    this.#end(order, 'Cancelled', now);
    return order;
  }

  /** The market moved: levels that changed are whole again, and orders that it came to are filled. */
  onEvent(event: MarketEvent): void {
    if (event.kind === 'best') return;
    if (event.kind === 'depth') this.#refresh(event.symbol, event.bids, event.asks);
    for (const order of this.#open.values()) {
      const { request } = order;
      if (request.symbol !== event.symbol || request.ticks === undefined) continue;
      if (event.kind === 'trade') this.#tradeThrough(order, event, event.at);
      else
        for (const { ticks, lots } of this.#reachable(request))
          this.#fill(order, { lots, ticks, isMaker: true, isOfBook: true }, event.at);
    }
  }

  #refusalOf(request: OrderRequest): Refusal | undefined {
    const { symbol, clientId } = request;
    const units = this.#units.get(symbol);
    if (units === undefined) return 'UnknownSymbol';
    if (this.#options.player.isHalted?.(symbol) === true) return 'Halted';
    const filter = filterOf(request, units);
    if (filter !== undefined) return filter;
    if (this.#valueOf(request) < units.minValue) return 'Notional';
    if (clientId !== '' && [...this.#open.values()].some((order) => order.request.clientId === clientId))
      return 'DuplicateClientId';
    if (this.#open.size >= MOST_OPEN) return 'TooManyOpen';
    if (request.isPostOnly && this.#reachable(request).length > 0) return 'WouldTake';
    const [asset] = this.#assets(request);
    return this.#reserveOf(request) > this.account.free(asset) ? 'InsufficientFunds' : undefined;
  }

  /** ticks × lots at its limit, or at the best price. */
  #valueOf(request: OrderRequest): bigint {
    if (request.spend !== undefined) return request.spend;
    const ticks = request.ticks ?? this.#reachable(request)[0]?.ticks ?? 0;
    return BigInt(ticks) * BigInt(request.lots ?? 0);
  }

  /** What it may cost at most: of the quote currency, or of the base where it sells. */
  #reserveOf(request: OrderRequest): bigint {
    const { symbol, side, lots } = request;
    if (side === 'sell') return this.#amountOfLots(symbol, lots ?? 0);
    if (request.spend !== undefined || request.ticks !== undefined)
      return this.#withFee(this.#amountOfValue(symbol, this.#valueOf(request)));
    let left = lots ?? 0;
    let value = 0n;
    for (const level of this.#reachable(request)) {
      const taken = Math.min(left, level.lots);
      left -= taken;
      value += BigInt(taken) * BigInt(level.ticks);
    }
    return this.#withFee(this.#amountOfValue(symbol, value));
  }

  #withFee(amount: bigint): bigint {
    return this.#options.feeIn === 'Quote' ? amount + this.#feeOf(amount) : amount;
  }

  #feeOf(amount: bigint): bigint {
    return (amount * BigInt(Math.round(this.#options.feeBps * 100))) / (BPS * 100n);
  }

  #amountOfLots(symbol: string, lots: number): bigint {
    return BigInt(lots) * 10n ** BigInt(AMOUNT_DECIMALS - (this.#units.get(symbol)?.sizeDecimals ?? 0));
  }

  #amountOfValue(symbol: string, value: bigint): bigint {
    const { priceDecimals = 0, sizeDecimals = 0 } = this.#units.get(symbol) ?? {};
    return value * 10n ** BigInt(AMOUNT_DECIMALS - priceDecimals - sizeDecimals);
  }

  /** What it pays with, and what it gets. */
  #assets({ symbol, side }: OrderRequest): Pair {
    const [base, quote] = pairOf(symbol);
    return side === 'buy' ? [quote, base] : [base, quote];
  }

  /** Levels of the other side within its limit, best first, less what was taken of them. */
  #reachable({ symbol, side, ticks: limit }: OrderRequest): readonly Level[] {
    const depth = this.#options.player.depth(symbol);
    const units = this.#units.get(symbol);
    if (depth === undefined || units === undefined) return [];
    const levels: Level[] = [];
    for (const [price, size] of side === 'buy' ? depth.asks : depth.bids) {
      const ticks = parseFloored(price, units.priceDecimals);
      if (limit !== undefined && (side === 'buy' ? ticks > limit : ticks < limit)) break;
      const taken = this.#taken.get(keyOf(symbol, side, ticks)) ?? 0;
      const lots = parseFloored(size, units.sizeDecimals) - taken;
      if (lots > 0) levels.push({ ticks, lots });
    }
    return levels;
  }

  #take(order: Order, levels: readonly Level[], now: number): void {
    for (const { ticks, lots } of levels) {
      if (order.status !== 'Open') return;
      const { lots: wanted, spend } = order.request;
      const buys = spend === undefined || wanted !== undefined ? lots : this.#affordable(order, spend, ticks);
      this.#fill(order, { ticks, lots: Math.min(lots, buys), isMaker: false, isOfBook: true }, now);
      if (buys < lots) this.#end(order, 'Filled', now);
    }
  }

  #affordable({ request, value }: Order, spend: bigint, ticks: number): number {
    const step = this.#units.get(request.symbol)?.lotStep ?? 1;
    const lots = Number((spend - value) / BigInt(ticks));
    return lots - (lots % step);
  }

  /** Somebody traded at a worse price than an order of ours would have given. */
  #tradeThrough(order: Order, trade: Extract<MarketEvent, { kind: 'trade' }>, now: number): void {
    const { symbol, side, ticks: limit = 0 } = order.request;
    const units = this.#units.get(symbol);
    if (units === undefined || trade.sellerTook !== (side === 'buy')) return;
    const ticks = parseFloored(trade.price, units.priceDecimals);
    const isThrough = side === 'buy' ? ticks < limit : ticks > limit;
    if (isThrough)
      this.#fill(
        order,
        { ticks, lots: parseFloored(trade.size, units.sizeDecimals), isMaker: true, isOfBook: false },
        now,
      );
  }

  /** As much of `lots` as is still wanted: a taker at the level's price, a maker at its own. */
  #fill(order: Order, { ticks, lots, isMaker, isOfBook }: Met, now: number): void {
    const { request } = order;
    const filled = Math.min(lots, (request.lots ?? Number.MAX_SAFE_INTEGER) - order.filledLots);
    if (order.status !== 'Open' || filled <= 0) return;
    const price = isMaker ? (request.ticks ?? ticks) : ticks;
    const key = keyOf(request.symbol, request.side, ticks);
    if (isOfBook) this.#taken.set(key, (this.#taken.get(key) ?? 0) + filled);
    const value = BigInt(price) * BigInt(filled);
    const fee = this.#settle(order, filled, value);
    order.filledLots += filled;
    order.value += value;
    order.fee += fee;
    order.updatedAt = now;
    const tradeId = ++this.#lastTradeId;
    if (order.fills.length < FILLS_KEPT)
      order.fills.push({ tradeId, ticks: price, lots: filled, isMaker, fee, at: now });
    if (order.filledLots === request.lots) this.#end(order, 'Filled', now);
  }

  /** Moves the money of a fill; gives the fee. */
  #settle(order: Order, lots: number, value: bigint): bigint {
    const { symbol, side } = order.request;
    const [pays, gets] = this.#assets(order.request);
    const size = this.#amountOfLots(symbol, lots);
    const money = this.#amountOfValue(symbol, value);
    const isBuy = side === 'buy';
    const fee = this.#feeOf(isBuy && this.#options.feeIn === 'Received' ? size : money);
    const isExtra = isBuy && this.#options.feeIn === 'Quote';
    const spent = (isBuy ? money : size) + (isExtra ? fee : 0n);
    order.held -= spent;
    this.account.pay(pays, spent);
    this.account.receive(gets, (isBuy ? size : money) - (isExtra ? 0n : fee));
    return fee;
  }

  /** Gives back what was held for what was not filled, or was filled at better prices. */
  #end(order: Order, status: Exclude<Order['status'], 'Open'>, now: number): void {
    this.account.hold(this.#assets(order.request)[0], -order.held);
    order.held = 0n;
    order.status = status;
    order.updatedAt = now;
    this.#open.delete(order.id);
    this.#done.set(order.id, order);
    const [oldest] = this.#done.keys();
    if (this.#done.size > DONE_KEPT && oldest !== undefined) this.#done.delete(oldest);
  }

  /** Absolute sizes: what we took of a level that changed is in them, or is gone with it. */
  #refresh(symbol: string, bids: TextLevels, asks: TextLevels): void {
    if (this.#taken.size === 0) return;
    const decimals = this.#units.get(symbol)?.priceDecimals ?? 0;
    for (const [side, levels] of [
      ['sell', bids],
      ['buy', asks],
    ] as const) {
      for (const [price] of levels) this.#taken.delete(keyOf(symbol, side, parseFloored(price, decimals)));
    }
  }
}

/** The level that an order of this side takes from. */
const keyOf = (symbol: string, side: OrderRequest['side'], ticks: number): string => `${symbol} ${side} ${ticks}`;

function filterOf({ ticks, lots }: OrderRequest, { tickStep, lotStep }: Units): Refusal | undefined {
  if (ticks !== undefined && (ticks <= 0 || ticks % tickStep !== 0)) return 'PriceFilter';
  return lots !== undefined && (lots < lotStep || lots % lotStep !== 0) ? 'LotSize' : undefined;
}
