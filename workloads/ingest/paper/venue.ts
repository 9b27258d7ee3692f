// The paper venue (docs/trading.md), pure: one more venue, beside the books it fills against. step.ts feeds it requests
// and time; shell.ts makes its reports durable before anybody hears of them.
//
//   request at t ──out 20 ms──▶ venue ──feed 20 ms──▶ the book we know at t + 40 ms (+ jitter): it is matched on that one
//
// so a decision never sees what it could not have met. Fills depend only on events up to that moment.
import { BOOK_FRESH_MS, type OrderRequest, type VenueReport } from '../../contract/messages.ts';
import { ageAt } from '../lateness.ts';
import { visibleLevels, type Market } from '../market.ts';
import type { ChangeFrame, DepthFrame } from '../venue/frame.ts';
import { applyReport, misread, positionOf, type Account } from './account.ts';
import { haltRefusal, refusalOf, reserveMicros, type Facts, type NewOrder } from './checks.ts';
import { forgetUpdated, takeLevels, type TakenLevels } from './match.ts';
import { feeMicros, notionalMicros } from './money.ts';

export interface PaperConfig {
  readonly bootId: string;
  /** Kind of account by symbol; a symbol that is not here is not the shard's. */
  readonly accounts: ReadonlyMap<string, 'Spot' | 'Margin' | 'Perp'>;
  /** Symbols whose market has a fee of its own, as money.ts feeRate gives it. */
  readonly ownFeeRates: ReadonlyMap<string, number>;
  readonly outMs: number;
  readonly feedMs: number;
  /** Up to this much more, by a hash of the order's id. */
  readonly jitterMs: number;
}

export const PAPER_LATENCY = { outMs: 20, feedMs: 20, jitterMs: 5 } as const;

/** An order on its way. */
interface Waiting {
  readonly order: NewOrder;
  readonly requestId: string;
  readonly due: number;
  readonly reserved: number;
  /** The fee that it was accepted under. */
  readonly feeRate: number;
}

/** Changed in place by this file only. */
export interface PaperVenue {
  readonly config: PaperConfig;
  readonly account: Account;
  /** Of every symbol without a fee of its own: what the risk parameters in force say. */
  feeRate: number;
  /** By due, then arrival. */
  waiting: Waiting[];
  /** `due` of the first one waiting, Infinity where none is: one comparison per frame. */
  nextDue: number;
  readonly taken: Map<string, TakenLevels>;
}

/** A request as it came in. */
export interface Arrival {
  readonly request: OrderRequest;
  /** Its entry in the orders stream. */
  readonly requestId: string;
  /** How long it was on its way, by the clock of Redis: the sender's and ours are not compared. */
  readonly transitMs: number;
}

/** All that one request came to: it is journalled and published together. */
export interface PaperAnswer {
  /** Entry of the orders stream that asked; it need not be read again. */
  readonly requestId: string;
  readonly symbol: string;
  readonly reports: readonly VenueReport[];
}

type ReportBody = VenueReport extends infer R
  ? R extends VenueReport
    ? Omit<R, 'seq' | 'bootId' | 'symbol' | 't'>
    : never
  : never;

export const newPaperVenue = (config: PaperConfig, account: Account, feeRate: number): PaperVenue => ({
  config,
  account,
  feeRate,
  waiting: [],
  nextDue: Infinity,
  taken: new Map(),
});

/**
 * A request read at `t`. Refusals, cancels and accounts are answered at once, an accepted order when it is due; a
 * repeated id gets an answer without reports. `market` is undefined while the venue's filters are unknown.
 */
