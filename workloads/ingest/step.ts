// The core of ingest: one shard's markets and its paper venue, moved on by events. Synchronous and deterministic: no clock,
// no I/O, no log; `t` comes with each event and never goes back. main.ts feeds it and carries out what it gives.
import type { Features, OrderRequest } from '../contract/messages.ts';
import { emitFeatures, isDue, newEmission, noteChange, type Emission } from './features.ts';
import {
  applyFrame,
  applySnapshot,
  closeGrid,
  loseLink,
  newMarket,
  type Effect,
  type Link,
  type Market,
} from './market.ts';
import { bookUpdated, matchDue, receive, type PaperAnswer, type PaperVenue } from './paper/venue.ts';
import type { Listing, MarketFrame, Snapshot } from './venue/frame.ts';

export type Event =
  /** A source's filters were read: the symbol's market begins. */
  | { readonly kind: 'listed'; readonly listing: Listing; readonly link: Link; readonly t: number }
  | { readonly kind: 'frame'; readonly frame: MarketFrame; readonly t: number }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly t: number }
  /** Connection made, heartbeat, connection lost. */
  | { readonly kind: 'linkUp' | 'heard' | 'linkDown'; readonly link: Link; readonly t: number }
  /** An entry of an orders stream. */
  | { readonly kind: 'order'; readonly request: OrderRequest; readonly requestId: string; readonly t: number }
  /** Several times a second: what is due by `t` happens. */
  | { readonly kind: 'tick'; readonly t: number };

export type Output =
  | { readonly kind: 'features'; readonly features: Features }
  | {
      readonly kind: 'snapshotWanted';
      readonly symbol: string;
      readonly because: 'Start' | 'Gap' | 'Crossed' | 'TooOld';
    }
  | { readonly kind: 'tradesMissed'; readonly symbol: string; readonly count: number }
  | { readonly kind: 'answer'; readonly answer: PaperAnswer };

/** Changed in place. */
export interface Shard {
  readonly bootId: string;
  readonly markets: Map<string, Market>;
  readonly emissions: Map<string, Emission>;
  /** Undefined outside Paper mode, and until its account is open. */
  paper: PaperVenue | undefined;
}

export const newShard = (bootId: string): Shard => ({
  bootId,
  markets: new Map(),
  emissions: new Map(),
  paper: undefined,
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
  switch (event.kind) {
    case 'frame':
      return onFrame(shard, event.frame, event.t);
    case 'tick':
      return onTick(shard, event.t);
    case 'heard':
      event.link.heardAt = event.t;
      return NONE;
    case 'snapshot':
      return onSnapshot(shard, event.snapshot, event.t);
    case 'order':
      return onOrder(shard, event);
    case 'listed':
      shard.markets.set(event.listing.symbol, newMarket(event.listing, event.link));
      if (!shard.emissions.has(event.listing.symbol)) shard.emissions.set(event.listing.symbol, newEmission());
      return NONE;
    case 'linkUp':
    case 'linkDown':
      return onLink(shard, event.link, event.kind === 'linkUp', event.t);
  }
}

function onFrame(shard: Shard, frame: MarketFrame, t: number): readonly Output[] {
  const market = shard.markets.get(frame.symbol);
  if (market === undefined) return NONE;
  const gridMoved = closeGrid(market, t);
  market.link.heardAt = t;
  const effect = applyFrame(market, frame, t);
  if (frame.kind === 'depth' && shard.paper !== undefined) bookUpdated(shard.paper, frame);
  return outputsOf(shard, market, { effect, gridMoved, t });
}

function onSnapshot(shard: Shard, snapshot: Snapshot, t: number): readonly Output[] {
  const market = shard.markets.get(snapshot.symbol);
  if (market === undefined) return NONE;
  const gridMoved = closeGrid(market, t);
  return outputsOf(shard, market, { effect: applySnapshot(market, snapshot, t), gridMoved, t });
}

function onTick(shard: Shard, t: number): readonly Output[] {
  const outputs: Output[] = [];
  for (const market of shard.markets.values()) {
    const emission = shard.emissions.get(market.symbol);
    if (emission === undefined) continue;
    const isOut = closeGrid(market, t) ? noteChange(emission, t) : isDue(emission, t);
    if (isOut) outputs.push({ kind: 'features', features: emitFeatures(market, emission, shard.bootId, t) });
  }
  return outputs;
}

function onOrder(shard: Shard, { request, requestId, t }: Extract<Event, { kind: 'order' }>): readonly Output[] {
  if (shard.paper === undefined) return NONE;
  const answer = receive(shard.paper, { request, requestId }, shard.markets.get(request.symbol), t);
  return answer === undefined ? NONE : [{ kind: 'answer', answer }];
}

function onLink(shard: Shard, link: Link, up: boolean, t: number): readonly Output[] {
  const outputs: Output[] = [];
  link.up = up;
  for (const market of shard.markets.values()) {
    if (market.link !== link) continue;
    const gridMoved = closeGrid(market, t);
    const effect: Effect = loseLink(market, t) ? { kind: 'Changed' } : { kind: 'None' };
    outputs.push(...outputsOf(shard, market, { effect, gridMoved, t }));
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
    emission !== undefined && noteChange(emission, t)
      ? [{ kind: 'features', features: emitFeatures(market, emission, shard.bootId, t) }]
      : NONE;
  if (effect.kind === 'SnapshotWanted') {
    return [{ kind: 'snapshotWanted', symbol, because: effect.because }, ...features];
  }
  if (effect.kind === 'TradesMissed') return [{ kind: 'tradesMissed', symbol, count: effect.count }, ...features];
  return features;
}

const NONE: readonly never[] = [];
