// What a model is worth at a moment: what its record says, less what its server does not answer. Pure.
import { scoreOf, type Score } from './calibration.ts';
import type { ModelSpec } from './models.ts';
import type { Policy } from './policy.ts';
import { answeredShare, unhealthyBy, type Unhealthy } from './servers.ts';
import type { Candidate } from './selection.ts';
import type { ModelState, State } from './state.ts';

export interface Standing extends Score, Candidate {
  /**
   * Why it may not be used: of its server; NoClaim: an alpha whose last claim is over, or that has made none; Accuracy: confidence
   * below `minAccuracy`. Undefined where it may.
   */
  readonly unhealthyBy: Unhealthy | 'NoClaim' | 'Accuracy' | undefined;
}

interface Asked {
  readonly state: Pick<State, 'servers'>;
  readonly policy: Policy;
  readonly spec: ModelSpec;
  readonly model: ModelState;
  readonly now: number;
}

/** A server that answers only a part of what it is asked has that part of the confidence that its record has earned. */
export function standingOf({ state, policy, spec, model, now }: Asked): Standing {
  const score = scoreOf(model.calibration, policy.calibration);
  const server = spec.type === 'OpenInference' ? state.servers.get(spec.name) : undefined;
  const confidence = score.confidence * (server === undefined ? 1 : answeredShare(server, now));
  const ofServer = server === undefined ? undefined : unhealthyBy(server, now);
  const isMute = spec.type === 'Alpha' && model.claim === undefined;
  const unhealthy = ofServer ?? (isMute ? 'NoClaim' : confidence >= spec.minAccuracy ? undefined : 'Accuracy');
  const { beta, sampleCount, effectiveSamples } = score;
  return {
    model: spec.name,
    beta,
    confidence,
    sampleCount,
    effectiveSamples,
    healthy: unhealthy === undefined,
    unhealthyBy: unhealthy,
  };
}
