// Which model is active for a symbol and horizon: rules give the candidates, confidence chooses among them, hysteresis and
// dwell keep it from flapping (docs/trading.md). Pure.

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
  /** The one that it stands in for since that failed. */
  readonly failed?: string;
}

export type SwitchReason =
  /** Another one is surer by more than the hysteresis. */
  | 'Confidence'
  /** The active one does not answer, or fell below its own minimum: to the default, at once; from the default, rested. */
  | 'Failover'
  /** Back to the one that had failed, rested. */
  | 'Return'
  /** The rules no longer name it. */
  | 'RulesChanged';

export interface Choice {
  readonly selection: Selection;
  readonly reason?: SwitchReason;
}

interface Circumstances {
  readonly rules: SelectionRules;
  readonly fallback: string;
  readonly paused: boolean;
  /** The market is closed or not liquid: what confidences do there is no reason to switch. */
  readonly resting: boolean;
  readonly now: number;
}

/** A model must have been seen this often before it is believed over another. */
const LEAST_SAMPLES = 30;

/**
 * The selection at `now`. `candidates` in order of priority, the first one to start with and the winner of ties;
 * `fallback` is the default model's name. While paused nothing moves, whatever the health;
 * in a market that rests only what has failed is left. Whoever is active and not
 * healthy has no edge: that is for the caller to see to.
 */
export function choose(
  current: Selection | undefined,
  candidates: readonly Candidate[],
  { rules, fallback, paused, resting, now }: Circumstances,
): Choice | undefined {
  const [first] = candidates;
  if (first === undefined) return undefined;
  if (current === undefined) return { selection: { model: first.model, since: now } };
  if (paused) return { selection: current };
  const active = candidates.find(({ model }) => model === current.model);
  if (active === undefined) return switched(first.model, 'RulesChanged', now);
  if (!active.healthy && candidates.some(({ model, healthy }) => model === fallback && healthy))
    return failover(fallback, current.model, now);
  // Only a switch to the default is free of the dwell time, and each of those needs one away from it: so at most
  // 1 + T/dwell switches and as many failovers, whatever the models' health does.
  if (resting || now - current.since < rules.minDwellMs) return { selection: current };
  const better = bestOver(active, candidates, rules);
  if (better === undefined) return { selection: current };
  if (!active.healthy) return failover(better.model, current.model, now);
  return switched(better.model, better.model === current.failed ? 'Return' : 'Confidence', now);
}

const failover = (model: string, failed: string, now: number): Choice => ({
  selection: { model, since: now, failed },
  reason: 'Failover',
});

const switched = (model: string, reason: 'Confidence' | 'Return' | 'RulesChanged', now: number): Choice => ({
  selection: { model, since: now },
  reason,
});

/** The surest of those that beat the active one, which if it is not healthy needs no beating. */
function bestOver(active: Candidate, candidates: readonly Candidate[], rules: SelectionRules): Candidate | undefined {
  const toBeat = active.healthy ? active.confidence + rules.hysteresis : 0;
  const needed = Math.max(toBeat, rules.minConfidence);
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
