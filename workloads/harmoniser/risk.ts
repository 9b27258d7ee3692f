// The book of one shard as risk sees it: fractions of capital, σ, Σ, VaR with orders under way, and what moves them in
// time: the 5 s grid, equity, the forced cut and the breaker (TRADING B4, B5, B7). Called by step and decide.
import { workingLots, workingOf } from './account.ts';
import { correlations, covarianceMatrix, seededCovariance, takeReturns } from './covariance.ts';
import { takeEquity } from './equity.ts';
import { defaultSigmaDay, type Policy, type SymbolPolicy } from './policy.ts';
import type { Output, State, SymbolState } from './state.ts';
import { allowedPositions, portfolioVar, withinVar } from './var.ts';
import { GRID_SECONDS, seededVolatility, sigmaDay, takeGridPoint, type Volatility } from './volatility.ts';

const GRID_MS = GRID_SECONDS * 1_000;
/** A mid this old makes no grid point; a mark this old makes the symbol worst case. */
const GRID_FRESH_MS = 15_000;
const MARK_FRESH_MS = 60_000;
const DAY_MS = 86_400_000;
/** Beyond so many symbols with orders under way, each counts with all of its orders filled. */
const MAX_CORNERS = 64;
/** V is judged for the breaker on two looks so far apart, or on one beyond 1.2 times the threshold. */
const BREAKER_CONFIRM_MS = 1_000;
const BREAKER_AT_ONCE = 1.2;

/** C: what percentages are of. A losing account's leverage must not grow. */
export const riskCapitalUsd = (state: State, policy: Policy): number =>
  Math.max(1, Math.min(policy.capitalUsd, state.equity.usd ?? policy.capitalUsd));

/** Quote currency per lot at the last valid mid; undefined before the first. */
export const usdPerLot = ({ quote }: SymbolState): number | undefined =>
  quote === undefined ? undefined : quote.mid / quote.instrument.quantityScale;

/** σ per day as a fraction; the cap where the mark is missing or old. */
export function sigmaOf(state: State, symbol: SymbolPolicy, now: number): number {
  const quote = state.symbols.get(symbol.name)?.quote;
  const volatility = state.volatilities.get(symbol.name);
  if (volatility === undefined || quote === undefined || now - quote.at > MARK_FRESH_MS)
    return symbol.volatility.capPerDay;
  return sigmaDay(volatility, symbol.volatility);
}

export interface RiskView {
  readonly names: readonly string[];
  readonly sigmas: readonly number[];
  readonly covariance: readonly (readonly number[])[];
  /** Filled positions, and what orders under way would add, as signed fractions. */
  readonly filled: readonly number[];
  readonly working: readonly number[];
  readonly capitalUsd: number;
  readonly z: number;
}

/** One look at the whole book. A position without any mark makes its fraction NaN, so that nothing may be added. */
export function riskView(state: State, policy: Policy, now: number): RiskView {
  const symbols = [...policy.symbols.values()];
  const capitalUsd = riskCapitalUsd(state, policy);
  const fraction = (name: string, lots: number): number => {
    if (lots === 0) return 0;
    const symbol = state.symbols.get(name);
    return (lots * ((symbol && usdPerLot(symbol)) ?? NaN)) / capitalUsd;
  };
  const sigmas = symbols.map((symbol) => sigmaOf(state, symbol, now));
  return {
    names: symbols.map(({ name }) => name),
    sigmas,
    covariance: covarianceMatrix(state.correlations, sigmas),
    filled: symbols.map(({ name }) => fraction(name, state.account.lots[name] ?? 0)),
    working: symbols.map(({ name }) => fraction(name, workingLots(state.account, name))),
    capitalUsd,
    z: policy.var.z,
  };
}

export const varOf = ({ covariance, z }: RiskView, f: readonly number[]): number => portfolioVar(covariance, f, z);

/** Every book that fills of orders under way can make; symbol `i` with all of its own filled. */
function corners(view: RiskView, i: number): number[][] {
  const all = view.filled.map((held, j) => held + (view.working[j] ?? 0));
  const open = view.working.flatMap((working, j) => (j !== i && working !== 0 ? [j] : []));
  if (2 ** open.length > MAX_CORNERS) return [all];
  return Array.from({ length: 2 ** open.length }, (_, bits) => {
    const corner = [...all];
    open.forEach((j, k) => {
      if (Math.floor(bits / 2 ** k) % 2 === 1) corner[j] = view.filled[j] ?? 0;
    });
    return corner;
  });
}

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

/** Makes volatilities and correlations for the policy's symbols where there are none, warm: B4's order. In place. */
export function seedRisk(state: State, policy: Policy, now: number): void {
  for (const symbol of policy.symbols.values()) {
    const own = state.volatilities.get(symbol.name);
    if (own !== undefined && state.gridIndex >= 0) continue;
    state.volatilities.set(symbol.name, warmVolatility(state, symbol, { own, now, staleMs: policy.volatilityStaleMs }));
  }
  const names = [...policy.symbols.keys()];
  const known = state.covariance?.symbols ?? [];
  if (names.length !== known.length || names.some((name, i) => name !== known[i])) {
    state.covariance = seededCovariance(
      [...policy.symbols.values()].map(({ name, assetClass, volatility }) => {
        const own = state.volatilities.get(name);
        return { name, assetClass, sigmaDay: own ? sigmaDay(own, volatility) : volatility.capPerDay };
      }),
    );
  }
  if (state.covariance !== undefined) state.correlations = correlations(state.covariance);
}

interface Warm {
  readonly own: Volatility | undefined;
  readonly now: number;
  readonly staleMs: number;
}

