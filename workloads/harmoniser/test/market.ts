// A closed loop without I/O: the simulator's planted market of two symbols, the router reduced to one smoothed pressure model, a venue
// that fills at the touch, and the real core. Deterministic by seed.
import type { Decision, Signal } from '../../contract/messages.ts';
import { newState, type Output, type State } from '../state.ts';
import { step } from '../step.ts';
import { aPolicy, aSignal, FREE, INSTRUMENT, ReportMaker, SYMBOLS } from './builders.ts';
import { normalFrom, randomFrom } from '../../simulator/random.ts';

const STEP_MS = 250;
const DT = STEP_MS / 1_000;
const PLANTED_BPS = 25;
const KAPPA = Math.LN2 / 30;
const DRIFT = (PLANTED_BPS * KAPPA) / (1 - Math.exp(-60 * KAPPA));
const NOISE = 0.6 / Math.sqrt(365 * 86_400);
const FEE_BPS = 3;
const SMOOTH = 1 - Math.exp(-DT / 10);

export interface Run {
  readonly state: State;
  readonly decisions: readonly Decision[];
  readonly fills: readonly { readonly t: number; readonly symbol: string; readonly side: 'buy' | 'sell' }[];
  readonly equityUsd: readonly number[];
  readonly notes: readonly string[];
}

interface Market {
  readonly symbol: string;
  mid: number;
  pressure: number;
  smoothed: number;
}

export interface RunOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Called before each quarter of a second; may feed the core events of its own. */
  readonly meanwhile?: (state: State, now: number) => Output[];
  readonly policy?: ReturnType<typeof aPolicy>;
  readonly plantedBps?: number;
}

/** Runs the loop; what comes out is a pure function of the options. */
export function runMarket({ seed, seconds, meanwhile, policy = aPolicy(), plantedBps = PLANTED_BPS }: RunOptions): Run {
  const START = 1_700_000_000_000;
  const normal = normalFrom(randomFrom(seed));
  const markets: Market[] = [61_800, 2_680].map((mid, i) => ({
    symbol: SYMBOLS[i]!,
    mid,
    pressure: 0.9,
    smoothed: 0.9,
  }));
  const state = newState({ idPrefix: 'demo', storedEstimates: {} }, SYMBOLS);
  const venue = new Venue();
  const run = {
    state,
    decisions: [] as Decision[],
    fills: venue.fills,
    equityUsd: [] as number[],
    notes: [] as string[],
  };
  const take = (outputs: readonly Output[], now: number): void => {
    for (const output of outputs) {
      if (output.kind === 'decision') run.decisions.push(output.decision);
      if (output.kind === 'note') run.notes.push(output.code);
      venue.take(output, markets, now);
    }
  };
  take(step(state, { kind: 'policy', policy, now: START }), START);
  take(step(state, { kind: 'control', restraint: FREE, readable: true, now: START }), START);
  take(step(state, { kind: 'redis', connected: true, now: START }), START);
  take(step(state, { kind: 'lease', epoch: 1, now: START }), START);
  for (let i = 0; i < (seconds * 1_000) / STEP_MS; i++) {
    const now = START + i * STEP_MS;
    move(markets, normal, plantedBps);
    if (meanwhile) take(meanwhile(state, now), now);
    for (const report of venue.reports.splice(0)) take(step(state, { kind: 'report', report, now }), now);
    for (const market of markets)
      take(step(state, { kind: 'signal', signal: signalOf(market, i, now), ageMs: 0, now }), now);
    take(step(state, { kind: 'tick', now }), now);
    run.equityUsd.push(state.equity.usd ?? 1_000_000);
  }
  return run;
}

/** p: Ornstein-Uhlenbeck with sd .5 and half-life 30 s, clamped to ±.9; noise with ρ .7. */
function move(markets: Market[], normal: () => number, plantedBps: number): void {
  const common = normal();
  for (const market of markets) {
    const noise = Math.sqrt(0.7) * common + Math.sqrt(0.3) * normal();
    const drift = (plantedBps / PLANTED_BPS) * DRIFT * market.pressure * 1e-4;
    market.mid *= 1 + drift * DT + NOISE * Math.sqrt(DT) * noise;
    const pulled = market.pressure * (1 - KAPPA * DT) + 0.5 * Math.sqrt(2 * KAPPA * DT) * normal();
    market.pressure = Math.max(-0.9, Math.min(0.9, pulled));
    market.smoothed += SMOOTH * (market.pressure - market.smoothed);
  }
}

/** Confidence as the calibration finds it on this market (.63 at 3 min, .72 at 5, .83 at 10, .91 at 30). */
const confidenceAt = (minutes: number): number => 0.5 + (0.45 * minutes) / (minutes + 5);

function signalOf({ symbol, mid, smoothed }: Market, i: number, now: number): Signal {
  const half = Math.max(1, Math.round(mid * 1e-5 * INSTRUMENT.priceScale));
  const centre = Math.round(mid * INSTRUMENT.priceScale);
  return aSignal({
    symbol,
    seq: i + 1,
    t: now,
    mid,
    edges: [{ edgeBps: 25 * smoothed, confidence: confidenceAt((i * DT) / 60) }],
    features: { bidTicks: centre - half, askTicks: centre + half, mid: centre / INSTRUMENT.priceScale },
  });
}

/** Fills what crosses, at the touch, and knows the account. */
class Venue {
  readonly fills: { t: number; symbol: string; side: 'buy' | 'sell' }[] = [];
  readonly reports: ReturnType<ReportMaker['make']>[] = [];
  readonly #maker = new ReportMaker();
  readonly #positions: Record<string, number> = {};
  #cashMicros = 1e12;

  take(output: Output, markets: readonly Market[], t: number): void {
    if (output.kind === 'request' && output.request.kind === 'reconcile') {
      const { id, symbol } = output.request;
      const account = { cashMicros: this.#cashMicros, positions: { ...this.#positions }, openOrders: [], epoch: 1 };
      this.reports.push(this.#maker.make(symbol, t, { kind: 'account', requestId: id, ...account }));
    }
    if (output.kind !== 'order') return;
    const { id, symbol, side, lots } = output.order;
    const { mid } = markets.find((market) => market.symbol === symbol)!;
    const ticks = Math.round(mid * INSTRUMENT.priceScale * (side === 'buy' ? 1.00001 : 0.99999));
    const notionalMicros = Math.round((ticks * lots * 1e6) / (INSTRUMENT.priceScale * INSTRUMENT.quantityScale));
    const feeMicros = Math.ceil((notionalMicros * FEE_BPS) / 1e4);
    this.#cashMicros += (side === 'buy' ? -notionalMicros : notionalMicros) - feeMicros;
    this.#positions[symbol] = (this.#positions[symbol] ?? 0) + (side === 'buy' ? lots : -lots);
    this.fills.push({ t, symbol, side });
    this.reports.push(
      this.#maker.make(symbol, t, { kind: 'accepted', orderId: id }),
      this.#maker.make(symbol, t, {
        kind: 'fill',
        orderId: id,
        tradeId: `${id}.0`,
        side,
        lots,
        ticks,
        notionalMicros,
        feeMicros,
      }),
      this.#maker.make(symbol, t, { kind: 'done', orderId: id, outcome: 'Filled', filledLots: lots }),
    );
  }
}
