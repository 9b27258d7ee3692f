// One decision for one symbol: blend → size → VaR → gate → order (docs/trading.md). Called by step at most every
// 250 ms a symbol; changes only the symbol's state and the account's orders under way.
import { BOOK_FRESH_MS, type Decision } from '../contract/messages.ts';
import { clamp } from '../kit/math.ts';
import { blend, type Blend, type Claim } from './blend.ts';
import { drawdownFactor, drawdownPct } from './equity.ts';
import { excessBps2, takeBlend } from './excess.ts';
import { refusals } from './gates.ts';
import { draftOf, gateView, lotsFor, orderOf } from './order.ts';
import type { Policy } from './policy.ts';
import { boundedByVar, shownVar, usdPerLot } from './risk.ts';
import { look, type Seen } from './seen.ts';
import {
  afterNoTradeBand,
  bandOf,
  capFraction,
  costBps,
  scaleBps,
  sigmaOverBps,
  wantedFraction,
  type Band,
} from './size.ts';
import type { NewOrder, Output, State, SymbolState } from './state.ts';

/** What the sizing came to: all as fractions of capital. */
interface Sized {
  readonly band: Band;
  readonly cap: number;
  readonly target: number;
  /** What shaped the target without refusing it. */
  readonly notes: string[];
}

/**
 * Decides for `symbol` at `now`. Nothing where there is no policy, no signal or no book yet. The order, if any, has
 * passed every gate and is already counted as under way.
 */
export function decide(state: State, symbol: SymbolState, now: number): Output[] {
  const seen = look(state, symbol, now);
  if (seen === undefined) return [];
  symbol.decidedAt = now;
  const blended = blend(claimsOf(symbol, seen), seen.signal.horizonSeconds, seen.policy.blend);
  const sized = size(state, symbol, { seen, blended });
  const lots = lotsFor(state, seen, sized);
  const gates = gateView(state, symbol, seen);
  const draft = lots === 0 ? undefined : draftOf(lots, seen);
  const answer = draft === undefined ? { refused: [] } : orderOf(state, symbol, { draft, gates, now });
  const refused = 'refused' in answer ? answer.refused : [];
  const blockedBy = [...new Set([...refusals(gates, undefined), ...refused].map(({ code }) => code))];
  const order = 'order' in answer ? answer.order : undefined;
  symbol.decision = record(state, seen, { blended, sized, blockedBy, order });
  const decided: Output = { kind: 'decision', decision: symbol.decision };
  return order === undefined ? [decided] : [decided, { kind: 'order', order }];
}

/** Ages are by the router's own clock up to the signal, by Redis's since: clocks of two pods are never subtracted. */
function claimsOf({ madeAt }: SymbolState, { signal, now }: Seen): Claim[] {
  return signal.edges.map((edge) => ({
    model: edge.model,
    edgeBps: edge.edgeBps,
    beta: edge.beta,
    horizonSeconds: edge.horizonSeconds,
    ageSeconds: (Math.max(0, signal.t - edge.t) + Math.max(0, now - madeAt)) / 1_000,
    confidence: edge.confidence,
  }));
}

