// The money of one account at a simulated venue: free and held, by asset, exactly. Changed by desk.ts only.

/** Amounts are whole units of 1e-16 of an asset. */
export const AMOUNT_DECIMALS = 16;
const UNIT = 10n ** BigInt(AMOUNT_DECIMALS);

export interface Balance {
  readonly free: bigint;
  readonly held: bigint;
}

/** What an account begins with: enough to sell, too. */
const QUOTE = 1_000_000n * UNIT;
const BASE = 100n * UNIT;
const QUOTES = ['USDT', 'USDC', 'USD', 'EUR', 'GBP', 'BTC'] as const;

export type Pair = readonly [base: string, quote: string];

/** `BTC-USD` → BTC, USD; `BTCUSDT` → BTC, USDT. */
export function pairOf(symbol: string): Pair {
  const [base = symbol, quote] = symbol.split('-');
  if (quote !== undefined) return [base, quote];
  const ending = QUOTES.find((one) => symbol.endsWith(one) && symbol.length > one.length) ?? 'USDT';
  return [symbol.slice(0, -ending.length), ending];
}

export class Account {
  readonly #balances = new Map<string, { free: bigint; held: bigint }>();

  constructor(pairs: readonly Pair[]) {
    for (const [base, quote] of pairs) {
      this.#balances.set(quote, { free: QUOTE, held: 0n });
      if (!this.#balances.has(base)) this.#balances.set(base, { free: BASE, held: 0n });
    }
  }

  balances(): ReadonlyMap<string, Balance> {
    return this.#balances;
  }

  free(asset: string): bigint {
    return this.#balances.get(asset)?.free ?? 0n;
  }

  /** Puts aside, or gives back what is negative. */
  hold(asset: string, amount: bigint): void {
    const balance = this.#of(asset);
    balance.free -= amount;
    balance.held += amount;
  }

  /** Pays out of what is held. */
  pay(asset: string, amount: bigint): void {
    this.#of(asset).held -= amount;
  }

  receive(asset: string, amount: bigint): void {
    this.#of(asset).free += amount;
  }

  #of(asset: string): { free: bigint; held: bigint } {
    const balance = this.#balances.get(asset) ?? { free: 0n, held: 0n };
    this.#balances.set(asset, balance);
    return balance;
  }
}
