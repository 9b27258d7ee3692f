// The whole way of a signal provider's edge, in simulated time: the simulator's market and protocol → decoder → ingest's core → router's
// core → harmoniser's blend. What the provider's edges are worth is planted, and found.
import assert from 'node:assert/strict';
import type { Features, Signal } from '../../contract/messages.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { blend } from '../../harmoniser/blend.ts';
import { aDocument, aPolicy, CONFIG } from '../../harmoniser/test/builders.ts';
import type { AlphaLink } from '../../ingest/alphas.ts';
import { newShard, step as stepIngest, type Event } from '../../ingest/step.ts';
import { decodeAlpha } from '../../ingest/venue/alpha/message.ts';
import { expectedBps, newMarket, PRESSURE_SD, stepMarket, type MarketOptions } from '../../simulator/market.ts';
import { edgeOf } from '../../simulator/oracle.ts';
import type { Player } from '../../simulator/player.ts';
import { speakAlpha } from '../../simulator/protocol/alpha.ts';
import { VENUE_TIMING } from '../../simulator/protocol/protocol.ts';
import { normalFrom, randomFrom } from '../../simulator/random.ts';
import { listingOf } from '../../simulator/synthetic.ts';
import { compilePolicy } from '../policy.ts';
import { newState, type State } from '../state.ts';
import { step as stepRouter } from '../step.ts';
import { rules } from './desk.ts';

const BTC = 'BTC-USD';
const SYMBOLS = new Map([['XBT', BTC]]);
const HORIZON = 5;
const MARKET: MarketOptions = {
  seed: 3,
  plantedAlphaBps: 10,
  alphaHorizonSeconds: HORIZON,
  pressureHalfLifeSeconds: 30,
};
const STEP_MS = 500;
const SOURCES = [
  { name: 'vertex', type: 'alpha', symbols: { [BTC]: 'XBT' }, options: {} },
] as unknown as SystemConfig['sources'];

/** A desk that is driven by the synthetic market; its provider speaks each `everyMs`, `lateMs` after it knew. */
class Way {
  readonly router: State = newState('router');
  now = 1_700_000_000_000;
  signal: Signal | undefined;
  readonly #planted: { readonly slope: number; readonly noiseBps: number };
  readonly #market = newMarket([listingOf('BTCUSDT')], MARKET);
  readonly #normal = normalFrom(randomFrom(9));
  readonly #shard = newShard('ingest');
  readonly #link: AlphaLink = { source: 'vertex', up: true, heardAt: 0, silentAfterMs: 30_000 };
  readonly #provider = speakAlpha({
    player: () => ({ symbols: ['XBT'] }) as unknown as Player,
    now: () => this.now,
    timing: VENUE_TIMING,
  });
  #sequence = 0;

  constructor(planted: { readonly slope: number; readonly noiseBps: number }) {
    this.#planted = planted;
    const policy = compilePolicy(aDocument({ rules: rules() }), { ...CONFIG, sources: SOURCES }, 0);
    stepRouter(this.router, { kind: 'policy', policy, now: this.now });
    const { symbol: venueSymbol, priceScale, quantityScale } = listingOf('BTCUSDT');
    const instrument = { priceScale, quantityScale, tickStep: 1, lotStep: 1, minNotionalUsd: 0 };
    const listing = { symbol: BTC, venueSymbol, instrument, priceDecimals: 2, quantityDecimals: 5, minLots: 1, maxLots: 1e9 }; // prettier-ignore
    this.#emit({ kind: 'listed', listing, link: { source: 'binance', up: true, heardAt: 0 }, t: this.now });
  }

  run(steps: number, { everyMs, lateMs }: { everyMs: number; lateMs: number }): this {
    for (let i = 0; i < steps; i++) {
      this.now += STEP_MS;
      stepMarket(this.#market, STEP_MS / 1_000);
      if (this.now % everyMs < STEP_MS) this.#know(this.now);
      if ((this.now - lateMs) % everyMs < STEP_MS) this.#say();
      this.#tellBook();
    }
    return this;
  }

  get record() {
    const signal = this.signal!;
    return signal.edges.find(({ model }) => model === 'vertex')!;
  }

  #know(at: number): void {
    const pressure = this.#market.instruments[0]!.pressure;
    const known = {
      bps: expectedBps(MARKET, pressure, HORIZON),
      sdBps: expectedBps(MARKET, PRESSURE_SD, HORIZON),
    };
    const edgeBps = edgeOf(known, { ...this.#planted, normal: this.#normal() });
    const sequence = ++this.#sequence;
    this.#provider.note({ kind: 'edge', symbol: 'XBT', at, sequence, edgeBps, horizonSeconds: HORIZON });
  }

  /** As text, as it would be on the wire. */
  #say(): void {
    const answer = this.#provider.rest({
      path: '/',
      query: new URLSearchParams('symbols=XBT'),
      search: '',
      method: 'GET',
      headers: {},
      body: '',
    });
    const message = decodeAlpha(JSON.stringify(answer.body), SYMBOLS);
    assert.ok(message.kind === 'edges' && message.unread.length === 0);
    this.#emit({ kind: 'heard', link: this.#link, t: this.now });
    for (const edge of message.edges)
      this.#emit({ kind: 'alpha', link: this.#link, edge, ageMs: this.now - edge.at, t: this.now });
  }

  #tellBook(): void {
    const { bestBid, bestAsk, bids, asks } = this.#market.instruments[0]!;
    const side = (best: number, levels: ReadonlyMap<number, number>): number[] => [best, levels.get(best)!];
    const frame = { kind: 'book', symbol: BTC, bids: side(bestBid, bids), asks: side(bestAsk, asks) } as const;
    this.#emit({ kind: 'frame', frame, t: this.now });
  }

  #emit(event: Event): void {
    for (const output of stepIngest(this.#shard, event)) if (output.kind === 'features') this.#route(output.features);
  }

  #route(features: Features): void {
    const event = { kind: 'features', features, ageMs: 2, now: this.now + 2 } as const;
    for (const output of stepRouter(this.router, event)) if (output.kind === 'signal') this.signal = output.signal;
  }
}

