// Split and Fused decide the same from the same: once every message goes through JSON as through a stream, once the stages hold the
// very objects of each other, through the lines of the fused pod.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Features, OrderRequest, Signal, VenueReport } from '../contract/messages.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import { compilePolicy as compileRisk } from '../harmoniser/policy.ts';
import { newState as newHarmoniser, type Event as RiskEvent } from '../harmoniser/state.ts';
import { step as decide } from '../harmoniser/step.ts';
import { CONFIG, FREE, SYMBOLS } from '../harmoniser/test/builders.ts';
import { IDENTITY } from '../harmoniser/test/desk.ts';
import { openAccount } from '../ingest/paper/account.ts';
import { newPaperVenue, PAPER_LATENCY } from '../ingest/paper/venue.ts';
import { newShard, step as read, type Event } from '../ingest/step.ts';
import { btcListing, ethListing } from '../ingest/test/listings.ts';
import { directLine, type Line } from '../kit/inlet.ts';
import { compilePolicy } from '../router/policy.ts';
import { newState as newRouter, type Event as RouteEvent } from '../router/state.ts';
import { step as route } from '../router/step.ts';
import { newMarket, stepMarket, type Change } from '../simulator/market.ts';
import { listingOf } from '../simulator/synthetic.ts';
import { aTradingDocument } from './test/documents.ts';

const T0 = 1_700_000_000_000;
const LISTINGS = [btcListing, ethListing];
const MARKET = { plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 5 };

/** With a signal provider beside the venue. */
const SYSTEM: SystemConfig = {
  ...CONFIG,
  sources: [{ name: 'provider', type: 'alpha', symbols: { 'BTC-USD': 'BTC' }, options: {} } as never],
};

/** How a message gets from one stage to the next. */
type Way = <T>(take: (message: T) => void) => (message: T) => void;

const throughStreams: Way = <T>(take: (message: T) => void) => {
  return (message: T) => take(JSON.parse(JSON.stringify(message)) as T);
};

function throughLines(signal: AbortSignal): Way {
  return <T>(take: (message: T) => void) => {
    const onError = (error: unknown): void => assert.fail(error as Error);
    const line: Line<T> = directLine({ onError, signal });
    void line.inlet((message) => take(message));
    return (message: T) => assert.ok(line.give(message));
  };
}

