// The harmoniser's core: one event in, outputs out. Synchronous and deterministic: no clock, no I/O, no log; the state is
// changed in place. The shell (main.ts) makes orders durable and sends them, and writes the rest.
import { isMisread, type OrderRequest, type Signal, type VenueReport } from '../contract/messages.ts';
import { passGap, settleWorking, takeReport } from './account.ts';
import { decide } from './decide.ts';
import { seedRisk, takeBars, takeGridStep } from './estimates.ts';
import { cancelOpens, watchVar } from './ladder.ts';
import { takeMarket } from './liquidity.ts';
import { takeHandover } from './handover.ts';
import type { Policy } from './policy.ts';
import type { Event, Output, Reconciliation, State, SymbolState } from './state.ts';
import { takeWorth } from './worth.ts';

/** Least time between two decisions for a symbol. */
export const DECISION_MS = 250;
/** An older signal is dropped: a restarted harmoniser must not trade what was. */
const SIGNAL_FRESH_MS = 2_000;
/** An order or a question that the venue has not ended by then makes the symbol unreconciled (never sent again blind). */
const ANSWER_MS = 5_000;

export function step(state: State, event: Event): Output[] {
  switch (event.kind) {
    case 'signal':
      return onSignal(state, event);
    case 'policy':
      return onPolicy(state, event.policy, event.now);
    case 'lease':
      return onLease(state, event);
    case 'unsent':
      delete state.account.working[event.id];
      return [];
    case 'control':
      return onControl(state, event);
    case 'report':
      return onReport(state, event.report, event.now);
    case 'redis':
      return onRedis(state, event.connected, event.now);
    case 'bars':
      return takeBars(state, event);
    case 'tick':
      return onTick(state, event.now);
  }
}

function onSignal(state: State, event: Extract<Event, { kind: 'signal' }>): Output[] {
  const { ageMs, now } = event;
  const symbol = state.symbols.get(event.signal.symbol);
  if (symbol === undefined) return [];
  const signal = readable(state, event.signal);
  const heardAt = now - ageMs - heardMs(signal);
  const { lagMs = 0 } = signal.features;
  const isFresh = Number.isFinite(heardAt) && lagMs >= 0 && ageMs <= SIGNAL_FRESH_MS;
  if (!isFresh || isOlder(signal, symbol.signal)) {
    state.staleSignals++;
    return [];
  }
  Object.assign(symbol, { signal, madeAt: now - ageMs, heardAt, lagMs });
  takeQuote(symbol, signal);
  if (state.policy !== undefined) takeMarket(symbol.liquidity, signal.features, state.policy.liquidity, now);
  return now - symbol.decidedAt >= DECISION_MS ? decide(state, symbol, now) : [];
}

/**
 * The signal; halted where its venue counts in other lots than what is held: no order could be right, and the last quote in the old
 * units stays the mark. Ingest says the same as soon as it has read its account.
 */
function readable({ account }: State, signal: Signal): Signal {
  const { instrument, halted = 'counted in other lots than its position' } = signal.features;
  const { lots, quantityScales } = account;
  const { symbol } = signal;
  if (!isMisread(lots[symbol] ?? 0, quantityScales[symbol], instrument.quantityScale)) return signal;
  return { ...signal, features: { ...signal.features, valid: false, halted } };
}

/**
 * Ms since ingest had last read from the source of the book, when the router sent the signal; each part is a difference on
 * one clock. NaN where a part is missing.
 */
function heardMs({ features, featuresAgeMs }: Signal): number {
  if (!Number.isFinite(featuresAgeMs)) return NaN;
  return featuresAgeMs + Math.max(0, features.t - features.heardAt);
}

/** Within one boot of the router, its numbers say what is newer. */
const isOlder = (signal: Signal, current: Signal | undefined): boolean =>
  current !== undefined && signal.bootId === current.bootId && signal.seq <= current.seq;

/** A silent source's last book stays, and grows old. */
function takeQuote(symbol: SymbolState, { features }: Signal): void {
  const { instrument, bidTicks, askTicks, mid, valid } = features;
  if (!valid || !(bidTicks > 0 && askTicks > bidTicks && mid > 0)) return;
  const { priceScale } = instrument;
  symbol.quote = {
    instrument,
    bid: bidTicks / priceScale,
    ask: askTicks / priceScale,
    mid,
    at: symbol.heardAt - symbol.lagMs,
  };
}

function onPolicy(state: State, policy: Policy, now: number): Output[] {
  state.policy = policy;
  seedRisk(state, policy, now);
  return [];
}

/** Whoever acts next trusts the venue first, then what was left to it, then its own journal. */
function onLease(state: State, { epoch, left, now }: Extract<Event, { kind: 'lease' }>): Output[] {
  state.epoch = epoch;
  if (epoch === undefined) return [];
  if (left !== undefined && left.epoch > state.heldEpoch) takeHandover(state, left.handover);
  state.heldEpoch = epoch;
  state.knownEpoch = Math.max(state.knownEpoch, epoch);
  unreconcile(state, 'LeaseTaken');
  return reconcileAll(state, now);
}

