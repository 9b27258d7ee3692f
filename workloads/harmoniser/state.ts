// What the harmoniser's core knows, the events that move it and what comes out. Changed in place by step and its parts only.
import type { DailyClose } from '../contract/bars.ts';
import type { Decision, Instrument, OrderRequest, Signal, VenueReport } from '../contract/messages.ts';
import type { Restraint } from '../contract/restraint.ts';
import { emptyAccount, type Account } from './account.ts';
import type { Covariance } from './covariance.ts';
import { emptyEquity, type Equity } from './equity.ts';
import { noExcess, type Excess } from './excess.ts';
import type { Approved } from './gates.ts';
import type { Handover } from './handover.ts';
import { newLiquidity, type Liquidity } from './liquidity.ts';
import type { Policy } from './policy.ts';
import type { Volatility } from './volatility.ts';

/** Times are epoch ms of this process's monotonic clock. */
export type Event =
  /** `ageMs` at `now`: since Redis took it, by its clock. */
  | { readonly kind: 'signal'; readonly signal: Signal; readonly ageMs: number; readonly now: number }
  /** A newer desired document, compiled. */
  | { readonly kind: 'policy'; readonly policy: Policy; readonly now: number }
  /** The shard's lease is ours under another epoch than before, or (undefined) not any more. `left`: by who acted before. */
  | {
      readonly kind: 'lease';
      readonly epoch: number | undefined;
      readonly left?: { readonly epoch: number; readonly handover: Handover };
      readonly now: number;
    }
  /** An order was not handed over, and never will be: the lease ended in between. */
  | { readonly kind: 'unsent'; readonly id: string }
  /** What restrains, and whether the desired document can be read; sent on change. */
  | { readonly kind: 'control'; readonly restraint: Restraint; readonly readable: boolean; readonly now: number }
  | { readonly kind: 'report'; readonly report: VenueReport; readonly now: number }
  | { readonly kind: 'redis'; readonly connected: boolean; readonly now: number }
  /** The venue's closes of past days, oldest first. */
  | { readonly kind: 'bars'; readonly symbol: string; readonly closes: readonly DailyClose[]; readonly now: number }
  /** Each 250 ms. */
  | { readonly kind: 'tick'; readonly now: number };

export type NewOrder = Extract<OrderRequest, { kind: 'new' }>;

export type Output =
  /** To be made durable, then sent. */
  | { readonly kind: 'order'; readonly order: Approved<NewOrder> }
  /** To be sent: a cancel or a reconcile. */
  | { readonly kind: 'request'; readonly request: Exclude<OrderRequest, { kind: 'new' }> }
  | { readonly kind: 'decision'; readonly decision: Decision }
  /** Each grid step: the estimates, for `volatility_estimates`. */
  | { readonly kind: 'volatility'; readonly symbol: string; readonly sigmaDay: number }
  /** For the log: something that a person should know, by its code. */
  | { readonly kind: 'note'; readonly code: string; readonly symbol?: string; readonly numbers?: object };

/** Where a symbol stands with the venue. Needed: nothing may be opened and the venue is to be asked. */
export type Reconciliation =
  | { readonly state: 'Needed'; readonly because: string }
  | { readonly state: 'Asked'; readonly because: string; readonly id: string; readonly askedAt: number }
  | { readonly state: 'Done'; readonly at: number };

/** The last valid book; `at` is when its source was last heard, by our clock. Quote currency per base unit. */
export interface Quote {
  readonly instrument: Instrument;
  readonly bid: number;
  readonly ask: number;
  readonly mid: number;
  readonly at: number;
}

export interface SymbolState {
  readonly name: string;
  signal: Signal | undefined;
  /** By our clock: when the router sent the signal, and when ingest had last read from the source of its book. */
  madeAt: number;
  heardAt: number;
  /** How late that was, ms ≥ 0, by the times in the venue's messages. */
  lagMs: number;
  quote: Quote | undefined;
  reconciliation: Reconciliation;
  readonly excess: Excess;
  readonly liquidity: Liquidity;
  decidedAt: number;
  /** When |μ| last paid its cost; undefined before the first decision. */
  paidAt: number | undefined;
  /** What the sizing wanted before VaR, as a fraction. */
  demand: number;
  decision: Decision | undefined;
  /** When orders were sent, of the last minute. */
  sentAt: number[];
}

export interface Breaker {
  state: 'CLOSED' | 'OPEN';
  tripSeq: number;
  /** When V was first found above the threshold; undefined while it is not. */
  overSince: number | undefined;
}

export interface Cut {
  readonly since: number;
  /** Lots by symbol. */
  readonly ceilings: Readonly<Record<string, number>>;
}

