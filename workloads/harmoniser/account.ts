// The shard's account as told by the venue: cash, positions, orders under way (docs/trading.md). Changed in place by
// step; plain JSON, so that a snapshot of it is its copy. Lots and micros are integers: nothing is ever rounded here.
import type { Side, VenueReport } from '../contract/messages.ts';

/** An order from its intent until the venue says that it is over. */
export interface WorkingOrder {
  readonly id: string;
  readonly symbol: string;
  readonly side: Side;
  readonly lots: number;
  readonly limitTicks: number;
  readonly reduceOnly: boolean;
  readonly sentAt: number;
  filledLots: number;
}

/** A fill that a later account report may or may not include. */
interface RecentFill {
  readonly seq: number;
  readonly tradeId: string;
  readonly symbol: string;
  readonly lots: number;
  readonly cashMicros: number;
}

export interface Account {
  /** Undefined until the venue has told it once. */
  cashMicros: number | undefined;
  lots: Record<string, number>;
  /** Lots per unit that each position is counted in, where the venue has told. */
  quantityScales: Record<string, number>;
  working: Record<string, WorkingOrder>;
  fills: number;
  /** Boots of the venue that number in the sequence in force, oldest first, and those whose numbers were lost with a log. */
  venueBoots: string[];
  lostBoots: string[];
  /** Every report up to it has been seen; undefined before the first. */
  seenTo: number | undefined;
  /** Seen beyond a missing one, ascending; `aheadSince` is when the first came. */
  ahead: number[];
  aheadSince: number;
  /** The account report that cash and lots start from: fills up to it are in them. */
  baseSeq: number;
  recent: RecentFill[];
}

/** Fills remembered against repeats and for account reports that are older than them. */
const RECENT_FILLS = 1_000;
/** Boots remembered: reports of an older one are published again after a restart of the venue. */
const KNOWN_BOOTS = 50;
/** Streams of symbols are read side by side, so a report may come so late before its absence counts as a gap. */
const GAP_PATIENCE_MS = 2_000;

export const emptyAccount = (): Account => ({
  cashMicros: undefined,
  lots: {},
  quantityScales: {},
  working: {},
  fills: 0,
  venueBoots: [],
  lostBoots: [],
  seenTo: undefined,
  ahead: [],
  aheadSince: 0,
  baseSeq: 0,
  recent: [],
});

export const signed = (side: Side, lots: number): number => (side === 'buy' ? lots : -lots);

export const workingOf = (account: Account, symbol: string): WorkingOrder[] =>
  Object.values(account.working).filter((order) => order.symbol === symbol);

/** Signed lots of a symbol's orders that may still fill. */
export const workingLots = (account: Account, symbol: string): number =>
  workingOf(account, symbol).reduce((sum, order) => sum + signed(order.side, order.lots - order.filledLots), 0);

/** What a report did. `restarted`: a boot of the venue that was never seen, so nothing that was under way is certain. */
export interface Taken {
  readonly duplicate: boolean;
  readonly restarted: boolean;
  /** A fill that changed the position. */
  readonly filled?: { readonly symbol: string; readonly lots: number; readonly notionalMicros: number };
}

/**
 * Takes one report, once: a repeat (by sequence, fills also by trade id) changes nothing. Late fills of orders that were
 * over are taken too, as the venue is the truth.
 */
export function takeReport(account: Account, report: VenueReport, now: number): Taken {
  const restarted = noteBoot(account, report);
  if (account.lostBoots.includes(report.bootId)) return { duplicate: true, restarted };
  if (!noteSeq(account, report.seq, now)) return { duplicate: true, restarted };
  switch (report.kind) {
    case 'accepted':
      return { duplicate: false, restarted };
    case 'fill': {
      const fresh = takeFill(account, report);
      const filled = { symbol: report.symbol, lots: report.lots, notionalMicros: report.notionalMicros };
      return { duplicate: !fresh, restarted, ...(fresh ? { filled } : {}) };
    }
    case 'done':
    case 'rejected':
      delete account.working[report.orderId];
      return { duplicate: false, restarted };
    case 'account':
      adopt(account, report);
      return { duplicate: false, restarted };
  }
}

/**
 * Whether the report is the first of a boot. A venue that lost its log numbers from the start again: what was seen of the
 * old numbers says nothing then, and what still comes of the old boots is not of this account.
 */
