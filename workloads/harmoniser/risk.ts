// The book of one shard as risk sees it: fractions of capital, σ, Σ, VaR with orders under way (docs/trading.md). Pure.
import { workingLots } from './account.ts';
import { covarianceMatrix } from './covariance.ts';
import type { Policy, SymbolPolicy } from './policy.ts';
import type { Quote, State, SymbolState } from './state.ts';
import { allowedPositions, portfolioVar, withinVar } from './var.ts';
import { sigmaDay } from './volatility.ts';

/** A mark this old makes the symbol worst case. */
const MARK_FRESH_MS = 60_000;
/** Beyond so many books, each symbol with orders under way counts with those that add to it filled. */
const MAX_CORNERS = 64;

/** C: what percentages are of. A losing account's leverage must not grow. Each shard's account has an even part of it. */
export const riskCapitalUsd = (state: State, policy: Policy): number =>
  Math.max(1, Math.min(policy.capitalUsd, (state.equity.usd ?? Infinity) * policy.shards));

/** Quote currency per lot at the last valid mid. */
export const usdPerLot = ({ mid, instrument }: Quote): number => mid / instrument.quantityScale;

/** Whether a symbol's mark is there and at most 60 s old. */
export const isMarked = ({ quote }: SymbolState, now: number): boolean =>
  quote !== undefined && now - quote.at <= MARK_FRESH_MS;

/** σ per day as a fraction; the cap where the mark is missing or old. */
export function sigmaOf(state: State, symbol: SymbolPolicy, now: number): number {
  const own = state.symbols.get(symbol.name);
  const volatility = state.volatilities.get(symbol.name);
  if (volatility === undefined || own === undefined || !isMarked(own, now)) return symbol.volatility.capPerDay;
  return sigmaDay(volatility, symbol.volatility);
}

export interface RiskView {
  readonly names: readonly string[];
  readonly sigmas: readonly number[];
  readonly covariance: readonly (readonly number[])[];
  /** Filled positions, and what orders under way would add, as signed fractions. */
  readonly filled: readonly number[];
  readonly working: readonly number[];
  /** Whether every position has a mark that is not old. */
  readonly isMarked: boolean;
  /** The largest fraction that a symbol's account can hold: what stands for a position without any mark. */
  readonly largest: readonly number[];
  readonly capitalUsd: number;
  readonly z: number;
}

/**
 * One look at the whole book. A position without any mark makes its fraction NaN, and with it every VaR that it is part of:
 * not within any limit, so nothing that adds risk passes; but not above one either, so nothing is sold because of it.
 */
export function riskView(state: State, policy: Policy, now: number): RiskView {
  const symbols = [...policy.symbols.values()];
  const capitalUsd = riskCapitalUsd(state, policy);
  const fraction = (name: string, lots: number): number => {
    if (lots === 0) return 0;
    const quote = state.symbols.get(name)?.quote;
    return quote === undefined ? NaN : (lots * usdPerLot(quote)) / capitalUsd;
  };
  const sigmas = symbols.map((symbol) => sigmaOf(state, symbol, now));
  const held = [...state.symbols.values()].filter(({ name }) => (state.account.lots[name] ?? 0) !== 0);
  return {
    names: symbols.map(({ name }) => name),
    sigmas,
    covariance: covarianceMatrix(state.correlations, sigmas),
    filled: symbols.map(({ name }) => fraction(name, state.account.lots[name] ?? 0)),
    working: symbols.map(({ name }) => fraction(name, workingLots(state.account, name))),
    isMarked: held.every((symbol) => isMarked(symbol, now)),
    largest: symbols.map(({ leverage }) => leverage),
    capitalUsd,
    z: policy.var.z,
  };
}

export const varOf = ({ covariance, z }: RiskView, f: readonly number[]): number => portfolioVar(covariance, f, z);

/** V of the positions that have a mark. */
export const markedVar = (view: RiskView): number => varOf(view, marked(view.filled));

const marked = (f: readonly number[]): number[] => f.map((x) => (Number.isNaN(x) ? 0 : x));

/**
 * V as it is shown: a position without a mark counts as the largest that its account can hold at the cap of σ, added to
 * the rest (VaR is subadditive, so that is the worst). Always a number: JSON has no NaN, and 0 would be a lie.
 */
export function shownVar(view: RiskView, f: readonly number[]): number {
  const unknown = f.reduce((sum, x, i) => sum + (Number.isNaN(x) ? shownAlone(view, i, x) : 0), 0);
  return varOf(view, marked(f)) + unknown;
}

/** V of symbol `i` alone at f, as it is shown. */
export const shownAlone = ({ z, sigmas, largest }: RiskView, i: number, f: number): number =>
  z * (sigmas[i] ?? 0) * (Number.isNaN(f) ? (largest[i] ?? 0) : Math.abs(f));

/** Every book that fills of orders under way can make; symbol `i` with all of its own filled. */
function corners(view: RiskView, i: number): number[][] {
  const all = view.filled.map((held, j) => held + (view.working[j] ?? 0));
  const open = view.working.flatMap((working, j) => (j !== i && working !== 0 ? [j] : []));
  if (2 ** open.length > MAX_CORNERS)
    return [all.map((after, j) => (j === i ? after : larger(view.filled[j] ?? 0, after)))];
  return Array.from({ length: 2 ** open.length }, (_, bits) => {
    const corner = [...all];
    open.forEach((j, k) => {
      if (Math.floor(bits / 2 ** k) % 2 === 1) corner[j] = view.filled[j] ?? 0;
    });
    return corner;
  });
}

const larger = (a: number, b: number): number => (Math.abs(a) > Math.abs(b) ? a : b);

/** The worst VaR over what may fill elsewhere, with symbol `i` at f (its orders under way counted as filled). */
export const worstVar = (view: RiskView, i: number, f: number): number =>
  Math.max(...corners(view, i).map((corner) => varOf(view, corner.with(i, f))));

/** How far VaR lets symbol `i` go from `held` toward `wanted`, whatever fills elsewhere. */
export function boundedByVar(
  view: RiskView,
  i: number,
  move: { held: number; wanted: number; target: number },
): number {
  return corners(view, i).reduce(
    (wanted, f) =>
      withinVar(move.held, wanted, allowedPositions({ covariance: view.covariance, f }, i, move.target / view.z)),
    move.wanted,
  );
}
