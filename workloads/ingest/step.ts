// The core of ingest: one shard's markets and its paper venue, moved on by events. Synchronous and deterministic: no clock,
// no I/O, no log; `t` comes with each event and never goes back. main.ts feeds it and carries out what it gives.
import type { Features } from '../contract/messages.ts';
import { claimsAt, takeAlpha, type Alphas, type Drop, type Received } from './alphas.ts';
import { emitFeatures, isDue, newEmission, noteChange, type Emission } from './features.ts';
import {
  addMissed,
  applyFrame,
  applySnapshot,
  bookId,
  closeGrid,
  excuse,
  isStalled,
  loseLink,
  loseStream,
  loseUpdates,
  newMarket,
  setHalted,
  type Effect,
  type Link,
  type Market,
} from './market.ts';
import { misread, type Account } from './paper/account.ts';
import { bookUpdated, matchDue, receive, type Arrival, type PaperAnswer, type PaperVenue } from './paper/venue.ts';
import { reconnected } from './venue/lag.ts';
import type { Listing, MarketFrame, Snapshot, TradeFrame } from './venue/frame.ts';

export type Event =
  /** A source's filters were read: the symbol's market begins. */
  | { readonly kind: 'listed'; readonly listing: Listing; readonly link: Link; readonly t: number }
  | { readonly kind: 'frame'; readonly frame: MarketFrame; readonly t: number }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly t: number }
  /** The feed found that the venue's book of a symbol moved on without ours. */
  | { readonly kind: 'stalled'; readonly symbol: string; readonly t: number }
  /** The feed found that messages of a symbol's book were lost. */
  | { readonly kind: 'lost'; readonly symbol: string; readonly t: number }
  /** The venue trades a symbol no more, by its own word, or (undefined) again. */
  | { readonly kind: 'status'; readonly symbol: string; readonly halted: string | undefined; readonly t: number }
  /** The venue changed the bounds of a symbol's orders, but not what prices and sizes are counted in. */
  | { readonly kind: 'bounds'; readonly symbol: string; readonly listing: Listing; readonly t: number }
  /** A signal provider's claim. */
  | ({ readonly kind: 'alpha' } & Received)
  /** The feed found that trades of a symbol never came: at least so many. */
  | { readonly kind: 'tradesLost'; readonly symbol: string; readonly count: number; readonly t: number }
  /** Trades that were missed, found by REST: each once. */
  | {
      readonly kind: 'tradesFound';
      readonly symbol: string;
      readonly trades: readonly TradeFrame[];
      readonly t: number;
    }
  /** Connection made, heartbeat, connection lost. */
  | { readonly kind: 'linkUp' | 'heard' | 'linkDown'; readonly link: Link; readonly t: number }
  /** An entry of an orders stream. */
  | ({ readonly kind: 'order'; readonly t: number } & Arrival)
  /** The paper account as it was before this boot; it is moved on in place. */
  | { readonly kind: 'account'; readonly account: Account; readonly t: number }
  /** The fee of the risk parameters in force, as paper/money.ts feeRate gives it. */
  | { readonly kind: 'fee'; readonly feeRate: number; readonly t: number }
  /** Several times a second: what is due by `t` happens. */
  | { readonly kind: 'tick'; readonly t: number };

export type Output =
  | { readonly kind: 'features'; readonly features: Features }
  | {
      readonly kind: 'snapshotWanted';
      readonly symbol: string;
      readonly because: 'Start' | 'Gap' | 'Crossed' | 'TooOld';
    }
  /** A stream is dead though its connection lives: it must be asked for anew. */
  | { readonly kind: 'streamLost'; readonly symbol: string }
  /** The venue trades a symbol no more, or again. */
  | { readonly kind: 'status'; readonly symbol: string; readonly halted: string | undefined }
  /** What became of a claim: taken, or dropped. */
  | { readonly kind: 'alpha'; readonly source: string; readonly symbol: string; readonly drop: Drop | undefined }
  /** Ids in a row up to and with `lastId`; 0 where the ids are not the venue's. */
  | { readonly kind: 'tradesMissed'; readonly symbol: string; readonly count: number; readonly lastId: number }
  | { readonly kind: 'answer'; readonly answer: PaperAnswer };

/** Changed in place. */
export interface Shard {
  readonly bootId: string;
  readonly markets: Map<string, Market>;
  readonly emissions: Map<string, Emission>;
  readonly alphas: Alphas;
  /** `t` of the last tick. */
  tickedAt: number;
  /** Undefined outside Paper mode, and until its account is open. */
  paper: PaperVenue | undefined;
  /** What was held before this boot; undefined until it was read, and where nothing was. */
  held: Account | undefined;
}