export function receive(
  paper: PaperVenue,
  arrival: Arrival,
  market: Market | undefined,
  t: number,
): readonly PaperAnswer[] {
  const { request, requestId } = arrival;
  const { id, symbol } = request;
  paper.account.fence = Math.max(paper.account.fence, request.epoch);
  if (request.kind === 'cancel') return cancel(paper, { request, requestId }, t);
  const answer = (...bodies: readonly ReportBody[]) => [answerOf(paper, { requestId, symbol, t }, bodies)];
  if (isKnown(paper, id)) return answer();
  if (request.kind === 'reconcile') return answer(accountReport(paper, id));
  const account = paper.config.accounts.get(symbol);
  if (account === undefined) return answer(rejected(id, `UnknownSymbol: ${symbol}`));
  if (market === undefined) return answer(rejected(id, `VenueUnavailable: filters of ${symbol} not read yet`));
  const feeRate = paper.config.ownFeeRates.get(symbol) ?? paper.feeRate;
  const { listing, halted } = market;
  const facts = factsAbout(paper, { listing, halted, account, ageMs: arrival.transitMs, feeRate });
  const refusal = refusalOf(request, facts);
  if (refusal !== undefined) return answer(rejected(id, refusal));
  const reserved = reserveMicros(request, market.listing, feeRate);
  enqueue(paper, { order: request, requestId, due: dueOf(paper.config, arrival, t), reserved, feeRate });
  return NONE;
}

/** What is left of the way to the venue, and its feed's way back, from `t` on. */
function dueOf({ outMs, feedMs, jitterMs }: PaperConfig, { request, transitMs }: Arrival, t: number): number {
  return t + Math.max(0, outMs - transitMs) + feedMs + (hashOf(request.id) % (jitterMs + 1));
}

function factsAbout(
  { account, waiting }: PaperVenue,
  known: Pick<Facts, 'listing' | 'halted' | 'account' | 'ageMs' | 'feeRate'>,
): Facts {
  const { symbol } = known.listing;
  return {
    ...known,
    freeMicros: account.cashMicros - sum(waiting.map(({ reserved }) => reserved)),
    freeLots: positionOf(account, symbol) - sum(waiting.map(({ order }) => soldLots(order, symbol))),
    heldLots: positionOf(account, symbol),
    misread: misread(account, symbol, known.listing.instrument.quantityScale),
    waiting: waiting.length,
    fence: account.fence,
  };
}

/**
 * Matches every order due before `t` (or at `t`, where `inclusive`: a tick says that nothing more of that time comes)
 * against the books as they stand: to be called before an event at `t` is applied.
 */
export function matchDue(
  paper: PaperVenue,
  markets: ReadonlyMap<string, Market>,
  t: number,
  inclusive: boolean,
): readonly PaperAnswer[] {
  if (inclusive ? paper.nextDue > t : paper.nextDue >= t) return NONE;
  const answers: PaperAnswer[] = [];
  for (let next = paper.waiting[0]; next !== undefined; next = paper.waiting[0]) {
    if (inclusive ? next.due > t : next.due >= t) break;
    removeFirst(paper);
    answers.push(execute(paper, next, markets.get(next.order.symbol)));
  }
  return answers;
}

/** A depth update of a symbol was applied: what we took from levels that changed is forgotten. */
export function bookUpdated(paper: PaperVenue, frame: DepthFrame | ChangeFrame): void {
  const taken = paper.taken.get(frame.symbol);
  if (taken !== undefined) forgetUpdated(taken, frame);
}

