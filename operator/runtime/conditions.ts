// Conditions as kstatus reads them: one place that keeps the time of the last change.
import type { Condition } from '@tradewind/crds/schema/status.ts';

/** One aspect of the state, as a decision gives it. */
export interface Verdict {
  readonly status: Condition['status'];
  /** CamelCase code; the same word in Events, metrics and logs. */
  readonly reason: string;
  readonly message: string;
}

export const yes = (reason: string, message = ''): Verdict => ({ status: 'True', reason, message });
export const no = (reason: string, message = ''): Verdict => ({ status: 'False', reason, message });
export const unknown = (reason: string, message = ''): Verdict => ({ status: 'Unknown', reason, message });

/** Longest message that the schema takes. */
export const MESSAGE_LIMIT = 2_048;

export interface At {
  readonly generation: number;
  /** RFC 3339. */
  readonly now: string;
}

/** The conditions for `verdicts`, by type in their order; a status that did not change keeps its time. */
export function conditionsOf(
  verdicts: Readonly<Record<string, Verdict>>,
  before: readonly Condition[] | undefined,
  { generation, now }: At,
): Condition[] {
  return Object.entries(verdicts).map(([type, { status, reason, message }]) => {
    const old = before?.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: old?.status === status ? old.lastTransitionTime : now,
      reason,
      message: message.slice(0, MESSAGE_LIMIT),
    };
  });
}

export const conditionIn = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** A Condition that turned, for an Event: first sight of one that is not the quiet state counts too. */
export function turned(before: readonly Condition[] | undefined, after: readonly Condition[]): Condition[] {
  return after.filter((condition) => {
    const old = conditionIn(before, condition.type);
    return old === undefined ? condition.status !== 'Unknown' : old.status !== condition.status;
  });
}