export const newShard = (bootId: string): Shard => ({
  bootId,
  markets: new Map(),
  emissions: new Map(),
  alphas: new Map(),
  tickedAt: 0,
  paper: undefined,
  held: undefined,
});

/** Moves the shard on by one event; what comes out is in order. */
export function step(shard: Shard, event: Event): readonly Output[] {
  const matched = matchedBy(shard, event);
  const outputs = matched.length === 0 ? apply(shard, event) : [...matched, ...apply(shard, event)];
  return outputs;
}

/** Orders that fell due meet the books as they were before this event. */
function matchedBy({ paper, markets }: Shard, { kind, t }: Event): readonly Output[] {
  if (paper === undefined || paper.nextDue > t) return NONE;
  return matchDue(paper, markets, t, kind === 'tick').map((answer) => ({ kind: 'answer', answer }));
}

function apply(shard: Shard, event: Event): readonly Output[] {
  if ('symbol' in event) return onSymbol(shard, event);
  switch (event.kind) {
    case 'frame':
      return onFrame(shard, event.frame, event.t);
    case 'tick':
      return onTick(shard, event.t);
    case 'heard':
      event.link.heardAt = event.t;
      return NONE;
    case 'alpha':
      return onAlpha(shard, event);
    case 'snapshot':
      return onMarket(shard, event.snapshot.symbol, event.t, (market) =>
        applySnapshot(market, event.snapshot, event.t),
      );
    case 'order':
      return onOrder(shard, event, event.t);
    case 'fee':
      return onFee(shard, event.feeRate);
    case 'account':
      shard.held = event.account;
      return [...shard.markets.keys()].flatMap((symbol) => onUnits(shard, symbol, event.t));
    case 'listed':
      return onListed(shard, event);
    case 'linkUp':
    case 'linkDown':
      return onLink(shard, event.link, event.kind === 'linkUp', event.t);
  }
}

/** What a feed found out about one of its symbols. */
function onSymbol(shard: Shard, event: Extract<Event, { readonly symbol: string }>): readonly Output[] {
  const { symbol, t } = event;
  switch (event.kind) {
    case 'stalled':
      return onMarket(shard, symbol, t, (market) => loseStream(market, t));
    case 'lost':
      return onMarket(shard, symbol, t, (market) => loseUpdates(market, t));
    case 'tradesFound':
      return onMarket(shard, symbol, t, (market) => addMissed(market, event.trades));
    case 'tradesLost':
      return [{ kind: 'tradesMissed', symbol, count: event.count, lastId: 0 }];
    case 'status':
      return onStatus(shard, event);
    case 'bounds':
      return onMarket(shard, symbol, t, (market) => {
        market.listing = event.listing;
        return { kind: 'Changed' };
      });
  }
}

/**
 * Said once each time that it changes. What is held in other units than its venue counts in now is closed whatever the venue says:
 * they were changed while nobody was looking.
 */
function onStatus(
  shard: Shard,
  { symbol, halted: said, t }: Pick<Extract<Event, { kind: 'status' }>, 'symbol' | 'halted' | 't'>,
): readonly Output[] {
  const market = shard.markets.get(symbol);
  const halted = market === undefined ? said : (unreadable(shard, market) ?? said);
  if (market === undefined || market.halted === halted) return NONE;
  return [{ kind: 'status', symbol, halted }, ...onMarket(shard, symbol, t, () => setHalted(market, halted, t))];
}

const unreadable = ({ held }: Shard, { symbol, listing }: Market): string | undefined =>
  held === undefined ? undefined : misread(held, symbol, listing.instrument.quantityScale);

/** Whether what is held can be read is looked at when both the account and the venue's units are known. */
function onUnits(shard: Shard, symbol: string, t: number): readonly Output[] {
  const halted = shard.markets.get(symbol)?.halted;
  return onStatus(shard, { symbol, halted, t });
}

function onFee({ paper }: Shard, feeRate: number): readonly Output[] {
  if (paper !== undefined) paper.feeRate = feeRate;
  return NONE;
}

function onListed(shard: Shard, { listing, link, t }: Extract<Event, { kind: 'listed' }>): readonly Output[] {
  const { symbol } = listing;
  shard.markets.set(symbol, newMarket(listing, link));
  if (!shard.emissions.has(symbol)) shard.emissions.set(symbol, newEmission());
  return onUnits(shard, symbol, t);
}

