// What flows through the symbol streams: one entry field `data` with JSON of one of these. Prices are integers in ticks
// (1 / priceScale of the quote currency), sizes integers in lots (1 / quantityScale of the base asset), cash integers in
// micros (1e-6 quote). `t` is epoch ms of the *monotonic* clock of the process that received the venue's frame
// (performance.timeOrigin + performance.now()): it never goes back within one bootId, and a new bootId re-anchors it.

/**
 * Up to this age in ms a book is fresh: the time since its source was heard and how late that was, together. On an older one
 * nothing is opened, matched or scored, and a feed that is later by itself is a late one.
 */
export const BOOK_FRESH_MS = 2_000;

/** Constants of one instrument, from the venue's filters. Scales are powers of ten. */
export interface Instrument {
  readonly priceScale: number;
  readonly quantityScale: number;
  /** Smallest price step, in ticks; smallest size step, in lots. */
  readonly tickStep: number;
  readonly lotStep: number;
  readonly minNotionalUsd: number;
}

/**
 * Whether a position of `lots`, counted in `heldIn` of them per unit, would be misread where its venue counts in `quantityScale`: then no
 * figure of it is right. Not where nothing is held, nor where nobody wrote down what it is counted in.
 */
export const isMisread = (lots: number, heldIn: number | undefined, quantityScale: number): boolean =>
  lots !== 0 && heldIn !== undefined && heldIn !== quantityScale;

/** A signal provider's claim for a symbol, as ingest has it at the features' `t`. */
export interface AlphaClaim {
  /** Name of the source, and so of its model. */
  readonly source: string;
  /** Raw claim over `horizonSeconds`, within ±100. */
  readonly edgeBps: number;
  readonly horizonSeconds: number;
  /** Ms ≥ 0 since the provider made it, less than the horizon. */
  readonly ageMs: number;
  /** What the provider says of it, 0 … 1; nothing is decided by it. */
  readonly confidence?: number;
}

export interface Features {
  readonly symbol: string;
  readonly seq: number;
  readonly bootId: string;
  readonly t: number;
  readonly instrument: Instrument;
  /** The primary source's book is spliced, continuous, two-sided and not crossed, and it trades. False: nothing may be opened. */
  readonly valid: boolean;
  /** Why the venue does not trade it, by its own word (BREAK, trading_disabled); absent while it does. No order would be taken. */
  readonly halted?: string;
  /** `t` of the last frame or heartbeat of the primary source. */
  readonly heardAt: number;
  /**
   * By how many ms ≥ 0 the book is behind the venue's, by the times in its messages; absent where nobody knows. `t` −
   * `heardAt` + `lagMs` is the book's age: see BOOK_FRESH_MS.
   */
  readonly lagMs?: number;
  /** Best bid and ask; 0 on a side without levels. */
  readonly bidTicks: number;
  readonly askTicks: number;
  readonly bidLots: number;
  readonly askLots: number;
  /** Quote currency. */
  readonly mid: number;
  readonly microPrice: number;
  readonly spreadBps: number;
  /** (B−A)/(B+A) on the best level, −1 … 1. */
  readonly pressure: number;
  /** Signed share of traded lots over the last 30 s, −1 … 1. */
  readonly tradeImbalance: number;
  /** 5 s previous-tick grid: index = floor(t / 5000), `mid` the last valid mid before its end; absent until there is one. */
  readonly grid?: { readonly index: number; readonly mid: number };
  /** Mid returns in bps over windows of the grid; a window not yet full is absent. */
  readonly returnsBps: { readonly s5?: number; readonly s30?: number; readonly s60?: number; readonly s300?: number };
  /** Cumulative since boot, so that a skipped message loses nothing. */
  readonly frames: number;
  readonly trades: number;
  readonly tradedLots: number;
  /** Of the sources of type alpha that list the symbol, those whose claim still holds; absent where there is none. */
  readonly alphas?: readonly AlphaClaim[];
}

/** One model's claim for a symbol, with what its record is worth. */
export interface Edge {
  readonly model: string;
  readonly horizonSeconds: number;
  /** Raw claim in bps; the blend applies beta. */
  readonly edgeBps: number;
  /** When it was computed, same clock as the message's `t`. */
  readonly t: number;
  readonly confidence: number;
  readonly beta: number;
  readonly sampleCount: number;
}

