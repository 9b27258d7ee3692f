// Volatilities and correlations of a shard's symbols in time: where they start, and the 5 s grid that moves them (docs/trading.md).
// Called by step.
import { correlations, seededCovariance, takeReturns } from './covariance.ts';
import { defaultSigmaDay, type Policy, type SymbolPolicy } from './policy.ts';
import type { Event, Output, State } from './state.ts';
import {
  GRID_SECONDS,
  seededVolatility,
  sigmaDay,
  sigmaOfCloses,
  takeGridPoint,
  type Volatility,
} from './volatility.ts';

const GRID_MS = GRID_SECONDS * 1_000;
/** A mid this old makes no grid point. */
const GRID_FRESH_MS = 15_000;

/** Makes volatilities and correlations for the policy's symbols where there are none, warm. In place. */
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

/**
 * Daily closes stand in for a class's default, also where they come later, as they go before it. The fast clock keeps
 * what it has where that is more; nothing is taken from a start that was warmer. In place.
 */
export function takeBars(state: State, { symbol, closes, now }: Extract<Event, { kind: 'bars' }>): Output[] {
  const own = state.volatilities.get(symbol);
  const rules = state.policy?.symbols.get(symbol)?.volatility;
  if (own === undefined || rules === undefined || own.source !== 'ClassDefault') return [];
  const sigma = sigmaOfCloses(closes, rules.dayWeight, now);
  if (sigma === undefined) return [];
  const seeded = seededVolatility(sigma, 'DailyBars', now);
  const fastVariance = Math.max(seeded.fastVariance, own.fastVariance);
  state.volatilities.set(symbol, { ...seeded, fastVariance, last: own.last });
  return [{ kind: 'note', code: 'VolatilityFromBars', symbol, numbers: { sigmaDay: sigma, days: closes.length } }];
}

/**
 * One grid step where `now` is in a new cell: returns enter σ and ρ, in place. Out go the slow estimates of what had a
 * point: the fast clock is not worth starting from, and a symbol without a mark has no estimate but the cap.
 */
export function takeGridStep(state: State, policy: Policy, now: number): Output[] {
  const index = Math.floor(now / GRID_MS);
  if (index <= state.gridIndex || state.covariance === undefined) return [];
  const steps = state.gridIndex < 0 ? 1 : index - state.gridIndex;
  state.gridIndex = index;
  const outputs: Output[] = [];
  const returns = [...policy.symbols.values()].map((symbol) => {
    const quote = state.symbols.get(symbol.name)?.quote;
    const volatility = state.volatilities.get(symbol.name);
    if (volatility === undefined || quote === undefined || now - quote.at >= GRID_FRESH_MS) return 0;
    const move = takeGridPoint(volatility, index, quote.mid, symbol.volatility);
    outputs.push({ kind: 'volatility', symbol: symbol.name, sigmaDay: Math.sqrt(volatility.slowVariance) });
    return move;
  });
  takeReturns(state.covariance, returns, steps);
  state.correlations = correlations(state.covariance);
  return outputs;
}
