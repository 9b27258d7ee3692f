// The desk's parameters for one shard, compiled from the desired document into a frozen snapshot that step swaps between
// two events. Percent becomes fraction, logs and powers are taken here, once.
import type { DesiredDocument } from '../contract/desired.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import type { BlendRules } from './blend.ts';
import { calendarFor, type Calendar } from './calendar.ts';
import { liquidityRules, type LiquidityRules } from './liquidity.ts';
import { naturalLog, normalQuantile } from '../kit/math.ts';
import type { Costs } from './size.ts';
import { volatilityRules, type VolatilityRules } from './volatility.ts';

export interface SymbolPolicy {
  readonly name: string;
  readonly assetClass: string;
  /** No short positions, no leverage. */
  readonly spot: boolean;
  /** The largest |f| that the account can hold; 1 on spot. */
  readonly leverage: number;
  /** Fractions of capital: of the symbol, and of Σ|f| of its class; the latter is this shard's slice. */
  readonly positionCap: number;
  readonly classCap: number;
  readonly costs: Costs;
  readonly volatility: VolatilityRules;
  /** When positions may be opened; undefined where that is in market hours only, and no calendar is named for its class. */
  readonly calendar: Calendar | undefined;
  /** Base units, quote currency, counts: the hard limits. */
  readonly maxQuantity: number;
  readonly maxOrderQuantity: number;
  readonly maxOrderNotionalUsd: number;
  readonly maxOrdersPerMinute: number;
  readonly maxOpenOrders: number;
}

export interface Policy {
  readonly owner: string;
  readonly epoch: number;
  readonly version: number;
  readonly hash: string;
  readonly capitalUsd: number;
  readonly shards: number;
  readonly kellyFraction: number;
  readonly kellyReference: number;
  readonly blend: BlendRules;
  readonly costs: { readonly feeBps: number; readonly slippageBps: number };
  readonly noTradeBand: number;
  readonly edgeTimeoutMs: number;
  readonly minNotionalUsd: number;
  /** z includes √horizon; the rest are fractions of capital, of each this shard's slice. */
  readonly var: {
    readonly z: number;
    readonly target: number;
    readonly limit: number;
    readonly breaker: number;
  };
  readonly maxDrawdownPct: number;
  readonly maxDailyLossPct: number;
  /** × capital: this shard's slice. */
  readonly maxDailyTurnover: number;
  readonly collarBps: number;
  readonly volatilityStaleMs: number;
  readonly liquidity: LiquidityRules;
  readonly symbols: ReadonlyMap<string, SymbolPolicy>;
}

/** Volatility a year and trading days a year, where nothing better is known. */
const CLASS_DEFAULTS: Readonly<Record<string, { readonly perYear: number; readonly days: number }>> = {
  crypto: { perYear: 0.6, days: 365 },
  forex: { perYear: 0.25, days: 260 },
  stocks: { perYear: 0.25, days: 252 },
};
const OTHER_CLASS = { perYear: 0.25, days: 252 };
/** What the schema says of a class without bounds of its own. */
const UNNAMED_CLASS = { maxLeverage: 1, maxPositionPct: 5 };
/** Percent per day, of classes that the parameters give no floor. */
const FLOOR_PCT_PER_DAY: Readonly<Record<string, number>> = { crypto: 2 };
const OTHER_FLOOR_PCT_PER_DAY = 0.5;

/** Trading days a year of an asset class. */
export const daysPerYear = (assetClass: string): number => (CLASS_DEFAULTS[assetClass] ?? OTHER_CLASS).days;

/** σ per day, as a fraction, of a class of which nothing better is known. */
export function defaultSigmaDay(assetClass: string): number {
  const { perYear, days } = CLASS_DEFAULTS[assetClass] ?? OTHER_CLASS;
  return perYear / Math.sqrt(days);
}

/**
 * The policy of one shard. Throws an Error that names the field where the document lacks what one of the shard's symbols
 * needs; the caller keeps the policy that it has.
 */
