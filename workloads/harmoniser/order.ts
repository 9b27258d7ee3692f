// From a target to an order that passed the gates (docs/trading.md). Called by decide.
import type { Side } from '../contract/messages.ts';
import { signed, workingLots, workingOf } from './account.ts';
import { dayLossPct, drawdownPct } from './equity.ts';
import { approve, isReduction, type Draft, type GateView } from './gates.ts';
import { illiquidity } from './liquidity.ts';
import type { Policy } from './policy.ts';
import { usdPerLot, worstVar } from './risk.ts';
import type { Seen } from './seen.ts';
import { lotsToTrade } from './size.ts';
import type { NewOrder, State, SymbolState } from './state.ts';

const MINUTE_MS = 60_000;

interface Aim {
  /** A fraction of capital. */
  readonly target: number;
  readonly notes: string[];
}

/** Signed lots that take the position to its target; 0 = hold. */
export function lotsFor(state: State, { policy, symbol, quote, view, held }: Seen, { target, notes }: Aim): number {
  if (target === held) return 0;
  const { instrument, mid, bid, ask } = quote;
  const slippage = policy.costs.slippageBps / 1e4;
  const { lots, clipped } = lotsToTrade({
    target,
    heldLots: (state.account.lots[symbol.name] ?? 0) + workingLots(state.account, symbol.name),
    capitalUsd: view.capitalUsd,
    price: mid,
    quantityScale: instrument.quantityScale,
    lotStep: instrument.lotStep,
    // The venue and the gate value an order at its limit, which is worse than the mid by spread and slippage.
    minNotionalUsd: (Math.max(policy.minNotionalUsd, instrument.minNotionalUsd) * mid) / (bid * (1 - slippage)),
    maxOrderLots: symbol.maxOrderQuantity * instrument.quantityScale,
    maxOrderNotionalUsd: (symbol.maxOrderNotionalUsd * mid) / (ask * (1 + slippage)),
  });
  if (clipped) notes.push('SizeClipped');
  // With an order under way the other way, the position is anybody's guess: its end is 50 ms away.
  const isAgainst = workingOf(state.account, symbol.name).some((order) => signed(order.side, 1) * lots < 0);
  return isAgainst ? 0 : lots;
}

/** An immediate order at the touch, worse by the modelled slippage, on the venue's price steps. */
export function draftOf(lots: number, { policy, quote }: Seen): Draft {
  const { priceScale, tickStep } = quote.instrument;
  const slippage = policy.costs.slippageBps / 1e4;
  const side: Side = lots > 0 ? 'buy' : 'sell';
  const touch = side === 'buy' ? quote.ask : quote.bid;
  const steps = Math.round((touch * priceScale) / tickStep);
  const give = Math.floor((touch * slippage * priceScale) / tickStep);
  return { side, lots: Math.abs(lots), limitTicks: (side === 'buy' ? steps + give : steps - give) * tickStep };
}

/** What the gates compare an order with. */
export function gateView(state: State, symbol: SymbolState, seen: Seen): GateView {
  const { policy, view, index, held, quote, signal, now } = seen;
  const { account, equity } = state;
  const perLot = usdPerLot(quote) / view.capitalUsd;
  // A time to come is of an earlier boot's clock.
  symbol.sentAt = symbol.sentAt.map((at) => Math.min(at, now)).filter((at) => now - at < MINUTE_MS);
  return {
    policy,
    symbol: seen.symbol,
    instrument: quote.instrument,
    mid: quote.mid,
    redisConnected: state.redisConnected,
    hasLease: state.epoch !== undefined,
    tradingStopped: state.restraint.tradingStopped,
    controlReadable: state.controlReadable,
    reconciled: symbol.reconciliation.state === 'Done',
    halted: signal.features.halted !== undefined,
    bookValid: signal.features.valid,
    bookAgeMs: now - symbol.heardAt,
    bookLagMs: symbol.lagMs,
    now,
    session: seen.symbol.calendar?.(now),
    illiquid: illiquidity(symbol.liquidity, policy.liquidity, now),
    breakerOpen: state.breaker.state === 'OPEN',
    cutting: state.cut !== undefined,
    positionLots: account.lots[symbol.name] ?? 0,
    workingLots: workingLots(account, symbol.name),
    workingOrders: workingOf(account, symbol.name).length,
    ordersLastMinute: symbol.sentAt.length,
    capitalUsd: view.capitalUsd,
    turnoverUsd: equity.turnoverUsd,
    drawdownPct: drawdownPct(equity),
    dayLossPct: dayLossPct(equity),
    dayHalted: equity.dayHalted,
    freeCashUsd: freeCashUsd(state, policy),
    varNow: worstVar(view, index, held),
    varWith: (lots) => worstVar(view, index, held + lots * perLot),
  };
}

/** Cash less what open buys may take, with fees. */
function freeCashUsd(state: State, policy: Policy): number | undefined {
  const { cashMicros, working } = state.account;
  if (cashMicros === undefined) return undefined;
  return Object.values(working).reduce((free, order) => {
    const instrument = state.symbols.get(order.symbol)?.quote?.instrument;
    if (order.side === 'sell' || instrument === undefined) return free;
    const usd =
      ((order.lots - order.filledLots) * order.limitTicks) / (instrument.quantityScale * instrument.priceScale);
    return free - usd * (1 + policy.costs.feeBps / 1e4);
  }, cashMicros / 1e6);
}

interface Asked {
  readonly draft: Draft;
  readonly gates: GateView;
  readonly now: number;
}

/** The order, counted as under way from here on; or every reason why there is none. */
export function orderOf(state: State, symbol: SymbolState, { draft, gates, now }: Asked) {
  const order: NewOrder = {
    kind: 'new',
    id: orderId(state, symbol.name),
    symbol: symbol.name,
    ...draft,
    reduceOnly: isReduction(gates, draft),
    timeInForce: 'IOC',
    epoch: state.epoch ?? 0,
    t: now,
  };
  const answer = approve(gates, order);
  if ('refused' in answer) return answer;
  state.orderSeq++;
  symbol.sentAt.push(now);
  const { id, side, lots, limitTicks, reduceOnly } = order;
  state.account.working[id] = {
    id,
    symbol: symbol.name,
    side,
    lots,
    limitTicks,
    reduceOnly,
    sentAt: now,
    filledLots: 0,
  };
  return answer;
}

/** Letters, digits and dashes, at most 36: system, symbol, lease, number. The same order never gets two ids. */
function orderId(state: State, symbol: string): string {
  const name = symbol.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 10);
  return `${state.idPrefix}-${name}-${(state.epoch ?? 0).toString(36)}-${(state.orderSeq + 1).toString(36)}`;
}
