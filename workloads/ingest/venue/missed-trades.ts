// Trades that the stream left out and the venue still knows: fetched by REST within its budget, so that what was traded is summed up
// right; never at the expense of books. What is too long ago or too much stays missed, and is told so. Knows no venue: the adapter says how trades are fetched.
import type { TradeFrame } from './frame.ts';
import type { Budget } from './limits.ts';

/** Ids in a row that a stream left out, both ends included. */
export interface MissedRange {
  readonly symbol: string;
  readonly firstId: number;
  readonly lastId: number;
}

export interface MissedTradesOptions {
  /** The venue's trades around the range, in any order; undefined where it could not be asked. */
  readonly fetch: (range: MissedRange) => Promise<readonly TradeFrame[] | undefined>;
  readonly budget: Budget;
  readonly weight: number;
  readonly now: () => number;
  /** Said once for each range: those of its trades that were found, each once. */
  readonly onFound: (symbol: string, trades: readonly TradeFrame[]) => void;
}

/** As many as the venues give in one answer. */
export const MOST_TRADES = 1_000;
/** Ranges that wait; beyond it the newest stay missed. */
const MOST_WAITING = 50;
/** An answer may lag behind the stream, or be refused: asked again after this, so many times. */
const AGAIN_AFTER_MS = 2_000;
const ATTEMPTS = 3;

/** Changed in place. */
interface Waiting {
  readonly range: MissedRange;
  readonly found: Map<number, TradeFrame>;
  askAt: number;
  attempts: number;
}

/** Idle after construction; `tick` (several times a second) moves it on, one request at a time. */
export class MissedTrades {
  readonly #options: MissedTradesOptions;
  readonly #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(options: MissedTradesOptions) {
    this.#options = options;
  }

  /** Of a longer range, the last thousand. */
  want({ symbol, firstId, lastId }: MissedRange): void {
    if (this.#waiting.length >= MOST_WAITING) return;
    const range = { symbol, firstId: Math.max(firstId, lastId - MOST_TRADES + 1), lastId };
    this.#waiting.push({ range, found: new Map(), askAt: this.#options.now(), attempts: 0 });
  }

  tick(): void {
    const { now, budget, weight } = this.#options;
    const at = now();
    const due = this.#isBusy ? undefined : this.#waiting.find(({ askAt }) => askAt <= at);
    if (due !== undefined && budget.spendSpare(weight, at)) void this.#ask(due);
  }

  async #ask(waiting: Waiting): Promise<void> {
    const { fetch, now, onFound } = this.#options;
    const { firstId, lastId, symbol } = waiting.range;
    this.#isBusy = true;
    const trades = await fetch(waiting.range);
    this.#isBusy = false;
    for (const trade of trades ?? [])
      if (trade.tradeId >= firstId && trade.tradeId <= lastId) waiting.found.set(trade.tradeId, trade);
    waiting.attempts += 1;
    waiting.askAt = now() + AGAIN_AFTER_MS;
    if (waiting.found.size <= lastId - firstId && waiting.attempts < ATTEMPTS) return;
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    if (waiting.found.size > 0) onFound(symbol, [...waiting.found.values()]);
  }
}
