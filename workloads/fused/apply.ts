// One desired document for all stages of a pod. Pure but for the stages themselves.
import type { DesiredDocument } from '../contract/desired.ts';
import type { TradingPart } from '../kit/pod.ts';

type Applies = Pick<TradingPart, 'apply'>;

/**
 * Each stage takes the document or keeps the one before, as each pod does by itself where they are apart: what one cannot run must
 * not keep from another what restrains it. Throws, with every stage's own words, where one did not take it: the pod has not.
 */
export const applyToAll =
  (stages: Readonly<Record<string, Applies>>) =>
  (document: DesiredDocument): void => {
    const refusals: string[] = [];
    for (const [name, stage] of Object.entries(stages)) {
      try {
        stage.apply(document);
      } catch (error) {
        refusals.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (refusals.length > 0) throw new Error(refusals.join('; '));
  };
