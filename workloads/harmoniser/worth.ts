// What a shard's account is worth (docs/trading.md). Called by step.
import { takeEquity } from './equity.ts';
import type { Policy } from './policy.ts';
import { isMarked, sigmaOf } from './risk.ts';
import type { State } from './state.ts';

const DAY_MS = 86_400_000;

/**
 * Values the account at the exit side: bid for what is long, ask for what is short; worse by σ·√age where the book is not
 * valid now (one-sided, say) or the mark is old. Without a mark of this boot the last known worth stays.
 */
export function takeWorth(state: State, policy: Policy, now: number): void {
  const { cashMicros, lots } = state.account;
  if (cashMicros === undefined) return;
  let usd = cashMicros / 1e6;
  for (const [name, held] of Object.entries(lots)) {
    if (held === 0) continue;
    const symbol = policy.symbols.get(name);
    const own = state.symbols.get(name);
    if (symbol === undefined || own?.quote === undefined || own.signal === undefined) return;
    const { bid, ask, at, instrument } = own.quote;
    const ageMs = own.signal.features.valid && isMarked(own, now) ? 0 : Math.max(0, now - at);
    const haircut = sigmaOf(state, symbol, now) * Math.sqrt(ageMs / DAY_MS);
    usd += (held * (held > 0 ? bid * (1 - haircut) : ask * (1 + haircut))) / instrument.quantityScale;
  }
  takeEquity(state.equity, usd, now, policy.maxDailyLossPct);
}
