// PodDisruptionBudgets: a node is drained one pod of a part at a time. `maxUnavailable`, as `minAvailable: 1` over a single
// pod would let no node be drained at all.
import type { V1PodDisruptionBudgetSpec } from '@kubernetes/client-node';
import { partName, type Part } from '@tradewind/workloads/contract/pods.ts';
import type { Wanted } from '../../runtime/object.ts';
import { child, labelsOf, type Context } from './frame.ts';

/** One per part that has pods; shards of a part share it, so that a drain takes one shard after the other. */
export const disruptionBudgets = (context: Context, parts: readonly Part[]): Wanted[] =>
  parts.map((part) => {
    const spec: V1PodDisruptionBudgetSpec = {
      maxUnavailable: 1,
      selector: { matchLabels: labelsOf(context, { part }) },
    };
    return child(context, 'PodDisruptionBudget', partName(context.system.metadata.name, part), {
      role: { part },
      spec,
    });
  });
