// What one decision looks at, gathered once, so that blend, size, gates and order all see the same. Called by decide.
import type { Policy, SymbolPolicy } from './policy.ts';
import { riskView, type RiskView } from './risk.ts';
import type { Quote, State, SymbolState } from './state.ts';

export interface Seen {
  readonly now: number;
  readonly policy: Policy;
  readonly symbol: SymbolPolicy;
  readonly quote: Quote;
  readonly signal: NonNullable<SymbolState['signal']>;
  readonly view: RiskView;
  readonly index: number;
  /** Filled and working, as a fraction. */
  readonly held: number;
}

/** Undefined where there is no policy, no signal or no book yet. */
export function look(state: State, symbol: SymbolState, now: number): Seen | undefined {
  const { policy } = state;
  const { signal, quote } = symbol;
  const own = policy?.symbols.get(symbol.name);
  if (policy === undefined || own === undefined || signal === undefined || quote === undefined) return undefined;
  const view = riskView(state, policy, now);
  const index = view.names.indexOf(symbol.name);
  const held = (view.filled[index] ?? 0) + (view.working[index] ?? 0);
  return { now, policy, symbol: own, quote, signal, view, index, held };
}