export function compilePolicy(document: DesiredDocument, config: SystemConfig, shard: number): Policy {
  const { shards } = config;
  const { positionSizing, limits, circuitBreaker, edgeBlending, volatility } = document.risk.params;
  const symbols = symbolsOfShard(config.symbols, shard, shards).map((symbol) => symbolPolicy(document, symbol, shards));
  const { costs } = positionSizing;
  return Object.freeze({
    owner: document.owner,
    epoch: document.epoch,
    version: document.version,
    hash: document.hash,
    capitalUsd: document.capitalUsd,
    shards,
    kellyFraction: positionSizing.kellyFraction,
    kellyReference: positionSizing.kellyReference,
    blend: {
      minConfidence: edgeBlending.minConfidence,
      maxModels: edgeBlending.maxModels,
      priorEdgeBps: edgeBlending.shrinkage.priorEdgeBps,
      shrinkage: edgeBlending.shrinkage.strength,
      penalties: edgeBlending.confidencePenalties,
      decayFactors: edgeBlending.decayFactors,
    },
    costs: { feeBps: costs.feeBps, slippageBps: costs.slippageBps },
    noTradeBand: positionSizing.noTradeBandPct / 100,
    edgeTimeoutMs: positionSizing.edgeTimeoutSeconds * 1_000,
    minNotionalUsd: positionSizing.minNotionalUsd,
    var: {
      z: normalQuantile(limits.var.confidence) * Math.sqrt(limits.var.horizonDays),
      target: limits.var.targetPct / 100 / shards,
      limit: limits.var.limitPct / 100 / shards,
      breaker: circuitBreaker.varPct / 100 / shards,
    },
    maxDrawdownPct: limits.maxDrawdownPct,
    maxDailyLossPct: Math.min(limits.maxDailyLossPct, document.hardLimits.maxDailyLossPct),
    maxDailyTurnover: document.hardLimits.maxDailyTurnover / shards,
    collarBps: document.hardLimits.collarBps,
    volatilityStaleMs: volatility.staleAfterSeconds * 1_000,
    liquidity: liquidityRules(document.rules.rules.session),
    symbols: new Map(symbols.map((symbol) => [symbol.name, symbol])),
  });
}

function symbolPolicy(
  document: DesiredDocument,
  symbol: SystemConfig['symbols'][number],
  shards: number,
): SymbolPolicy {
  const { name, assetClass, account } = symbol;
  const { positionSizing, limits, volatility } = document.risk.params;
  const ofClass = positionSizing.assetClasses[assetClass] ?? UNNAMED_CLASS;
  const hard = document.hardLimits.symbols[name];
  if (hard === undefined) throw new Error(`hardLimits.symbols.${name} is missing`);

  const spot = account === 'Spot';
  const leverage = spot ? 1 : ofClass.maxLeverage;
  const classCap = (leverage * limits.concentration.assetClassPct) / 100 / shards;
  const ownPct = positionSizing.symbols[name]?.maxPositionPct ?? Infinity;
  const positionCap = Math.min(
    Math.min(ofClass.maxPositionPct, ownPct, limits.concentration.singleAssetPct) / 100,
    classCap,
  );
  return {
    name,
    assetClass,
    spot,
    leverage,
    positionCap,
    classCap,
    costs: {
      feeBps: positionSizing.costs.feeBps,
      slippageBps: positionSizing.costs.slippageBps,
      bufferBps: positionSizing.costs.bufferBps,
      impactBps: 0.5 * naturalLog(1 + (positionCap * document.capitalUsd) / 10_000),
    },
    volatility: volatilityRules({
      lambda: volatility.lambda,
      fastHalfLifeSeconds: volatility.fastHalfLifeSeconds,
      floorPctPerDay: volatility.floorPctPerDay[assetClass] ?? FLOOR_PCT_PER_DAY[assetClass] ?? OTHER_FLOOR_PCT_PER_DAY,
      capPctPerDay: volatility.capPctPerDay,
    }),
    calendar: calendarFor(document.rules.rules.session, assetClass),
    maxQuantity: hard.maxQuantity,
    maxOrderQuantity: hard.maxOrderQuantity,
    maxOrderNotionalUsd: hard.maxOrderNotionalUsd,
    maxOrdersPerMinute: hard.maxOrdersPerMinute,
    maxOpenOrders: hard.maxOpenOrders,
  };
}
