// From a blended edge to an order in lots (docs/trading.md). Pure; edges, costs and σ in bps, positions as signed fractions of
// risk capital C until `lotsToTrade` makes whole lots of them.
import { sat } from '../kit/math.ts';

/** Saturation scale: at a net edge of half its standard deviation a position has 71 % of its cap. */
const FULL_SIZE_SHARE = 0.5;
/** Share above the cap from which a held position is trimmed back to it. */
const TRIM_ABOVE = 1.05;

export interface Costs {
  readonly feeBps: number;
  readonly slippageBps: number;
  readonly bufferBps: number;
  /** .5·ln(1 + cap notional / 10,000), once per configuration. */
  readonly impactBps: number;
}

/** K: what one trade costs, in bps. */
export const costBps = (costs: Costs, spreadBps: number): number =>
  costs.feeBps + costs.slippageBps + costs.bufferBps + spreadBps / 2 + costs.impactBps;

/** S: the edge, in bps, at which a position saturates. `excessBps2` is τ², what the blend errs beyond σ. */
export const scaleBps = (sigmaHorizonBps: number, excessBps2: number): number =>
  FULL_SIZE_SHARE * Math.sqrt(sigmaHorizonBps * sigmaHorizonBps + excessBps2);

/** σ over a horizon in bps from a day's fraction. */
export const sigmaOverBps = (sigmaDay: number, horizonSeconds: number): number =>
  1e4 * sigmaDay * Math.sqrt(horizonSeconds / 86_400);

export interface CapInput {
  readonly kellyFraction: number;
  readonly kellyReference: number;
  /** min(maxPositionPct, singleAssetPct, leverage·assetClassPct) as a fraction. */
  readonly positionCap: number;
  /** L/(z·σ_day): what the VaR limit alone would allow this symbol. */
  readonly varCap: number;
  /** g_dd, 0 … 1. */
  readonly drawdownFactor: number;
}

/** A: the largest |f|, proportional to the Kelly fraction. */
export const capFraction = (input: CapInput): number =>
  (input.kellyFraction / input.kellyReference) * Math.min(input.positionCap, input.varCap) * input.drawdownFactor;

/** The no-trade band around the held position: held below `lo` is bought up to it, above `hi` sold down to it. */
export interface Band {
  readonly lo: number;
  readonly hi: number;
}

export interface BandInput {
  readonly edgeBps: number;
  readonly costBps: number;
  readonly scaleBps: number;
  readonly cap: number;
  /** A spot account cannot be short. */
  readonly spot: boolean;
}

/** lo = A·sat((μ−K)/S), hi = A·sat((μ+K)/S), both ≥ 0 on spot. Finite for any S ≥ 0; never throws. */
export function bandOf({ edgeBps, costBps, scaleBps, cap, spot }: BandInput): Band {
  const at = (x: number): number => {
    const f = cap * (scaleBps > 0 ? sat(x / scaleBps) : Math.sign(x));
    return spot ? Math.max(0, f) : f;
  };
  return { lo: at(edgeBps - costBps), hi: at(edgeBps + costBps) };
}

/** f*: the held position, moved just into the band. */
export const wantedFraction = (held: number, band: Band): number => Math.max(band.lo, Math.min(held, band.hi));

/**
 * What to hold after the no-trade band: `held` itself where the change is too small to pay, except for a target of 0 or
 * a position beyond 1.05 of its cap, which is trimmed to 1.00 (price drift across a cap must not trim each tick).
 */
export function afterNoTradeBand(held: number, wanted: number, cap: number, bandShare: number): number {
  if (wanted === 0 || Math.abs(wanted - held) >= bandShare * cap) return wanted;
  return Math.abs(held) > TRIM_ABOVE * cap ? Math.sign(held) * cap : held;
}

export interface LotInput {
  readonly target: number;
  /** Filled and working. */
  readonly heldLots: number;
  readonly capitalUsd: number;
  /** Quote currency per base unit. */
  readonly price: number;
  readonly quantityScale: number;
  readonly lotStep: number;
  /** The larger of the venue's and ours. */
  readonly minNotionalUsd: number;
  readonly maxOrderLots: number;
  readonly maxOrderNotionalUsd: number;
}

export interface LotsToTrade {
  /** Signed; 0 = hold. */
  readonly lots: number;
  /** Cut to the largest order; the rest is the next decision's. No refusal. */
  readonly clipped: boolean;
}

const HOLD: LotsToTrade = { lots: 0, clipped: false };

/**
 * The order that takes the held position toward the target: rounded toward the held position, never through 0 (a flip is
 * closed first and opened by the next decision), at least the minimum notional, at most the largest order. A remainder
 * below the minimum notional, which could never be sold, is closed with the reduction.
 */
export function lotsToTrade(input: LotInput): LotsToTrade {
  const usdPerLot = input.price / input.quantityScale;
  if (!(usdPerLot > 0) || !Number.isFinite(input.target)) return HOLD;
  const minLots = Math.ceil(input.minNotionalUsd / usdPerLot / input.lotStep) * input.lotStep;
  const wanted = changeInLots(input, (input.target * input.capitalUsd) / usdPerLot, minLots);
  if (wanted === 0 || Math.abs(wanted) < minLots) return HOLD;

  const largest = roundedToward0(Math.min(input.maxOrderLots, input.maxOrderNotionalUsd / usdPerLot), input.lotStep);
  if (Math.abs(wanted) <= largest) return { lots: wanted, clipped: false };
  const held = Math.abs(input.heldLots);
  const strandsDust = wanted * input.heldLots < 0 && held > largest && held - largest < minLots;
  const size = strandsDust ? held - minLots : largest;
  return size < minLots ? HOLD : { lots: Math.sign(wanted) * size, clipped: true };
}

function changeInLots({ heldLots, lotStep }: LotInput, exact: number, minLots: number): number {
  const aim = exact * heldLots < 0 ? 0 : exact;
  const change = aim === 0 ? -heldLots : roundedToward0(aim - heldLots, lotStep);
  const leavesDust = change * heldLots < 0 && Math.abs(heldLots + change) < minLots;
  return leavesDust ? -heldLots : change;
}

const roundedToward0 = (lots: number, step: number): number => Math.trunc(lots / step) * step;
