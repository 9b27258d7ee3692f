// What the tests of this folder start from: the example as a desired document, signals and reports.
import type { DesiredDocument } from '../../contract/desired.ts';
import type { Edge, Features, Instrument, Signal, VenueReport } from '../../contract/messages.ts';
import { restraintOf, type Restraint } from '../../contract/restraint.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { compilePolicy, type Policy } from '../policy.ts';

export const SYMBOLS = ['BTC-USD', 'ETH-USD'];

type Params = DesiredDocument['risk']['params'];

export const PARAMS: Params = {
  edgeBlending: {
    decayFactors: { order_book_pressure: 0.3, momentum: 0.5 },
    defaultConfidence: 0.5,
    minConfidence: 0.3,
    maxModels: 5,
    shrinkage: { priorEdgeBps: 0, strength: 0.1 },
    confidencePenalties: {},
    calibration: { mode: 'Enabled', priorSamples: 50 },
  },
  positionSizing: {
    kellyFraction: 0.2,
    kellyReference: 0.25,
    minNotionalUsd: 10,
    costs: { feeBps: 3, slippageBps: 1, bufferBps: 2.5 },
    noTradeBandPct: 20,
    edgeTimeoutSeconds: 3_600,
    assetClasses: { crypto: { maxLeverage: 3, maxPositionPct: 20 } },
    symbols: {},
  },
  limits: {
    var: { confidence: 0.95, horizonDays: 1, targetPct: 1.35, gatePct: 1.5, alertPct: 1.8, limitPct: 2 },
    maxDrawdownPct: 5,
    maxDailyLossPct: 2,
    concentration: { singleAssetPct: 25, assetClassPct: 60 },
  },
  volatility: {
    lambda: 0.94,
    fastHalfLifeSeconds: 3_600,
    floorPctPerDay: { crypto: 2 },
    capPctPerDay: 15,
    staleAfterSeconds: 86_400,
  },
  circuitBreaker: {
    varPct: 2.5,
    latencyMs: 100,
    halfOpen: { probes: 5, notionalPct: 0.5, totalPct: 2, minSeconds: 60 },
  },
  pace: { withinSeconds: 60, maxDepthPct: 10 },
  rollout: {
    gate: { timeoutSeconds: 3_600 },
    shadow: { decisions: 10, minSeconds: 60 },
    soak: { trades: 10, minSeconds: 300, leaseSeconds: 120 },
  },
};

const limits = (maxQuantity: number, maxOrderQuantity: number) => ({
  maxQuantity,
  maxOrderQuantity,
  maxOrderNotionalUsd: 100_000,
  maxOrdersPerMinute: 30,
  maxOpenOrders: 5,
});

export const CONFIG: SystemConfig = {
  system: { name: 'demo', namespace: 'trading', uid: 'uid' },
  execution: { mode: 'Paper', onDelete: 'Stop', onHalt: 'Hold' },
  symbols: SYMBOLS.map((name) => ({
    name,
    assetClass: 'crypto',
    account: 'Spot',
    horizons: ['60s', '5m'],
    group: 'majors',
  })),
  sources: [],
  shards: 1,
  redisUrl: 'redis://127.0.0.1:6379',
  venueUrls: {},
};

type Rules = DesiredDocument['rules']['rules'];

/** Router rules of which the harmoniser reads the session only. */
export const rulesWith = (session: Rules['session']): Rules => ({ session }) as Rules;

export function aDocument(change: Partial<DesiredDocument> = {}, params: Params = PARAMS): DesiredDocument {
  return {
    owner: 'uid',
    epoch: 1,
    version: 1,
    hash: 'hash-1',
    system: { name: 'demo', namespace: 'trading' },
    trading: 'Enabled',
    capitalUsd: 1_000_000,
    hardLimits: {
      symbols: { 'BTC-USD': limits(5, 1), 'ETH-USD': limits(80, 15) },
      maxDailyTurnover: 500,
      maxDailyLossPct: 2,
      collarBps: 50,
      referenceCollarBps: 100,
    },
    risk: { revision: 'r1', params },
    rules: { revision: 'r1', rules: rulesWith({ marketHoursOnly: false }) },
    holds: [],
    ...change,
  };
}

export const aPolicy = (change: Partial<DesiredDocument> = {}, params: Params = PARAMS): Policy =>
  compilePolicy(aDocument(change, params), CONFIG, 0);

/** That of symbols of `assetClass` whose rules have this session. */
export function inSession(session: Rules['session'], assetClass = 'crypto'): Policy {
  const symbols = CONFIG.symbols.map((symbol) => ({ ...symbol, assetClass }));
  return compilePolicy(aDocument({ rules: { revision: 'r', rules: rulesWith(session) } }), { ...CONFIG, symbols }, 0);
}

/** The same parameters at another Kelly fraction. */
export const withKelly = (kellyFraction: number): Params => ({
  ...PARAMS,
  positionSizing: { ...PARAMS.positionSizing, kellyFraction },
});

export const FREE: Restraint = restraintOf(aDocument(), [], 0);
export const STOPPED: Restraint = restraintOf(aDocument({ trading: 'Stopped' }), [], 0);

export const INSTRUMENT: Instrument = {
  priceScale: 100,
  quantityScale: 100_000,
  tickStep: 1,
  lotStep: 1,
  minNotionalUsd: 5,
};

export interface SignalOptions {
  readonly symbol?: string;
  readonly seq?: number;
  readonly t: number;
  readonly mid?: number;
  readonly edges?: readonly Partial<Edge>[];
  readonly features?: Partial<Features>;
  readonly featuresAgeMs?: number;
}

/** A signal of one pressure claim of 20 bps at 60 s, confidence .8, on a valid book 20 ticks wide. */
export function aSignal(options: SignalOptions): Signal {
  const { symbol = 'BTC-USD', seq = 1, t, mid = 60_000, edges, features, featuresAgeMs = 0 } = options;
  const centre = Math.round(mid * INSTRUMENT.priceScale);
  const book: Features = {
    symbol,
    seq,
    bootId: 'ingest-1',
    t,
    instrument: INSTRUMENT,
    valid: true,
    heardAt: t,
    bidTicks: centre - 10,
    askTicks: centre + 10,
    bidLots: 1e6,
    askLots: 1e6,
    mid: centre / INSTRUMENT.priceScale,
    microPrice: mid,
    spreadBps: 0.03,
    pressure: 0,
    tradeImbalance: 0,
    returnsBps: {},
    frames: seq,
    trades: seq,
    tradedLots: seq,
    ...features,
  };
  return {
    symbol,
    seq,
    bootId: 'router-1',
    t,
    features: book,
    featuresAgeMs,
    active: { '60': 'order_book_pressure' },
    edges: (edges ?? [{}]).map((edge) => ({
      model: 'order_book_pressure',
      horizonSeconds: 60,
      edgeBps: 20,
      t,
      confidence: 0.8,
      beta: 1,
      sampleCount: 100,
      ...edge,
    })),
    horizonSeconds: 60,
    routerPaused: false,
    calibrated: true,
  };
}

type ReportBody = VenueReport extends infer R
  ? R extends VenueReport
    ? Omit<R, 'seq' | 'bootId' | 'symbol' | 't'>
    : never
  : never;

/** Numbers a venue's reports, one sequence over all symbols. */
export class ReportMaker {
  seq = 0;
  bootId = 'venue-1';

  make(symbol: string, t: number, body: ReportBody): VenueReport {
    return { seq: ++this.seq, bootId: this.bootId, symbol, t, ...body };
  }
}
