// What the paper venue refuses, as a list of checks that reads as the specification: first refusal wins. Pure.
import type { OrderRequest } from '../../contract/messages.ts';
import type { Listing } from '../venue/frame.ts';
import { feeMicros, notionalMicros } from './money.ts';

export type NewOrder = Extract<OrderRequest, { kind: 'new' }>;

/** The facts that an order is held against, as of its arrival. */
export interface Facts {
  readonly listing: Listing;
  readonly account: 'Spot' | 'Margin' | 'Perp';
  /** Cash and lots that no other waiting order has spoken for. */
  readonly freeMicros: number;
  readonly freeLots: number;
  /** Held lots, waiting orders left aside. */
  readonly heldLots: number;
  /** Why they cannot be read in the units of the listing; undefined where they can. */
  readonly misread: string | undefined;
  readonly waiting: number;
  readonly ageMs: number;
  /** Why the venue does not trade it; undefined while it does. */
  readonly halted: string | undefined;
  /** The latest epoch of the shard's lease that the venue has seen. */
  readonly fence: number;
  readonly feeRate: number;
}

/** `<Code>: <what was found and what was expected>`, or undefined where the order may stand. */
type Check = (order: NewOrder, facts: Facts) => string | undefined;

/** An order that was longer on its way is for a market that is gone. */
export const MAX_ORDER_AGE_MS = 2_000;
/** Orders on their way at once, per shard. */
export const MAX_WAITING = 200;

const CHECKS: readonly Check[] = [
  ({ epoch }, { fence }) => (epoch >= fence ? undefined : `OldEpoch: ${epoch}, another acts since under ${fence}`),
  ({ lots, limitTicks }) =>
    Number.isSafeInteger(lots) && Number.isSafeInteger(limitTicks) && lots > 0 && limitTicks > 0
      ? undefined
      : `BadOrder: lots ${lots} at ${limitTicks} ticks, both must be whole and above 0`,
  (_, { ageMs }) =>
    ageMs <= MAX_ORDER_AGE_MS ? undefined : `TooOld: ${Math.round(ageMs)} ms, at most ${MAX_ORDER_AGE_MS}`,
  ({ symbol }, { halted }) => (halted === undefined ? undefined : haltRefusal(symbol, halted)),
  ({ symbol }, { misread }) => (misread === undefined ? undefined : `UnitsChanged: ${symbol} is ${misread}`),
  (_, { waiting }) => (waiting >= MAX_WAITING ? `TooManyOrders: ${waiting} on their way` : undefined),
  ({ limitTicks }, { listing }) =>
    limitTicks % listing.instrument.tickStep === 0
      ? undefined
      : `PriceFilter: ${limitTicks} ticks, step ${listing.instrument.tickStep}`,
  ({ lots }, { listing }) =>
    lots % listing.instrument.lotStep === 0 && lots >= listing.minLots
      ? undefined
      : `LotSize: ${lots} lots, step ${listing.instrument.lotStep}, least ${listing.minLots}`,
  ({ lots }, { listing }) => (lots > listing.maxLots ? `MaxOrder: ${lots} lots, most ${listing.maxLots}` : undefined),
  ({ lots, limitTicks }, { listing: { instrument } }) => {
    const micros = notionalMicros(instrument, limitTicks, lots, 'sell');
    const least = Math.ceil(instrument.minNotionalUsd * 1e6);
    return micros < least ? `MinNotional: ${micros} micros, least ${least}` : undefined;
  },
  ({ side, lots, reduceOnly }, { heldLots }) =>
    !reduceOnly || (side === 'sell' ? heldLots : -heldLots) >= lots
      ? undefined
      : `ReduceOnly: ${side} ${lots} lots with ${heldLots} held`,
  (_, { account }) => (account === 'Spot' ? undefined : `AccountNotSupported: ${account}, the paper venue has Spot`),
  ({ side, lots }, { freeLots }) =>
    side === 'sell' && lots > freeLots ? `InsufficientBalance: sell ${lots} lots, free ${freeLots}` : undefined,
  (order, { freeMicros, listing, feeRate }) => {
    const needed = reserveMicros(order, listing, feeRate);
    return order.side === 'buy' && needed > freeMicros
      ? `InsufficientBalance: needs ${needed} micros, free ${freeMicros}`
      : undefined;
  },
];

/** As venues say it of every order, also of one that reduces: Binance's -1013, "Market is closed." (errors.md). */
export const haltRefusal = (symbol: string, halted: string): string =>
  `MarketHalted: ${symbol} is ${halted} at its venue`;

/** Why the venue refuses `order`, or undefined. */
export function refusalOf(order: NewOrder, facts: Facts): string | undefined {
  for (const check of CHECKS) {
    const refusal = check(order, facts);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Cash that a waiting buy speaks for: its whole size at its limit, with the fee. 0 for a sell. */
export function reserveMicros(order: NewOrder, listing: Listing, feeRate: number): number {
  if (order.side === 'sell') return 0;
  const notional = notionalMicros(listing.instrument, order.limitTicks, order.lots, 'buy');
  return notional + feeMicros(notional, feeRate);
}