function onControl(state: State, event: Extract<Event, { kind: 'control' }>): Output[] {
  const wasStopped = state.restraint.tradingStopped;
  state.restraint = event.restraint;
  state.controlReadable = event.readable;
  return event.restraint.tradingStopped && !wasStopped ? cancelOpens(state, event.now) : [];
}

function onReport(state: State, report: VenueReport, now: number): Output[] {
  const { duplicate, restarted, filled } = takeReport(state.account, report, now);
  if (restarted) unreconcile(state, 'VenueRestarted');
  if (filled !== undefined) state.equity.turnoverUsd += filled.notionalMicros / 1e6;
  if (report.kind === 'account') {
    if (report.epoch > state.heldEpoch) yieldTo(state, report);
    settle(state, report, now);
  }
  if (!duplicate && state.policy !== undefined) takeWorth(state, state.policy, now);
  if (duplicate || report.kind !== 'rejected') return [];
  return [{ kind: 'note', code: 'OrderRejected', symbol: report.symbol, numbers: { reason: report.reason } }];
}

/**
 * The answer to our question: the symbol's orders of before it are over unless the venue has them open. While it has one
 * that we do not know (of who acted before us) the position is not certain, and it is asked again.
 */
function settle(state: State, report: Extract<VenueReport, { kind: 'account' }>, now: number): void {
  const symbol = state.symbols.get(report.symbol);
  if (symbol === undefined) return;
  const { reconciliation } = symbol;
  if (reconciliation.state !== 'Asked' || reconciliation.id !== report.requestId) return;
  settleWorking(state.account, symbol.name, report.openOrders, reconciliation.askedAt);
  const isCertain = report.openOrders.every((id) => state.account.working[id] !== undefined);
  symbol.reconciliation = isCertain ? { state: 'Done', at: now } : { state: 'Needed', because: 'OrderOfAnother' };
}

/** Another acts since under a later epoch: what we sent is over, unless the venue has it open; what comes is refused. */
function yieldTo(state: State, { symbol, openOrders, epoch }: Extract<VenueReport, { kind: 'account' }>): void {
  state.knownEpoch = Math.max(state.knownEpoch, epoch);
  settleWorking(state.account, symbol, openOrders, Infinity);
}

function onRedis(state: State, connected: boolean, now: number): Output[] {
  const isBack = connected && !state.redisConnected;
  state.redisConnected = connected;
  if (!isBack) return [];
  unreconcile(state, 'RedisBack');
  return reconcileAll(state, now);
}

function unreconcile(state: State, because: string): void {
  for (const symbol of state.symbols.values()) symbol.reconciliation = { state: 'Needed', because };
}

function onTick(state: State, now: number): Output[] {
  if (passGap(state.account, now)) unreconcile(state, 'ReportMissing');
  findUnanswered(state, now);
  const asked = reconcileAll(state, now);
  const { policy } = state;
  if (policy === undefined) return asked;
  takeWorth(state, policy, now);
  return [
    ...asked,
    ...takeGridStep(state, policy, now),
    ...watchVar(state, policy, now),
    ...[...state.symbols.values()]
      .filter(({ decidedAt }) => now - decidedAt >= DECISION_MS)
      .flatMap((symbol) => decide(state, symbol, now)),
  ];
}

function findUnanswered(state: State, now: number): void {
  for (const { symbol: name, sentAt } of Object.values(state.account.working)) {
    const symbol = state.symbols.get(name);
    if (symbol?.reconciliation.state !== 'Done' || now - Math.max(sentAt, symbol.reconciliation.at) < ANSWER_MS)
      continue;
    symbol.reconciliation = { state: 'Needed', because: 'OrderUnanswered' };
  }
}

/** Asks the venue for every symbol that needs it, again where it does not answer. */
function reconcileAll(state: State, now: number): Output[] {
  const { epoch } = state;
  if (!state.redisConnected || epoch === undefined) return [];
  return [...state.symbols.values()]
    .filter((symbol) => isToAsk(symbol.reconciliation, now))
    .map((symbol) => {
      const request = reconcileRequest(state, { epoch, symbol: symbol.name, now });
      const { reconciliation } = symbol;
      const because = reconciliation.state === 'Done' ? 'OrderUnanswered' : reconciliation.because;
      symbol.reconciliation = { state: 'Asked', because, id: request.id, askedAt: now };
      return { kind: 'request', request };
    });
}

const isToAsk = (reconciliation: Reconciliation, now: number): boolean =>
  reconciliation.state === 'Needed' || (reconciliation.state === 'Asked' && now - reconciliation.askedAt >= ANSWER_MS);

function reconcileRequest(
  state: State,
  { epoch, symbol, now }: { readonly epoch: number; readonly symbol: string; readonly now: number },
): Extract<OrderRequest, { kind: 'reconcile' }> {
  const id = `${state.idPrefix}-r-${epoch.toString(36)}-${(++state.orderSeq).toString(36)}`;
  return { kind: 'reconcile', id, symbol, epoch, t: now };
}