/** A shard at work on a seeded market: all that its stages said, as text at the moment at which they said it. */
function said(way: Way, seed: number, seconds: number): string[] {
  const texts: string[] = [];
  let t = T0;
  const shard = newShard('boot');
  const router = newRouter('boot');
  const harmoniser = newHarmoniser(IDENTITY, SYMBOLS);
  const document = aTradingDocument();

  const inRisk = (event: RiskEvent): void => {
    for (const output of decide(harmoniser, event)) {
      texts.push(JSON.stringify(output));
      if (output.kind === 'order') toVenue(output.order);
      if (output.kind === 'request') toVenue(output.request);
    }
  };
  const inRouter = (event: RouteEvent): void => {
    for (const output of route(router, event)) {
      texts.push(JSON.stringify(output));
      if (output.kind === 'signal') toHarmoniser(output.signal);
    }
  };
  const inIngest = (event: Event): void => {
    for (const output of read(shard, event)) {
      texts.push(JSON.stringify(output));
      if (output.kind === 'features') toRouter(output.features);
      if (output.kind === 'answer') for (const report of output.answer.reports) fromVenue(report);
    }
  };
  const toRouter = way<Features>((features) => inRouter({ kind: 'features', features, ageMs: 0, now: t }));
  const toHarmoniser = way<Signal>((signal) => inRisk({ kind: 'signal', signal, ageMs: 0, now: t }));
  const toVenue = way<OrderRequest>((request) => inIngest({ kind: 'order', request, requestId: '', transitMs: 0, t }));
  const fromVenue = way<VenueReport>((report) => inRisk({ kind: 'report', report, now: t }));

  const market = newMarket(LISTINGS.map(({ venueSymbol }) => listingOf(venueSymbol)), { seed, ...MARKET }); // prettier-ignore
  const link = { source: 'venue', up: true, heardAt: t };
  shard.paper = newPaperVenue({ bootId: 'boot', accounts: new Map(SYMBOLS.map((name) => [name, 'Spot'])), ownFeeRates: new Map(), ...PAPER_LATENCY }, openAccount(1e6), 0); // prettier-ignore
  inRouter({ kind: 'policy', policy: compilePolicy(document, SYSTEM, 0), now: t });
  inRisk({ kind: 'policy', policy: compileRisk(document, SYSTEM, 0), now: t });
  for (const [i, { listing, bids, asks, lastId }] of market.instruments.entries()) {
    const known = LISTINGS[i] ?? assert.fail(listing.symbol);
    inIngest({ kind: 'listed', listing: known, link, t });
    const { symbol } = known;
    inIngest({
      kind: 'frame',
      frame: { kind: 'depth', symbol, firstId: lastId, lastId, bids: [], asks: [], venueAt: 0 },
      t,
    });
    const snapshot = { symbol, lastId, bids: best(bids, -1), asks: best(asks, 1) };
    inIngest({ kind: 'snapshot', snapshot: { kind: 'snapshot', ...snapshot }, t });
  }
  inRisk({ kind: 'control', restraint: FREE, readable: true, now: t });
  inRisk({ kind: 'redis', connected: true, now: t });
  inRisk({ kind: 'lease', epoch: 1, now: t });
  const provider = { source: 'provider', up: true, heardAt: t, silentAfterMs: 5_000 };
  for (let i = 0; i < seconds * 10; i++) {
    provider.heardAt = t;
    // ETH halts for two seconds of the eight.
    const halt = { 20: 'BREAK', 40: undefined };
    if (Object.hasOwn(halt, i)) inIngest({ kind: 'status', symbol: 'ETH-USD', halted: halt[i as 20 | 40], t });
    const edge = { symbol: 'BTC-USD', at: t, sequence: i, edgeBps: (i % 40) - 20, horizonSeconds: 60, confidence: 0.7 };
    if (i % 7 === 0) inIngest({ kind: 'alpha', link: provider, edge, ageMs: 3, t });
    for (const [at, change] of stepMarket(market, 0.1).entries())
      for (const frame of framesOf(LISTINGS[at]?.symbol ?? '', change)) inIngest({ kind: 'frame', frame, t });
    for (let tick = 0; tick < 10; tick++) inIngest({ kind: 'tick', t: (t += 10) });
    if (i % 3 === 0) inRisk({ kind: 'tick', now: t });
  }
  return texts;
}

const best = (side: ReadonlyMap<number, number>, order: number): number[] => [...side].sort(([a], [b]) => order * (a - b)).flat(); // prettier-ignore

const framesOf = (symbol: string, { firstId, lastId, bids, asks, trades }: Change) => [
  ...trades.map((trade) => ({ kind: 'trade', symbol, venueAt: 0, ...trade }) as const),
  { kind: 'depth', symbol, firstId, lastId, bids: bids.flat(), asks: asks.flat(), venueAt: 0 } as const,
];

describe('Split and Fused', () => {
  it('say the same, word for word, on any market', () => {
    const stop = new AbortController();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const split = said(throughStreams, seed, 8);
        const fused = said(throughLines(stop.signal), seed, 8);
        assert.deepEqual(fused, split);
        for (const kind of ['signal', 'decision', 'order', 'answer'])
          assert.ok(split.some((text) => text.includes(`"kind":"${kind}"`)), kind); // prettier-ignore
        assert.ok(split.some((text) => text.includes('"kind":"fill"')));
        assert.ok(split.some((text) => text.includes('"model":"provider"')));
        assert.ok(split.some((text) => text.includes('"blockedBy":["Halted"')));
      }),
      { numRuns: 2 },
    );
  });
});
