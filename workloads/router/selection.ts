// Which model is active for a symbol and horizon: rules give the candidates, confidence chooses among them, hysteresis and
// dwell keep it from flapping (TRADING B8). Pure.

export interface Candidate {
  readonly model: string;
  readonly confidence: number;
  readonly effectiveSamples: number;
  /** Answers, and is above its own minimum of confidence. */
  readonly healthy: boolean;
}

export interface SelectionRules {
  readonly minConfidence: number;
  readonly hysteresis: number;
  readonly minDwellMs: number;
}

/** A plain JSON value. */
export interface Selection {
  readonly model: string;
  /** When it became active, our clock. */
  readonly since: number;
}

export type SwitchReason =
  /** Another one is surer by more than the hysteresis. */
  | 'Confidence'
  /** The active one does not answer, or fell below its own minimum: to the default, at once. */
  | 'Failover'
  /** The rules no longer name it. */
  | 'RulesChanged';

export interface Choice {
  readonly selection: Selection;
  readonly reason?: SwitchReason;
}

/** A model must have been seen this often before it is believed over another. */
const LEAST_SAMPLES = 30;

/**
 * The selection at `now`. `candidates` in order of priority, the first one to start with; `fallback` is the default model's
 * name. While paused nothing moves, whatever the health: a frozen model that does not answer has no edge.
 */
export function choose(
  current: Selection | undefined,
  candidates: readonly Candidate[],
  { rules, fallback, paused, now }: { rules: SelectionRules; fallback: string; paused: boolean; now: number },
): Choice | undefined {
  const [first] = candidates;
  if (first === undefined) return undefined;
  if (current === undefined) return { selection: { model: first.model, since: now } };
  if (paused) return { selection: current };
  const active = candidates.find(({ model }) => model === current.model);
  if (active === undefined) return switched(first.model, 'RulesChanged', now);
  if (!active.healthy) {
    const safe = candidates.find(({ model, healthy }) => model === fallback && healthy);
    return safe === undefined ? { selection: current } : switched(safe.model, 'Failover', now);
  }
  if (now - current.since < rules.minDwellMs) return { selection: current };
  const better = bestOver(active, candidates, rules);
  return better === undefined ? { selection: current } : switched(better.model, 'Confidence', now);
}

const switched = (model: string, reason: SwitchReason, now: number): Choice => ({
  selection: { model, since: now },
  reason,
});

/** The surest of those that beat the active one; of equals the one with the lower priority number. */
function bestOver(active: Candidate, candidates: readonly Candidate[], rules: SelectionRules): Candidate | undefined {
  const needed = Math.max(active.confidence + rules.hysteresis, rules.minConfidence);
  return candidates
    .filter(
      ({ model, healthy, confidence, effectiveSamples }) =>
        model !== active.model && healthy && effectiveSamples >= LEAST_SAMPLES && confidence >= needed,
    )
    .reduce<Candidate | undefined>(
      (best, one) => (best === undefined || one.confidence > best.confidence ? one : best),
      undefined,
    );
}