export interface State {
  /** For order ids: short name of the system, shard, replica. */
  readonly idPrefix: string;
  /** Epoch of the shard's lease while it is ours: nothing is sent without. */
  epoch: number | undefined;
  /** The last that was ours, and the latest that anybody is known to have acted under. */
  heldEpoch: number;
  knownEpoch: number;
  /** By symbol, read once at start: the second choice for a warm start, after our own journal. */
  readonly storedEstimates: Readonly<Record<string, StoredEstimate>>;
  orderSeq: number;
  decisionSeq: number;
  policy: Policy | undefined;
  restraint: Restraint;
  controlReadable: boolean;
  redisConnected: boolean;
  readonly symbols: Map<string, SymbolState>;
  readonly account: Account;
  readonly equity: Equity;
  readonly volatilities: Map<string, Volatility>;
  covariance: Covariance | undefined;
  /** Index of the last 5 s grid step taken. */
  gridIndex: number;
  /** Correlations as of the last grid step, in the order of `covariance.symbols`. */
  correlations: readonly (readonly number[])[];
  breaker: Breaker;
  /** While the forced cut is under way. */
  cut: Cut | undefined;
  staleSignals: number;
}

const NOTHING_READ: Restraint = { tradingStopped: true, routerPaused: false, kellyCap: Infinity, holds: [] };

/** A volatility from `volatility_estimates`: per day as a fraction, epoch ms. */
export interface StoredEstimate {
  readonly sigmaDay: number;
  readonly at: number;
}

/** What survives a restart: written as the journal's snapshot, a plain JSON value. */
export interface Saved {
  readonly account: Account;
  readonly equity: Equity;
  readonly orderSeq: number;
  readonly heldEpoch: number;
  readonly knownEpoch: number;
  readonly volatilities: Readonly<Record<string, Volatility>>;
  readonly covariance: Covariance | undefined;
  readonly symbols: Readonly<Record<string, Pick<SymbolState, 'excess' | 'paidAt' | 'quote' | 'sentAt'>>>;
  readonly breaker: Breaker;
  readonly cut: Cut | undefined;
}

/** A state that has seen nothing: stopped, unreadable, unreconciled. `saved` is not kept, but copied. */
export function newState(
  identity: Pick<State, 'idPrefix' | 'storedEstimates'>,
  symbols: readonly string[],
  saved?: Saved,
): State {
  // What an earlier version saved may lack a field.
  const old: Saved = { ...nothingSaved(), ...structuredClone(saved) };
  return {
    ...identity,
    epoch: undefined,
    heldEpoch: old.heldEpoch,
    knownEpoch: old.knownEpoch,
    orderSeq: old.orderSeq,
    decisionSeq: 0,
    policy: undefined,
    restraint: NOTHING_READ,
    controlReadable: false,
    redisConnected: false,
    symbols: new Map(symbols.map((name) => [name, newSymbol(name, old.symbols[name])])),
    account: { ...emptyAccount(), ...old.account },
    equity: old.equity,
    volatilities: new Map(Object.entries(old.volatilities)),
    covariance: old.covariance,
    gridIndex: -1,
    correlations: [],
    breaker: old.breaker,
    cut: old.cut,
    staleSignals: 0,
  };
}

const nothingSaved = (): Saved => ({
  account: emptyAccount(),
  equity: emptyEquity(),
  orderSeq: 0,
  heldEpoch: 0,
  knownEpoch: 0,
  volatilities: {},
  covariance: undefined,
  symbols: {},
  breaker: { state: 'CLOSED', tripSeq: 0, overSince: undefined },
  cut: undefined,
});

const newSymbol = (name: string, old: Saved['symbols'][string] | undefined): SymbolState => ({
  name,
  signal: undefined,
  madeAt: 0,
  heardAt: 0,
  lagMs: 0,
  quote: old?.quote,
  reconciliation: { state: 'Needed', because: 'Start' },
  liquidity: newLiquidity(),
  excess: { ...(old?.excess ?? noExcess()), open: undefined },
  decidedAt: -Infinity,
  paidAt: old?.paidAt,
  demand: 0,
  decision: undefined,
  sentAt: old?.sentAt ?? [],
});

/** A copy of what must survive; may be written while the state moves on. */
export const savedOf = (state: State): Saved =>
  structuredClone({
    account: state.account,
    equity: state.equity,
    orderSeq: state.orderSeq,
    heldEpoch: state.heldEpoch,
    knownEpoch: state.knownEpoch,
    volatilities: Object.fromEntries(state.volatilities),
    covariance: state.covariance,
    symbols: Object.fromEntries(
      [...state.symbols].map(([name, { excess, paidAt, quote, sentAt }]) => [name, { excess, paidAt, quote, sentAt }]),
    ),
    breaker: state.breaker,
    cut: state.cut,
  });
