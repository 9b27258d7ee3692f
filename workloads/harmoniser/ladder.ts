// VaR after the trade: the forced cut and the breaker (docs/trading.md). Changes the state in place; called by step.
import { workingOf } from './account.ts';
import type { Policy } from './policy.ts';
import { markedVar, riskView } from './risk.ts';
import type { Output, State } from './state.ts';

/** V is judged for the breaker on two looks so far apart, or on one beyond 1.2 times the threshold. */
const BREAKER_CONFIRM_MS = 1_000;
const BREAKER_AT_ONCE = 1.2;

/**
 * VaR after the trade. Judged is what has a mark: a position without one stops openings, but is no reason to sell the
 * others, and the breaker wants every mark.
 */
export function watchVar(state: State, policy: Policy, now: number): Output[] {
  const view = riskView(state, policy, now);
  const V = markedVar(view);
  return [...watchCut(state, policy, { V, now }), ...(view.isMarked ? watchBreaker(state, policy, { V, now }) : [])];
}

interface Look {
  /** Fraction of capital. */
  readonly V: number;
  readonly now: number;
}

/** V above the limit latches ceilings of target/V of each position until all are kept: exact, as V is homogeneous. */
export function watchCut(state: State, policy: Policy, { V, now }: Look): Output[] {
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

/** V above the threshold, twice or by far, trips; it stays open over restarts too (reset and probes come with part 4). */
export function watchBreaker(state: State, policy: Policy, { V, now }: Look): Output[] {
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
  const { epoch } = state;
  if (epoch === undefined) return [];
  return [...state.symbols.keys()]
    .flatMap((name) => workingOf(state.account, name))
    .filter(({ reduceOnly }) => !reduceOnly)
    .map(({ id, symbol }) => ({ kind: 'request', request: { kind: 'cancel', id, symbol, epoch, t: now } }));
}
