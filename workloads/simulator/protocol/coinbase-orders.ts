// What the account and orders of both of Coinbase's protocols share at a simulated venue: texts of an order, and reading of sizes.
import { parseScaled, TOO_FINE } from '../../ingest/venue/decimal.ts';
import { AMOUNT_DECIMALS, pairOf } from '../orders/account.ts';
import type { Credentials } from '../orders/access.ts';
import type { Desk } from '../orders/desk.ts';
import { textOf, type Order, type OrderRequest, type Units } from '../orders/order.ts';
import { plain } from './coinbase-client.ts';

export interface CoinbaseOrdersOptions {
  readonly desk: Desk;
  readonly credentials: Credentials;
  /** Epoch ms. */
  readonly now: () => number;
}

/** An order's id as the venue writes it; of no other account. */
export const uuidOf = (id: number): string => `00000000-0000-4000-9000-${id.toString(16).padStart(12, '0')}`;

/** NaN where it is none of ours. */
export const idOf = (uuid: string): number =>
  /^00000000-0000-4000-9000-[0-9a-f]{12}$/.test(uuid) ? Number.parseInt(uuid.slice(-12), 16) : Number.NaN;

export const accountIdOf = (asset: string): string =>
  `00000000-0000-4000-a000-${Buffer.from(asset).toString('hex').slice(0, 12).padStart(12, '0')}`;

export const money = (amount: bigint): string => textOf(amount, AMOUNT_DECIMALS);

/** Numbers of an order as decimal texts. */
export function textsOf({ request, filledLots, value, fee }: Order, desk: Desk) {
  const { priceDecimals, sizeDecimals } = desk.unitsOf(request.symbol) ?? { priceDecimals: 0, sizeDecimals: 0 };
  const average = filledLots === 0 ? 0n : (value * 10n ** 8n) / BigInt(filledLots);
  return {
    price: plain(textOf(request.ticks ?? 0, priceDecimals)),
    size: plain(textOf(request.lots ?? filledLots, sizeDecimals)),
    filled: plain(textOf(filledLots, sizeDecimals)),
    value: plain(textOf(value, priceDecimals + sizeDecimals)),
    average: plain(textOf(average, priceDecimals + 8)),
    fee: plain(money(fee)),
    quote: pairOf(request.symbol)[1],
  };
}

/** What of an order cannot be read. */
export interface BadNumber {
  readonly field: 'price' | 'size' | 'funds';
  readonly why: 'TooFine' | 'NotANumber' | 'Missing';
}

type Numbers = Pick<OrderRequest, 'ticks' | 'lots' | 'spend'>;

/** Price, size and money of an order in the units of its instrument: decimals as texts or numbers, absent ones undefined. */
export function numbersIn(
  { price, size, funds }: Readonly<Record<BadNumber['field'], unknown>>,
  { priceDecimals, sizeDecimals }: Units,
  isLimit: boolean,
): Numbers | BadNumber {
  const ticks = isLimit ? read(price, priceDecimals) : undefined;
  const lots = read(size, sizeDecimals);
  const spend = lots === undefined ? read(funds, priceDecimals) : undefined;
  if (typeof ticks === 'string') return { field: 'price', why: ticks };
  if (typeof lots === 'string') return { field: 'size', why: lots };
  if (typeof spend === 'string') return { field: 'funds', why: spend };
  if (isLimit && ticks === undefined) return { field: 'price', why: 'Missing' };
  if (lots === undefined && (isLimit || spend === undefined)) return { field: 'size', why: 'Missing' };
  return { ticks, lots, ...(spend === undefined ? {} : { spend: BigInt(spend) * 10n ** BigInt(sizeDecimals) }) };
}

function read(value: unknown, decimals: number): number | undefined | BadNumber['why'] {
  if (value === undefined || value === null || value === '') return undefined;
  const units = parseScaled(typeof value === 'number' ? String(value) : value, decimals);
  if (units === TOO_FINE) return 'TooFine';
  return units < 0 ? 'NotANumber' : units;
}