describe('the planted edges of a signal provider', () => {
  for (const [slope, noiseBps, everyMs, lateMs] of [
    [1, 0, 500, 0],
    [0.5, 0, 500, 0],
    [0.2, 5, 500, 0],
    [0.5, 0, 5_000, 0],
    [0.5, 0, 3_500, 1_000],
    [0.5, 0, 8_000, 500],
  ] as const)
    it(`are found to be worth ${slope}, with ${noiseBps} bps of noise, said each ${everyMs} ms and ${lateMs} ms late`, () => {
      const way = new Way({ slope, noiseBps });
      way.run((2_200 * Math.max(HORIZON * 1_000, everyMs)) / STEP_MS, { everyMs, lateMs });
      // A claim is made once more, as the last may be over.
      way.run(1 + (everyMs + lateMs) / STEP_MS, { everyMs: STEP_MS, lateMs: 0 });
      const { beta, confidence, sampleCount } = way.record;
      assert.ok(sampleCount >= 2_000, `${sampleCount} samples`);
      assert.ok(Math.abs(beta - slope) < 0.1, `slope ${beta}`);
      assert.ok(confidence > 0.9, `confidence ${confidence}`);
    });

  it('weigh in the harmoniser’s blend what they are worth, beside the active model, and nothing once they are over', () => {
    const way = new Way({ slope: 0.5, noiseBps: 0 }).run(12_000, { everyMs: 500, lateMs: 0 });
    const { edges, horizonSeconds, t } = way.signal!;
    const blended = (from: typeof edges, now = t) =>
      blend(
        from.map(({ model, edgeBps, beta, horizonSeconds: own, confidence, t: made }) => ({
          model,
          edgeBps,
          beta,
          horizonSeconds: own,
          confidence,
          ageSeconds: (now - made) / 1_000,
        })),
        horizonSeconds,
        aPolicy().blend,
      );
    const both = blended(edges);
    const alone = blended(edges.filter(({ model }) => model !== 'vertex'));
    assert.deepEqual([...both.models].sort(), ['order_book_pressure', 'vertex']); // prettier-ignore
    assert.notEqual(both.edgeBps, alone.edgeBps);
    const worth = way.record.beta * way.record.edgeBps;
    assert.ok(Math.abs(both.edgeBps - worth) < Math.abs(alone.edgeBps - worth), 'nearer to what the provider knows');
    assert.deepEqual(blended(edges, t + HORIZON * 1_000).models, ['order_book_pressure']);
  });
  it('that are noise find no belief, and lose their weight', () => {
    const way = new Way({ slope: 0.01, noiseBps: 100 }).run(22_000, { everyMs: 500, lateMs: 0 });
    assert.ok(way.record.beta < 0.2, `${way.record.beta}`);
  });
});