function onFrame(shard: Shard, frame: MarketFrame, t: number): readonly Output[] {
  const market = shard.markets.get(frame.symbol);
  if (market === undefined) return NONE;
  const gridMoved = closeGrid(market, t);
  market.link.heardAt = t;
  const before = bookId(market);
  const effect = applyFrame(market, frame, t);
  // A frame that the book already had (two connections overlap) says nothing new about what we took from it.
  const isUpdate = frame.kind === 'depth' || frame.kind === 'change';
  if (isUpdate && shard.paper !== undefined && bookId(market) > before) bookUpdated(shard.paper, frame);
  return outputsOf(shard, market, { effect, gridMoved, t });
}

/** One that is taken goes out with the features, at once where they may. */
function onAlpha(shard: Shard, received: Received): readonly Output[] {
  const { link, edge, t } = received;
  const drop = takeAlpha(shard.alphas, received);
  const became: Output = { kind: 'alpha', source: link.source, symbol: edge.symbol, drop };
  if (drop !== undefined) return [became];
  return [became, ...onMarket(shard, edge.symbol, t, () => ({ kind: 'Changed' }))];
}

function onMarket(shard: Shard, symbol: string, t: number, change: (market: Market) => Effect): readonly Output[] {
  const market = shard.markets.get(symbol);
  if (market === undefined) return NONE;
  const gridMoved = closeGrid(market, t);
  return outputsOf(shard, market, { effect: change(market), gridMoved, t });
}

/** Ticks further apart than this say that the process itself stood still, not the venue. */
const STOOD_STILL_MS = 500;

function onTick(shard: Shard, t: number): readonly Output[] {
  const outputs: Output[] = [];
  const stoodStill = t - shard.tickedAt > STOOD_STILL_MS;
  shard.tickedAt = t;
  for (const market of shard.markets.values()) {
    const emission = shard.emissions.get(market.symbol);
    if (emission === undefined) continue;
    const gridMoved = closeGrid(market, t);
    if (stoodStill) excuse(market, t);
    if (isStalled(market, t)) {
      outputs.push(...outputsOf(shard, market, { effect: loseStream(market, t), gridMoved, t }));
      continue;
    }
    const isOut = gridMoved ? noteChange(emission, t) : isDue(emission, t);
    if (isOut) outputs.push(featuresOf(shard, market, emission, t));
  }
  return outputs;
}

function onOrder({ paper, markets }: Shard, arrival: Arrival, t: number): readonly Output[] {
  if (paper === undefined) return NONE;
  const answers = receive(paper, arrival, markets.get(arrival.request.symbol), t);
  return answers.map((answer) => ({ kind: 'answer', answer }));
}

function onLink(shard: Shard, link: Link, up: boolean, t: number): readonly Output[] {
  const outputs: Output[] = [];
  link.up = up;
  if (up && link.clock !== undefined) reconnected(link.clock);
  for (const market of shard.markets.values()) {
    if (market.link !== link) continue;
    const gridMoved = closeGrid(market, t);
    outputs.push(...outputsOf(shard, market, { effect: loseLink(market, t), gridMoved, t }));
  }
  return outputs;
}

interface Outcome {
  readonly effect: Effect;
  readonly gridMoved: boolean;
  readonly t: number;
}

/** Requests for repair go out at once, features as often as they may. */
function outputsOf(shard: Shard, market: Market, { effect, gridMoved, t }: Outcome): readonly Output[] {
  if (effect.kind === 'None' && !gridMoved) return NONE;
  const { symbol } = market;
  const emission = shard.emissions.get(symbol);
  const features: readonly Output[] =
    emission !== undefined && noteChange(emission, t) ? [featuresOf(shard, market, emission, t)] : NONE;
  if (effect.kind === 'SnapshotWanted') {
    return [{ kind: 'snapshotWanted', symbol, because: effect.because }, ...features];
  }
  if (effect.kind === 'Stalled') return [{ kind: 'streamLost', symbol }, ...features];
  if (effect.kind === 'TradesMissed') {
    const { count, lastId } = effect;
    return [{ kind: 'tradesMissed', symbol, count, lastId }, ...features];
  }
  return features;
}

function featuresOf(shard: Shard, market: Market, emission: Emission, t: number): Output {
  const features = emitFeatures(market, emission, shard.bootId, t);
  const alphas = claimsAt(shard.alphas, market.symbol, t);
  return { kind: 'features', features: alphas === undefined ? features : { ...features, alphas } };
}

const NONE: readonly never[] = [];
