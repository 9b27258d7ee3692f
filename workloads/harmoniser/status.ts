// The harmoniser's live figures, made once a second. Pure.
import type { DesiredDocument } from '../contract/desired.ts';
import type { HarmoniserStatus } from '../contract/status.ts';
import { kellyInForce } from './decide.ts';
import { drawdownPct } from './equity.ts';
import { riskView, shownAlone, shownVar, usdPerLot } from './risk.ts';
import type { State, SymbolState } from './state.ts';

export interface Seen {
  readonly pod: string;
  readonly shard: number;
  readonly replica: number;
  readonly bootId: string;
  readonly state: State;
  readonly ready: boolean;
  readonly flushed: boolean;
  /** The pod that has the shard's lease, where it is another's. */
  readonly holder: string | undefined;
  readonly desired: DesiredDocument | undefined;
  /** Wall clock, epoch ms; `now` is the clock of the events. */
  readonly at: number;
  readonly now: number;
}

export function harmoniserStatus({ state, desired, now, ...seen }: Seen): HarmoniserStatus {
  const { policy, account, equity, breaker } = state;
  const view = policy === undefined ? undefined : riskView(state, policy, now);
  const demands = view?.names.map((name) => state.symbols.get(name)?.demand ?? 0) ?? [];
  return {
    part: 'harmoniser',
    pod: seen.pod,
    shard: seen.shard,
    replica: seen.replica,
    bootId: seen.bootId,
    at: seen.at,
    ready: seen.ready,
    ...(desired === undefined
      ? {}
      : { desired: { epoch: desired.epoch, version: desired.version, hash: desired.hash } }),
    lease: leaseOf(state, seen.holder),
    tradingStopped: state.restraint.tradingStopped || !state.controlReadable,
    kellyFraction: policy === undefined ? 0 : kellyInForce(state, policy),
    equityUsd: equity.usd ?? 0,
    drawdownPct: drawdownPct(equity),
    varPct: view === undefined ? 0 : 100 * shownVar(view, view.filled),
    varDemandPct: view === undefined ? 0 : 100 * shownVar(view, demands),
    breaker: { state: breaker.state, tripSeq: breaker.tripSeq },
    decisions: state.decisionSeq,
    trades: account.fills,
    openOrders: Object.keys(account.working).length,
    flushed: seen.flushed,
    calibrated: [...state.symbols.values()].every(({ signal }) => signal?.calibrated === true),
    symbols: Object.fromEntries(
      [...state.symbols.values()].map((symbol) => [symbol.name, symbolStatus(state, symbol, { view, now })]),
    ),
  };
}

const leaseOf = ({ epoch }: State, holder: string | undefined): HarmoniserStatus['lease'] =>
  epoch === undefined ? { held: false, ...(holder === undefined ? {} : { holder }) } : { held: true, epoch };

type View = ReturnType<typeof riskView>;

function symbolStatus(
  { account, volatilities, policy }: State,
  symbol: SymbolState,
  { view, now }: { readonly view: View | undefined; readonly now: number },
): HarmoniserStatus['symbols'][string] {
  const { reconciliation, name } = symbol;
  const { edgeBps = 0, confidence = 0, blockedBy = ['NoDecision'] } = symbol.decision ?? {};
  const lots = account.lots[name] ?? 0;
  const index = view?.names.indexOf(name) ?? -1;
  const held = view?.filled[index] ?? 0;
  const volatility = volatilities.get(name);
  return {
    edgeBps,
    confidence,
    positionLots: lots,
    positionUsd: positionUsd(symbol, lots),
    varPct: view === undefined ? 0 : 100 * shownAlone(view, index, held),
    blockedBy,
    ...openingOf(policy, name, now),
    ...(volatility === undefined ? {} : { volatility: { source: volatility.source, seededAt: volatility.seededAt } }),
    reconciled: reconciliation.state === 'Done',
  };
}

function openingOf(policy: State['policy'], name: string, now: number): { readonly opensAt?: number } {
  const session = policy?.symbols.get(name)?.calendar?.(now);
  return session?.open === false ? { opensAt: session.until } : {};
}

/** Quote currency at the last valid mid; 0 before the first. */
export const positionUsd = ({ quote }: SymbolState, lots: number): number =>
  quote === undefined ? 0 : lots * usdPerLot(quote);
