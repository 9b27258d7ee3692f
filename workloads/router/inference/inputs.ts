// What a model server is asked with. Pure.
import type { InferenceFeature } from '@tradewind/crds/schema/router-rules.ts';
import type { Features } from '../../contract/messages.ts';

const VALUES: Readonly<Record<InferenceFeature, (features: Features) => number | undefined>> = {
  pressure: ({ pressure }) => pressure,
  trade_imbalance: ({ tradeImbalance }) => tradeImbalance,
  spread_bps: ({ spreadBps }) => spreadBps,
  micro_price_bps: ({ microPrice, mid }) => 1e4 * (microPrice / mid - 1),
  return_5s_bps: ({ returnsBps }) => returnsBps.s5,
  return_30s_bps: ({ returnsBps }) => returnsBps.s30,
  return_60s_bps: ({ returnsBps }) => returnsBps.s60,
  return_300s_bps: ({ returnsBps }) => returnsBps.s300,
};

/** The named features in their order; undefined while one of them is not known: JSON has no way to say so. */
export function inputsOf(names: readonly InferenceFeature[], features: Features): readonly number[] | undefined {
  const values: number[] = [];
  for (const name of names) {
    const value = VALUES[name](features);
    if (value === undefined || !Number.isFinite(value)) return undefined;
    values.push(value);
  }
  return values;
}
