// The paper account: what reports make of it. Live and at the journal's replay the same function moves it, so cash and
// positions are what the reports say, to the integer. Pure; changed in place.
import { isMisread, type VenueReport } from '../../contract/messages.ts';

export interface Account {
  cashMicros: number;
  readonly positions: Map<string, number>;
  /** Lots per unit that each position is counted in, as of its last fill; none in what an earlier version wrote. */
  readonly quantityScales: Map<string, number>;
  /** Of the last report. */
  seq: number;
  /** Request ids that have their final answer, oldest first: a repeat is dropped. */
  readonly answered: Set<string>;
  /** The latest epoch of the shard's lease that was seen: orders of an earlier one are refused. */
  fence: number;
}

/** Answered ids that are kept: twice the longest an orders stream gets. */
export const ANSWERED_LIMIT = 20_000;

/** A new account. Throws a RangeError where the capital is no amount that fits the integers (up to 9e9 of quote). */
export function openAccount(capitalUsd: number): Account {
  const cashMicros = Math.round(capitalUsd * 1e6);
  if (!(Number.isSafeInteger(cashMicros) && cashMicros >= 0)) {
    throw new RangeError(`capitalUsd must be 0 … 9e9, found ${capitalUsd}`);
  }
  return { cashMicros, positions: new Map(), quantityScales: new Map(), seq: 0, answered: new Set(), fence: 0 };
}

export const positionOf = (account: Account, symbol: string): number => account.positions.get(symbol) ?? 0;

/** Why the position cannot be read where its venue counts in `quantityScale` lots per unit; undefined where it can. */
export function misread(account: Account, symbol: string, quantityScale: number): string | undefined {
  const lots = positionOf(account, symbol);
  const heldIn = account.quantityScales.get(symbol);
  if (heldIn === undefined || !isMisread(lots, heldIn, quantityScale)) return undefined;
  return `held in ${lots} lots of ${Math.log10(heldIn)} decimals, counted in ${Math.log10(quantityScale)} now: see the runbook`;
}

/** Moves the account by one report. Reports come in order of seq, each once. */
export function applyReport(account: Account, report: VenueReport): void {
  account.seq = report.seq;
  if (report.kind === 'fill') {
    const sign = report.side === 'buy' ? 1 : -1;
    account.cashMicros -= sign * report.notionalMicros + report.feeMicros;
    account.positions.set(report.symbol, positionOf(account, report.symbol) + sign * report.lots);
    if (report.quantityScale !== undefined) account.quantityScales.set(report.symbol, report.quantityScale);
  } else if (report.kind === 'done' || report.kind === 'rejected') {
    remember(account.answered, report.orderId);
  } else if (report.kind === 'account') {
    remember(account.answered, report.requestId);
  }
}

function remember(answered: Set<string>, id: string): void {
  answered.add(id);
  if (answered.size <= ANSWERED_LIMIT) return;
  const [oldest] = answered;
  if (oldest !== undefined) answered.delete(oldest);
}