function execute(paper: PaperVenue, waiting: Waiting, market: Market | undefined): PaperAnswer {
  const { order, requestId, due, feeRate } = waiting;
  const about = { requestId, symbol: order.symbol, t: due };
  if (market?.halted !== undefined)
    return answerOf(paper, about, [rejected(order.id, haltRefusal(order.symbol, market.halted))]);
  if (market?.valid !== true || ageAt(market, due) > BOOK_FRESH_MS) {
    return answerOf(paper, about, [
      rejected(order.id, `BookUnavailable: ${order.symbol} is out of sequence, silent or late`),
    ]);
  }
  const side = order.side === 'buy' ? 'asks' : 'bids';
  const taken = paper.taken.get(order.symbol) ?? new Map<number, never>();
  paper.taken.set(order.symbol, taken);
  const fills = takeLevels(visibleLevels(market, side, order.limitTicks), { side, lots: order.lots }, taken);
  const filledLots = sum(fills.map((fill) => fill.lots));
  return answerOf(paper, about, [
    { kind: 'accepted', orderId: order.id },
    ...fills.map((fill, index): ReportBody => {
      const notional = notionalMicros(market.listing.instrument, fill.ticks, fill.lots, order.side);
      return {
        kind: 'fill',
        orderId: order.id,
        tradeId: `${order.id}.${index}`,
        side: order.side,
        lots: fill.lots,
        ticks: fill.ticks,
        notionalMicros: notional,
        feeMicros: feeMicros(notional, feeRate),
        quantityScale: market.listing.instrument.quantityScale,
      };
    }),
    { kind: 'done', orderId: order.id, outcome: filledLots === order.lots ? 'Filled' : 'Expired', filledLots },
  ]);
}

/**
 * A cancel in time ends the order; one for an unknown id makes sure that the order, should it still come, does nothing.
 * Both entries get their answer, the order's first: one without would hold back where a restart reads on, for good.
 */
function cancel(
  paper: PaperVenue,
  { request: { id, symbol }, requestId }: Pick<Arrival, 'request' | 'requestId'>,
  t: number,
): readonly PaperAnswer[] {
  const ended: ReportBody = { kind: 'done', orderId: id, outcome: 'Cancelled', filledLots: 0 };
  const answer = (to: string, ...bodies: readonly ReportBody[]) =>
    answerOf(paper, { requestId: to, symbol, t }, bodies);
  if (paper.account.answered.has(id)) return [answer(requestId)];
  const at = paper.waiting.findIndex(({ order }) => order.id === id);
  const [waiting] = at < 0 ? [] : paper.waiting.splice(at, 1);
  paper.nextDue = paper.waiting[0]?.due ?? Infinity;
  return waiting === undefined ? [answer(requestId, ended)] : [answer(waiting.requestId, ended), answer(requestId)];
}

function answerOf(
  paper: PaperVenue,
  { requestId, symbol, t }: { readonly requestId: string; readonly symbol: string; readonly t: number },
  bodies: readonly ReportBody[],
): PaperAnswer {
  const reports = bodies.map((body) => {
    const report: VenueReport = { seq: paper.account.seq + 1, bootId: paper.config.bootId, symbol, t, ...body };
    applyReport(paper.account, report);
    return report;
  });
  return { requestId, symbol, reports };
}

const accountReport = ({ account, waiting }: PaperVenue, requestId: string): ReportBody => ({
  kind: 'account',
  requestId,
  cashMicros: account.cashMicros,
  positions: Object.fromEntries(account.positions),
  quantityScales: Object.fromEntries(account.quantityScales),
  openOrders: waiting.map(({ order }) => order.id),
  epoch: account.fence,
});

const rejected = (orderId: string, reason: string): ReportBody => ({ kind: 'rejected', orderId, reason });

const isKnown = ({ account, waiting }: PaperVenue, id: string): boolean =>
  account.answered.has(id) || waiting.some(({ order }) => order.id === id);

const soldLots = (order: NewOrder, symbol: string): number =>
  order.symbol === symbol && order.side === 'sell' ? order.lots : 0;

function enqueue(paper: PaperVenue, waiting: Waiting): void {
  const at = paper.waiting.findIndex((other) => other.due > waiting.due);
  paper.waiting.splice(at < 0 ? paper.waiting.length : at, 0, waiting);
  paper.nextDue = paper.waiting[0]?.due ?? Infinity;
}

function removeFirst(paper: PaperVenue): void {
  paper.waiting.shift();
  paper.nextDue = paper.waiting[0]?.due ?? Infinity;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** FNV-1a, 32 bits: spreads ids evenly, the same everywhere. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const NONE: readonly PaperAnswer[] = [];