function size(state: State, own: SymbolState, { seen, blended }: { seen: Seen; blended: Blend }): Sized {
  const { policy, symbol, quote, signal, view, index, held, now } = seen;
  const { edgeBps } = blended;
  const sigma = view.sigmas[index] ?? symbol.volatility.capPerDay;
  const sigmaBps = sigmaOverBps(sigma, signal.horizonSeconds);
  if (signal.features.valid && now - own.heardAt + own.lagMs <= BOOK_FRESH_MS) {
    takeBlend(own.excess, edgeBps, quote.mid, { now, horizonMs: signal.horizonSeconds * 1_000 });
  } else {
    own.excess.open = undefined; // across a stall a claim cannot be judged
  }
  const spreadBps = (1e4 * (quote.ask - quote.bid)) / quote.mid;
  const cost = costBps(symbol.costs, spreadBps);
  const cap = capFraction({
    kellyFraction: kellyInForce(state, policy),
    kellyReference: policy.kellyReference,
    positionCap: symbol.positionCap,
    varCap: policy.var.target / (policy.var.z * sigma),
    drawdownFactor: drawdownFactor(drawdownPct(state.equity), policy.maxDrawdownPct),
  });
  const scale = scaleBps(sigmaBps, excessBps2(own.excess, sigmaBps));
  const band = bandOf({ edgeBps, costBps: cost, scaleBps: scale, cap, spot: symbol.spot });
  const notes: string[] = [];
  const wanted = afterEdgeTimeout(own, { seen, pays: Math.abs(edgeBps) >= cost, notes }, wantedFraction(held, band));
  own.demand = wanted;
  const ceiling = ((state.cut?.ceilings[symbol.name] ?? Infinity) * usdPerLot(quote)) / view.capitalUsd;
  const forced = Math.abs(held) > ceiling;
  if (forced) notes.push('VarCut');
  const aim = forced ? wanted : afterNoTradeBand(held, wanted, cap, policy.noTradeBand);
  const bounded = clamp(bound(seen, { wanted: aim, notes }), -ceiling, ceiling);
  // The bounds come after the trim to the cap, as that may take a hedge away; what they leave of a move must still pay.
  const isTooSmall = !forced && bounded !== aim && Math.abs(bounded - held) < policy.noTradeBand * cap;
  return { band, cap, target: isTooSmall ? held : bounded, notes };
}

/** The Kelly fraction, and what holds cap it to. */
export const kellyInForce = (state: State, policy: Policy): number =>
  Math.min(policy.kellyFraction, state.restraint.kellyCap);

/** A book whose models have no edge left would be held for ever inside its band: 0 after the timeout. */
function afterEdgeTimeout(
  own: SymbolState,
  { seen, pays, notes }: { seen: Seen; pays: boolean; notes: string[] },
  wanted: number,
): number {
  const { now, held, policy } = seen;
  if (pays || own.paidAt === undefined || own.paidAt > now) own.paidAt = now;
  if (held === 0 || now - own.paidAt <= policy.edgeTimeoutMs) return wanted;
  notes.push('EdgeTimeout');
  return 0;
}

/** Bounds on increases: class, then VaR. */
function bound(seen: Seen, { wanted, notes }: { wanted: number; notes: string[] }): number {
  const { policy, symbol, view, index, held } = seen;
  let bounded = wanted;
  const others = othersOfClass(seen);
  const room = Math.max(Math.abs(held), Number.isNaN(others) ? 0 : symbol.classCap - others);
  if (Math.abs(bounded) > room) {
    bounded = Math.sign(bounded) * room;
    notes.push('ClassBound');
  }
  const inVar = boundedByVar(view, index, { held, wanted: bounded, target: policy.var.target });
  if (inVar !== bounded) notes.push('VarBound');
  return inVar;
}

/** Σ|f| of the other symbols of the class, each at the larger of with and without its orders under way. */
function othersOfClass({ policy, symbol, view, index }: Seen): number {
  return view.names.reduce((sum, name, j) => {
    if (j === index || policy.symbols.get(name)?.assetClass !== symbol.assetClass) return sum;
    const filled = view.filled[j] ?? 0;
    return sum + Math.max(Math.abs(filled), Math.abs(filled + (view.working[j] ?? 0)));
  }, 0);
}

interface Made {
  readonly blended: Blend;
  readonly sized: Sized;
  readonly blockedBy: readonly string[];
  readonly order: NewOrder | undefined;
}

function record(state: State, seen: Seen, { blended, sized, blockedBy, order }: Made): Decision {
  const { view, symbol, signal, policy, now, held } = seen;
  const demands = view.names.map((name) => state.symbols.get(name)?.demand ?? 0);
  return {
    symbol: symbol.name,
    seq: ++state.decisionSeq,
    t: now,
    signalSeq: signal.seq,
    desiredHash: policy.hash,
    edgeBps: blended.edgeBps,
    confidence: blended.confidence,
    lo: sized.band.lo,
    hi: sized.band.hi,
    held,
    target: sized.target,
    kellyFraction: kellyInForce(state, policy),
    varPct: 100 * shownVar(view, view.filled),
    varDemandPct: 100 * shownVar(view, demands),
    blockedBy,
    ...(sized.notes.length === 0 ? {} : { notes: sized.notes }),
    ...(order === undefined
      ? {}
      : { order: { id: order.id, side: order.side, lots: order.lots, limitTicks: order.limitTicks } }),
  };
}
