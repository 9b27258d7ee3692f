// An order at a simulated venue: what is asked, what becomes of it, why it is refused; in ticks and lots. Pure. The protocols
// turn their own words into these and back.
import type { Filters } from '../player.ts';
import { decimalsOfStep, parseScaled } from '../../ingest/venue/decimal.ts';

export type Side = 'buy' | 'sell';

const FORCES = ['GTC', 'IOC', 'FOK'] as const;
export type TimeInForce = (typeof FORCES)[number];

export const isTimeInForce = (value: unknown): value is TimeInForce => FORCES.some((force) => force === value);

export interface OrderRequest {
  readonly symbol: string;
  readonly side: Side;
  /** Undefined: at any price, and what is left then expires. */
  readonly ticks: number | undefined;
  /** Undefined: as much as `spend` buys. */
  readonly lots: number | undefined;
  /** In ticks × lots. */
  readonly spend?: bigint;
  /** GTC rests; IOC takes what is there; FOK takes all of it or nothing. */
  readonly timeInForce: TimeInForce;
  /** Refused where it would take. */
  readonly isPostOnly: boolean;
  /** '' = none. */
  readonly clientId: string;
}

export interface Fill {
  readonly tradeId: number;
  readonly ticks: number;
  readonly lots: number;
  readonly isMaker: boolean;
  /** In the asset that the fee is taken in, 1e-16. */
  readonly fee: bigint;
  readonly at: number;
}

export type OrderStatus = 'Open' | 'Filled' | 'Cancelled' | 'Expired';

/** Changed in place by desk.ts. */
export interface Order {
  readonly id: number;
  readonly request: OrderRequest;
  readonly createdAt: number;
  updatedAt: number;
  status: OrderStatus;
  filledLots: number;
  /** ticks × lots of what was filled. */
  value: bigint;
  /** 1e-16 of the asset that it is taken in. */
  fee: bigint;
  /** What it still keeps of what it pays with, 1e-16. */
  held: bigint;
  /** The first hundred; later ones are in the sums only. */
  readonly fills: Fill[];
}

/** Why an order is not taken. */
export type Refusal =
  | 'UnknownSymbol'
  /** The venue does not trade it now. */
  | 'Halted'
  /** The price is not of whole ticks, or not positive. */
  | 'PriceFilter'
  /** The size is not of whole steps, or too small. */
  | 'LotSize'
  /** Less money than the venue takes. */
  | 'Notional'
  | 'InsufficientFunds'
  | 'WouldTake'
  | 'DuplicateClientId'
  | 'TooManyOpen';

/** What an instrument is counted in. */
export interface Units {
  readonly tickStep: number;
  readonly lotStep: number;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  /** ticks × lots of the least order. */
  readonly minValue: bigint;
}

const MONEY_DECIMALS = 8;

export function unitsOf({ tickSize, stepSize, minNotional }: Filters): Units {
  const priceDecimals = decimalsOfStep(tickSize) ?? 0;
  const sizeDecimals = decimalsOfStep(stepSize) ?? 0;
  const least = BigInt(Math.max(0, parseScaled(minNotional, MONEY_DECIMALS)));
  return {
    tickStep: parseScaled(tickSize, priceDecimals),
    lotStep: parseScaled(stepSize, sizeDecimals),
    priceDecimals,
    sizeDecimals,
    minValue: (least * 10n ** BigInt(priceDecimals + sizeDecimals)) / 10n ** BigInt(MONEY_DECIMALS),
  };
}

/** Whole units as decimal text: 6180001 with 2 decimals is 61800.01. */
export function textOf(units: bigint | number, decimals: number): string {
  const text = String(units).padStart(decimals + 1, '0');
  return decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}