export interface Signal {
  readonly symbol: string;
  readonly seq: number;
  readonly bootId: string;
  readonly t: number;
  /** The features that this signal was made from, whole: book, age and grid travel with the edges. */
  readonly features: Features;
  /**
   * Ms ≥ 0: how old the features were when the router sent the signal. Since Redis took them, by the clock of Redis, and
   * what the router itself needed, by its own.
   */
  readonly featuresAgeMs: number;
  /** Active model per horizon of the symbol, e.g. {"60": "order_book_pressure"}. */
  readonly active: Readonly<Record<string, string>>;
  /** The union of the horizons' active models and of alpha sources, each once. */
  readonly edges: readonly Edge[];
  /** The shortest of the symbol's horizons: the blend's H. */
  readonly horizonSeconds: number;
  readonly routerPaused: boolean;
  readonly calibrated: boolean;
}

export type Side = 'buy' | 'sell';

/**
 * harmoniser → venue. `id` ≤ 36 characters of [A-Za-z0-9_-], from (system, symbol, epoch, sequence): a repeat is dropped.
 * `epoch` is that of the shard's lease under which it was decided: once the venue has seen a later one, it refuses.
 */
export type OrderRequest =
  | {
      readonly kind: 'new';
      readonly id: string;
      readonly symbol: string;
      readonly side: Side;
      readonly lots: number;
      readonly limitTicks: number;
      readonly reduceOnly: boolean;
      readonly timeInForce: 'IOC';
      readonly epoch: number;
      readonly t: number;
    }
  | {
      readonly kind: 'cancel';
      readonly id: string;
      readonly symbol: string;
      readonly epoch: number;
      readonly t: number;
    }
  /** Asks for an `account` report: at start, after a reconnect, after the venue's bootId changed. */
  | {
      readonly kind: 'reconcile';
      readonly id: string;
      readonly symbol: string;
      readonly epoch: number;
      readonly t: number;
    };

/** venue → harmoniser. `seq` grows by one per shard's account and survives restarts: a gap asks for a reconcile. */
export type VenueReport = {
  readonly seq: number;
  readonly bootId: string;
  readonly symbol: string;
  readonly t: number;
} & (
  | { readonly kind: 'accepted'; readonly orderId: string }
  | {
      readonly kind: 'fill';
      readonly orderId: string;
      readonly tradeId: string;
      readonly side: Side;
      readonly lots: number;
      readonly ticks: number;
      readonly notionalMicros: number;
      readonly feeMicros: number;
      /** What its lots are counted in; absent in what an earlier version wrote. */
      readonly quantityScale?: number;
    }
  | {
      readonly kind: 'done';
      readonly orderId: string;
      readonly outcome: 'Filled' | 'Expired' | 'Cancelled';
      readonly filledLots: number;
    }
  | { readonly kind: 'rejected'; readonly orderId: string; readonly reason: string }
  | {
      readonly kind: 'account';
      readonly requestId: string;
      readonly cashMicros: number;
      /** Lots by symbol, of every symbol of the shard. */
      readonly positions: Readonly<Record<string, number>>;
      /** What they are counted in, where it is known. */
      readonly quantityScales?: Readonly<Record<string, number>>;
      readonly openOrders: readonly string[];
      /** The latest epoch that the venue has seen: orders of an earlier one are refused from here on. */
      readonly epoch: number;
    }
);

/** What the harmoniser decided and why, on `decisions:{symbol}`; also the desk's audit trail. */
export interface Decision {
  readonly symbol: string;
  readonly seq: number;
  readonly t: number;
  readonly signalSeq: number;
  readonly desiredHash: string;
  readonly edgeBps: number;
  readonly confidence: number;
  /** Fractions of risk capital: the no-trade band, what is held, what is wanted. */
  readonly lo: number;
  readonly hi: number;
  readonly held: number;
  readonly target: number;
  readonly kellyFraction: number;
  readonly varPct: number;
  readonly varDemandPct: number;
  /** Every gate that refuses an opening now, whether one was wanted or not, by code; empty where none does. */
  readonly blockedBy: readonly string[];
  /** What shaped the size without refusing it, by code: SizeClipped, VarBound, ClassBound, VarCut, EdgeTimeout. */
  readonly notes?: readonly string[];
  readonly order?: { readonly id: string; readonly side: Side; readonly lots: number; readonly limitTicks: number };
}
