// The one gate before the venue (docs/trading.md): an ordered list of named pure checks, which reads as the specification.
// Only `approve` makes an Approved order, and the shell sends nothing else. Closed by default: an unknown figure refuses.
import { BOOK_FRESH_MS, type Instrument, type Side } from '../contract/messages.ts';
import type { Session } from './calendar.ts';
import type { Policy, SymbolPolicy } from './policy.ts';

/** An order as the sizing wants it. */
export interface Draft {
  readonly side: Side;
  readonly lots: number;
  readonly limitTicks: number;
}

/** What the checks compare an order with; gathered once for each decision. Money in quote currency. */
export interface GateView {
  readonly policy: Policy;
  readonly symbol: SymbolPolicy;
  readonly instrument: Instrument;
  /** Last valid mid. */
  readonly mid: number;
  readonly redisConnected: boolean;
  readonly hasLease: boolean;
  readonly tradingStopped: boolean;
  readonly controlReadable: boolean;
  readonly reconciled: boolean;
  /** Its venue does not trade it: no order would be taken. */
  readonly halted: boolean;
  readonly bookValid: boolean;
  /** Since its source was last heard, and how late that was. */
  readonly bookAgeMs: number;
  readonly bookLagMs: number;
  /** Our clock, epoch ms. */
  readonly now: number;
  /** Of its calendar; undefined where it has none and needs one. */
  readonly session: Session | undefined;
  /** The figures by which the market is not liquid; undefined where it is. */
  readonly illiquid: Readonly<Record<string, number>> | undefined;
  readonly breakerOpen: boolean;
  /** The forced cut is under way. */
  readonly cutting: boolean;
  readonly positionLots: number;
  /** Signed lots of orders that may still fill. */
  readonly workingLots: number;
  readonly workingOrders: number;
  readonly ordersLastMinute: number;
  readonly capitalUsd: number;
  readonly turnoverUsd: number;
  readonly drawdownPct: number;
  readonly dayLossPct: number;
  readonly dayHalted: boolean;
  /** Cash less what open buys of all symbols may take; undefined until the venue has told it. */
  readonly freeCashUsd: number | undefined;
  /** Worst-case portfolio VaR as a fraction of capital, now and were `lots` (signed) filled too. */
  readonly varNow: number;
  readonly varWith: (lots: number) => number;
}

export interface Refusal {
  readonly code: string;
  /** The numbers compared, e.g. {found: 31, limit: 30}. */
  readonly numbers: Readonly<Record<string, number>>;
}

type Check = (view: GateView, draft: Draft | undefined) => Readonly<Record<string, number>> | undefined;

interface Gate {
  readonly code: string;
  /** Opens: a reduction passes it. */
  readonly of: 'EveryOrder' | 'Opens';
  /** The numbers where it refuses. Without a draft: whether it would refuse any opening now, as far as that is known. */
  readonly check: Check;
}

/** Share of a VaR bound that rounding may take. */
const ROUNDING = 1e-9;
const YES = {};

const usdOf = (view: GateView, draft: Draft): number =>
  (draft.lots * draft.limitTicks) / (view.instrument.quantityScale * view.instrument.priceScale);
const signedLots = (draft: Draft): number => (draft.side === 'buy' ? draft.lots : -draft.lots);

const above = (found: number, limit: number): Readonly<Record<string, number>> | undefined =>
  found <= limit ? undefined : { found, limit };

