// Blends the models' claims on one symbol into one edge (docs/trading.md). Pure; called by each decision.

/** One model's claim as it stands at the decision. */
export interface Claim {
  readonly model: string;
  /** Raw claim, bps over `horizonSeconds`; `beta`, 0 … 1, corrects its scale. */
  readonly edgeBps: number;
  readonly beta: number;
  readonly horizonSeconds: number;
  readonly ageSeconds: number;
  /** 0 … 1; .5 = nothing known. */
  readonly confidence: number;
}

export interface BlendRules {
  /** A claim at or below it has no weight. */
  readonly minConfidence: number;
  readonly maxModels: number;
  readonly priorEdgeBps: number;
  /** a in 0 … 1: the prior weighs a/(1−a); 1 = the prior alone. */
  readonly shrinkage: number;
  /** By model, 0 … 1; absent = 0. */
  readonly penalties: Readonly<Record<string, number>>;
  /** By model, ≥ 0; absent = 0. */
  readonly decayFactors: Readonly<Record<string, number>>;
}

export interface Blend {
  readonly edgeBps: number;
  /** 0 … 1: Σwc/(Σw + w0). */
  readonly confidence: number;
  /** Models that had weight, heaviest first. */
  readonly models: readonly string[];
}

/** A claim beyond this is a fault of its model, in bps. */
const LARGEST_CLAIM_BPS = 100;
/** Share of a claim's life over which its weight fades to 0. The blend projects only the edge to the time left; beside a
 * second claim that still let E jump when the old one was dropped (docs/adr/0011). */
const FADE_SHARE = 0.1;

interface Weighted {
  readonly model: string;
  readonly weight: number;
  /** Calibrated edge left over the blend's horizon. */
  readonly edgeBps: number;
  readonly confidence: number;
}

/**
 * The blended edge over `horizonSeconds`, in bps: within [min, max] of the weighted edges and the prior; the prior alone
 * where no claim has weight. Deterministic and independent of the claims' order, to the bit. Never throws; claims that
 * are not finite, too large, too old or not believed are left out.
 */
export function blend(claims: readonly Claim[], horizonSeconds: number, rules: BlendRules): Blend {
  const weighted = claims
    .filter((claim) => isUsable(claim, rules))
    .map((claim) => weigh(claim, horizonSeconds, rules))
    .filter((claim) => claim.weight > 0)
    .sort(byWeightThenName)
    .slice(0, rules.maxModels);
  const priorWeight = rules.shrinkage >= 1 ? Infinity : rules.shrinkage / (1 - rules.shrinkage);
  const weightSum = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const models = weighted.map(({ model }) => model);
  if (weightSum === 0 || priorWeight === Infinity) return { edgeBps: rules.priorEdgeBps, confidence: 0, models };

  const prior = rules.priorEdgeBps;
  const edgeSum = weighted.reduce((sum, { weight, edgeBps }) => sum + weight * edgeBps, priorWeight * prior);
  const edges = weighted.map(({ edgeBps }) => edgeBps);
  if (priorWeight > 0) edges.push(prior);
  const confidenceSum = weighted.reduce((sum, { weight, confidence }) => sum + weight * confidence, 0);
  return {
    // A weighted mean can leave its own bounds by a rounding; the bounds are promised.
    edgeBps: Math.max(Math.min(...edges), Math.min(Math.max(...edges), edgeSum / (weightSum + priorWeight))),
    confidence: confidenceSum / (weightSum + priorWeight),
    models,
  };
}

function isUsable(claim: Claim, rules: BlendRules): boolean {
  const { edgeBps, beta, horizonSeconds, ageSeconds, confidence } = claim;
  if (![edgeBps, beta, horizonSeconds, ageSeconds, confidence].every(Number.isFinite)) return false;
  if (Math.abs(edgeBps) > LARGEST_CLAIM_BPS || beta < 0 || beta > 1) return false;
  return ageSeconds < horizonSeconds && confidence > rules.minConfidence;
}

/** Both factors go to 0 where a claim stops counting (confidence at the minimum, age at the horizon), so nothing jumps. */
function weigh(claim: Claim, horizonSeconds: number, rules: BlendRules): Weighted {
  const { model, horizonSeconds: own } = claim;
  const confidence = Math.min(1, claim.confidence);
  const age = Math.max(0, claim.ageSeconds);
  const penalty = rules.penalties[model] ?? 0;
  const decay = rules.decayFactors[model] ?? 0;
  const belief = (confidence - rules.minConfidence) / (1 - rules.minConfidence);
  const fade = Math.min(1, (own - age) / (FADE_SHARE * own));
  return {
    model,
    weight: (fade * belief * (1 - penalty) * Math.min(1, horizonSeconds / own)) / (1 + (decay * age) / own),
    edgeBps: (claim.beta * claim.edgeBps * Math.min(horizonSeconds, own - age)) / own,
    confidence,
  };
}

function byWeightThenName(a: Weighted, b: Weighted): number {
  if (a.weight !== b.weight) return b.weight - a.weight;
  if (a.model !== b.model) return a.model < b.model ? -1 : 1;
  return a.edgeBps - b.edgeBps;
}
