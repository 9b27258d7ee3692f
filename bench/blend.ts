// `bench blend`: one blend of five claims, as the harmoniser does it for each decision. Nothing else need run.
import { blend } from '@tradewind/workloads/harmoniser/blend.ts';
import { spreadFigures, type Figures } from './stats.ts';

const WARM_UP = 20_000;
const SAMPLES = 20_000;
const RULES = { minConfidence: 0.3, maxModels: 5, priorEdgeBps: 0, shrinkage: 0.1, penalties: {}, decayFactors: {} };
const CLAIMS = ['a', 'b', 'c', 'd', 'e'].map((model, i) => ({
  model,
  edgeBps: i,
  beta: 1,
  horizonSeconds: 60,
  ageSeconds: 0,
  confidence: 0.65,
}));

/** One call at a time: the clock itself is in the figure, some 30 ns. */
export async function benchBlend(): Promise<Figures> {
  const times: number[] = [];
  let sum = 0;
  for (let i = -WARM_UP; i < SAMPLES; i++) {
    const from = process.hrtime.bigint();
    sum += blend(CLAIMS, 60, RULES).edgeBps;
    if (i >= 0) times.push(Number(process.hrtime.bigint() - from) / 1_000);
  }
  if (!Number.isFinite(sum)) throw new Error('the blend is not finite');
  return { blends: SAMPLES, ...spreadFigures('blendUs', times) };
}
