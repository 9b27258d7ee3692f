// What all benchmarks share: percentiles, figures, options.

/** The q-quantile (0 … 1) by nearest rank of unsorted samples; NaN where there are none. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export const spread = (samples: readonly number[]): Spread => ({
  p50: quantile(samples, 0.5),
  p90: quantile(samples, 0.9),
  p99: quantile(samples, 0.99),
  max: quantile(samples, 1),
});

/** Figures as they are printed by `--json`: flat names with their unit in them, e.g. `applyToAckMsP99`. */
export type Figures = Readonly<Record<string, number | string>>;

/** `prefix` + P50 … Max, rounded to three decimals. */
export function spreadFigures(prefix: string, samples: readonly number[]): Figures {
  const { p50, p90, p99, max } = spread(samples);
  const round = (value: number): number => Math.round(value * 1000) / 1000;
  return {
    [`${prefix}P50`]: round(p50),
    [`${prefix}P90`]: round(p90),
    [`${prefix}P99`]: round(p99),
    [`${prefix}Max`]: round(max),
  };
}

/** What a benchmark is given. */
export interface Options {
  /** `--name value` pairs after the benchmark's name. */
  readonly values: Readonly<Record<string, string>>;
  /** One line of progress to standard error. */
  readonly progress: (line: string) => void;
}