function noteBoot(account: Account, { bootId, seq }: VenueReport): boolean {
  if (account.venueBoots.includes(bootId) || account.lostBoots.includes(bootId)) return false;
  const restarted = account.venueBoots.length > 0;
  if (restarted && seq <= (account.seenTo ?? 0)) {
    account.lostBoots = [...account.lostBoots, ...account.venueBoots].slice(-KNOWN_BOOTS);
    account.venueBoots = [];
    account.seenTo = seq - 1;
    account.ahead = [];
    account.baseSeq = 0;
    account.recent = [];
  }
  account.venueBoots = [...account.venueBoots, bootId].slice(-KNOWN_BOOTS);
  return restarted;
}

/** Whether the sequence number is new; keeps the run without holes and what lies beyond it. */
function noteSeq(account: Account, seq: number, now: number): boolean {
  account.seenTo ??= seq - 1;
  if (seq <= account.seenTo || account.ahead.includes(seq)) return false;
  if (account.ahead.length === 0) account.aheadSince = now;
  account.ahead.push(seq);
  account.ahead.sort((a, b) => a - b);
  const before = account.seenTo;
  while (account.ahead[0] === account.seenTo + 1) account.seenTo = account.ahead.shift() ?? account.seenTo;
  if (account.seenTo !== before) account.aheadSince = now;
  return true;
}

/** Whether a report is missing for good; then forgets it: the caller asks the venue for the whole account. */
export function passGap(account: Account, now: number): boolean {
  const newest = account.ahead.at(-1);
  if (newest === undefined || now - account.aheadSince < GAP_PATIENCE_MS) return false;
  account.seenTo = newest;
  account.ahead = [];
  return true;
}

function takeFill(account: Account, fill: Extract<VenueReport, { kind: 'fill' }>): boolean {
  if (account.recent.some((seen) => seen.tradeId === fill.tradeId && seen.symbol === fill.symbol)) return false;
  const order = account.working[fill.orderId];
  if (order !== undefined) order.filledLots += fill.lots;
  const lots = signed(fill.side, fill.lots);
  const cashMicros = (fill.side === 'buy' ? -fill.notionalMicros : fill.notionalMicros) - fill.feeMicros;
  account.recent.push({ seq: fill.seq, tradeId: fill.tradeId, symbol: fill.symbol, lots, cashMicros });
  if (account.recent.length > RECENT_FILLS) account.recent.shift();
  account.fills++;
  if (fill.seq <= account.baseSeq) return true;
  book(account, { symbol: fill.symbol, lots, cashMicros });
  if (fill.quantityScale !== undefined) account.quantityScales[fill.symbol] = fill.quantityScale;
  return true;
}

function book(account: Account, fill: Pick<RecentFill, 'symbol' | 'lots' | 'cashMicros'>): void {
  account.lots[fill.symbol] = (account.lots[fill.symbol] ?? 0) + fill.lots;
  if (account.cashMicros !== undefined) account.cashMicros += fill.cashMicros;
}

/**
 * Starts from the venue's own figures and adds the fills that are newer than them: another symbol's stream may have been
 * ahead. An older report than the one in force changes nothing.
 */
function adopt(account: Account, report: Extract<VenueReport, { kind: 'account' }>): void {
  if (report.seq < account.baseSeq) return;
  account.baseSeq = report.seq;
  account.cashMicros = report.cashMicros;
  account.lots = { ...report.positions };
  Object.assign(account.quantityScales, report.quantityScales);
  for (const fill of account.recent) if (fill.seq > report.seq) book(account, fill);
}

/**
 * Forgets a symbol's orders that the venue, asked after they were sent, does not know as open. Of an order and a question
 * of the same moment the question went first: such an order is kept.
 */
export function settleWorking(account: Account, symbol: string, open: readonly string[], askedAt: number): string[] {
  const lost = workingOf(account, symbol).filter(({ id, sentAt }) => sentAt < askedAt && !open.includes(id));
  for (const { id } of lost) delete account.working[id];
  return lost.map(({ id }) => id);
}

/** Times of an earlier boot's clock say nothing by ours: orders count as sent before any question, a hole as old. In place. */
export function afterRestart(account: Account): void {
  for (const order of Object.values(account.working)) account.working[order.id] = { ...order, sentAt: 0 };
  account.aheadSince = 0;
}