export const GATES: readonly Gate[] = [
  { code: 'RedisAway', of: 'EveryOrder', check: ({ redisConnected }) => (redisConnected ? undefined : YES) },
  { code: 'NoLease', of: 'EveryOrder', check: ({ hasLease }) => (hasLease ? undefined : YES) },
  // Also reductions: no venue fills them in a halt, and to ask it four times a second spends its rate limit.
  { code: 'Halted', of: 'EveryOrder', check: ({ halted }) => (halted ? YES : undefined) },
  {
    code: 'Collar',
    of: 'EveryOrder',
    check: (view, draft) => draft && above(collarBps(view, draft), view.policy.collarBps),
  },
  {
    code: 'OrderQuantity',
    of: 'EveryOrder',
    check: ({ symbol, instrument }, draft) =>
      draft && above(draft.lots / instrument.quantityScale, symbol.maxOrderQuantity),
  },
  {
    code: 'OrderNotional',
    of: 'EveryOrder',
    check: (view, draft) => draft && above(usdOf(view, draft), view.symbol.maxOrderNotionalUsd),
  },
  { code: 'TradingStopped', of: 'Opens', check: ({ tradingStopped }) => (tradingStopped ? YES : undefined) },
  { code: 'ControlUnreadable', of: 'Opens', check: ({ controlReadable }) => (controlReadable ? undefined : YES) },
  { code: 'Unreconciled', of: 'Opens', check: ({ reconciled }) => (reconciled ? undefined : YES) },
  { code: 'BookInvalid', of: 'Opens', check: ({ bookValid }) => (bookValid ? undefined : YES) },
  { code: 'BookStale', of: 'Opens', check: ({ bookAgeMs }) => above(bookAgeMs, BOOK_FRESH_MS) },
  { code: 'BookLate', of: 'Opens', check: lateNumbers },
  { code: 'Session', of: 'Opens', check: ({ session, now }) => closedNumbers(session, now) },
  { code: 'Liquidity', of: 'Opens', check: ({ illiquid }) => illiquid },
  { code: 'BreakerOpen', of: 'Opens', check: ({ breakerOpen }) => (breakerOpen ? YES : undefined) },
  { code: 'VarCut', of: 'Opens', check: ({ cutting }) => (cutting ? YES : undefined) },
  {
    code: 'VarLimit',
    of: 'Opens',
    check: ({ policy, varNow, varWith }, draft) => {
      if (Number.isNaN(varNow)) return YES; // a position without any mark
      return draft && above(varWith(signedLots(draft)), Math.max(policy.var.target, varNow) * (1 + ROUNDING));
    },
  },
  { code: 'Drawdown', of: 'Opens', check: ({ policy, drawdownPct }) => below(drawdownPct, policy.maxDrawdownPct) },
  {
    code: 'DailyLoss',
    of: 'Opens',
    check: ({ policy, dayLossPct, dayHalted }) =>
      dayHalted ? { found: dayLossPct, limit: policy.maxDailyLossPct } : below(dayLossPct, policy.maxDailyLossPct),
  },
  {
    code: 'PositionQuantity',
    of: 'Opens',
    check: ({ symbol, instrument, positionLots, workingLots }, draft) =>
      draft &&
      above(Math.abs(positionLots + workingLots + signedLots(draft)) / instrument.quantityScale, symbol.maxQuantity),
  },
  {
    code: 'OrdersPerMinute',
    of: 'Opens',
    check: ({ symbol, ordersLastMinute }) => below(ordersLastMinute, symbol.maxOrdersPerMinute),
  },
  {
    code: 'OpenOrders',
    of: 'Opens',
    check: ({ symbol, workingOrders }) => below(workingOrders, symbol.maxOpenOrders),
  },
  {
    code: 'DailyTurnover',
    of: 'Opens',
    check: (view, draft) =>
      above(view.turnoverUsd + (draft ? usdOf(view, draft) : 0), view.policy.maxDailyTurnover * view.capitalUsd),
  },
  { code: 'Cash', of: 'Opens', check: (view, draft) => draft && cashMissing(view, draft) },
];

const closedNumbers = (session: Session | undefined, now: number): Readonly<Record<string, number>> | undefined => {
  if (session?.open === true) return undefined;
  return session === undefined ? YES : { opensInMinutes: Math.ceil((session.until - now) / 60_000) };
};

/** Heard lately, of things that were long ago; one that was not heard is stale. */
function lateNumbers({ bookAgeMs, bookLagMs }: GateView): Readonly<Record<string, number>> | undefined {
  if (bookAgeMs > BOOK_FRESH_MS || bookAgeMs + bookLagMs <= BOOK_FRESH_MS) return undefined;
  return { found: bookAgeMs + bookLagMs, lag: bookLagMs, limit: BOOK_FRESH_MS };
}

/** Refuses at the limit already. */
function below(found: number, limit: number): Readonly<Record<string, number>> | undefined {
  return found < limit ? undefined : { found, limit };
}

function collarBps({ instrument, mid }: GateView, { limitTicks }: Draft): number {
  return Math.abs(1e4 * (limitTicks / instrument.priceScale / mid - 1));
}

/** A spot account pays what it buys, and its fee, from its own cash. */
function cashMissing(view: GateView, draft: Draft): Readonly<Record<string, number>> | undefined {
  if (!view.symbol.spot || draft.side === 'sell') return undefined;
  return above(usdOf(view, draft) * (1 + view.policy.costs.feeBps / 1e4), view.freeCashUsd ?? 0);
}

/** Opposite to the position, and no more than what open reductions leave of it: it can only take risk off. */
export function isReduction({ positionLots, workingLots }: GateView, draft: Draft): boolean {
  const lots = signedLots(draft);
  if (lots * positionLots >= 0) return false;
  const openReductions = workingLots * positionLots < 0 ? Math.abs(workingLots) : 0;
  return draft.lots <= Math.abs(positionLots) - openReductions;
}

/** Every gate that refuses the draft, in the order of GATES; without a draft, every gate that would refuse any opening. */
export function refusals(view: GateView, draft: Draft | undefined): Refusal[] {
  const reduces = draft !== undefined && isReduction(view, draft);
  return GATES.filter((gate) => gate.of === 'EveryOrder' || !reduces).flatMap(({ code, check }) => {
    const numbers = check(view, draft);
    return numbers === undefined ? [] : [{ code, numbers }];
  });
}

declare const approved: unique symbol;
/** An order that passed every gate. */
export type Approved<Order> = Order & { readonly [approved]: true };

/** The order, which may be sent, or every reason why not. */
export function approve<Order extends Draft>(
  view: GateView,
  order: Order,
): { readonly order: Approved<Order> } | { readonly refused: readonly Refusal[] } {
  const refused = refusals(view, order);
  return refused.length === 0 ? { order: order as Approved<Order> } : { refused };
}