function warmVolatility(state: State, { name, assetClass }: SymbolPolicy, { own, now, staleMs }: Warm): Volatility {
  const ownAt = own === undefined ? undefined : Math.max(own.seededAt, (own.last?.index ?? 0) * GRID_MS);
  // The clock of another boot is no measure of the time since its last point: the next point starts a new return.
  if (own !== undefined && now - (ownAt ?? 0) < staleMs) return { ...own, last: undefined };
  const stored = state.storedEstimates[name];
  if (stored !== undefined && now - stored.at < staleMs) return seededVolatility(stored.sigmaDay, 'Stored', stored.at);
  return seededVolatility(defaultSigmaDay(assetClass), 'ClassDefault', now);
}

/** One grid step where `now` is in a new cell: returns enter σ and ρ, estimates go out. In place. */
export function takeGridStep(state: State, policy: Policy, now: number): Output[] {
  const index = Math.floor(now / GRID_MS);
  if (index <= state.gridIndex || state.covariance === undefined) return [];
  const steps = state.gridIndex < 0 ? 1 : index - state.gridIndex;
  state.gridIndex = index;
  const returns = [...policy.symbols.values()].map((symbol) => {
    const quote = state.symbols.get(symbol.name)?.quote;
    const volatility = state.volatilities.get(symbol.name);
    if (volatility === undefined || quote === undefined || now - quote.at >= GRID_FRESH_MS) return 0;
    return takeGridPoint(volatility, index, quote.mid, symbol.volatility);
  });
  takeReturns(state.covariance, returns, steps);
  state.correlations = correlations(state.covariance);
  return [...policy.symbols.values()].map((symbol) => ({
    kind: 'volatility',
    symbol: symbol.name,
    sigmaDay: sigmaOf(state, symbol, now),
  }));
}

/** Values the account at the exit side: bid for what is long, ask for what is short, worse by σ·√age where it is old. */
export function takeWorth(state: State, policy: Policy, now: number): void {
  const { cashMicros, lots } = state.account;
  if (cashMicros === undefined) return;
  let usd = cashMicros / 1e6;
  for (const [name, held] of Object.entries(lots)) {
    if (held === 0) continue;
    const quote = state.symbols.get(name)?.quote;
    const symbol = policy.symbols.get(name);
    if (quote === undefined || symbol === undefined) return; // no mark: the last known worth stays
    const old = now - quote.at > MARK_FRESH_MS ? now - quote.at : 0;
    const haircut = sigmaOf(state, symbol, now) * Math.sqrt(old / DAY_MS);
    const price = held > 0 ? quote.bid * (1 - haircut) : quote.ask * (1 + haircut);
    usd += (held * price) / quote.instrument.quantityScale;
  }
  takeEquity(state.equity, usd, now, policy.maxDailyLossPct);
}

/**
 * B5 after the trade. V above the limit latches ceilings of 1.35/V of each position until all are kept; above the
 * breaker's threshold it trips, and stays so until the pod restarts (reset and probes come with part 4).
 */
export function watchVar(state: State, policy: Policy, now: number): Output[] {
  const view = riskView(state, policy, now);
  const V = varOf(view, view.filled);
  return [...watchCut(state, policy, { V, now }), ...watchBreaker(state, policy, { V, now })];
}

interface Look {
  readonly V: number;
  readonly now: number;
}

function watchCut(state: State, policy: Policy, { V, now }: Look): Output[] {
  if (state.cut === undefined && V > policy.var.limit) {
    const share = policy.var.target / V;
    const ceilings = Object.entries(state.account.lots).map(([name, lots]) => [
      name,
      Math.floor(Math.abs(lots) * share),
    ]);
    state.cut = { since: now, ceilings: Object.fromEntries(ceilings) };
    return [{ kind: 'note', code: 'VarCutStarted', numbers: { varPct: 100 * V, share } }];
  }
  if (state.cut === undefined || Object.keys(state.cut.ceilings).some((name) => isAbove(state, policy, name)))
    return [];
  const seconds = (now - state.cut.since) / 1_000;
  state.cut = undefined;
  return [{ kind: 'note', code: 'VarCutDone', numbers: { varPct: 100 * V, seconds } }];
}

/** Above its ceiling by more than what can be sold: a lot or two below the venue's minimum does not hold the book up. */
function isAbove(state: State, policy: Policy, name: string): boolean {
  const quote = state.symbols.get(name)?.quote;
  if (state.cut === undefined || quote === undefined) return false;
  const excess = Math.abs(state.account.lots[name] ?? 0) - (state.cut.ceilings[name] ?? 0);
  const least = Math.max(policy.minNotionalUsd, quote.instrument.minNotionalUsd);
  return (excess * quote.mid) / quote.instrument.quantityScale >= least;
}

function watchBreaker(state: State, policy: Policy, { V, now }: Look): Output[] {
  const { breaker } = state;
  if (breaker.state === 'OPEN') return [];
  if (!(V > policy.var.breaker)) {
    breaker.overSince = undefined;
    return [];
  }
  breaker.overSince ??= now;
  if (V <= BREAKER_AT_ONCE * policy.var.breaker && now - breaker.overSince < BREAKER_CONFIRM_MS) return [];
  breaker.state = 'OPEN';
  breaker.tripSeq++;
  return [
    { kind: 'note', code: 'BreakerOpen', numbers: { varPct: 100 * V, limitPct: 100 * policy.var.breaker } },
    ...cancelOpens(state, now),
  ];
}

/** Cancels of every order under way that could add to a position. */
export function cancelOpens(state: State, now: number): Output[] {
  return [...state.symbols.keys()]
    .flatMap((name) => workingOf(state.account, name))
    .filter(({ reduceOnly }) => !reduceOnly)
    .map(({ id, symbol }) => ({ kind: 'request', request: { kind: 'cancel', id, symbol, t: now } }));
}
