// What status.restart records, and what follows from it for the plan: who is stopped, who may take a new template. Pure.
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import type { Restarted } from './graph.ts';
import { stepNamed } from './steps.ts';

export type Restart = NonNullable<TradingSystemStatus['restart']>;
export type StepRecord = NonNullable<Restart['steps']>[number];

type Ongoing = Restart & { readonly state: 'Running' | 'Aborting' };
type Unfinished = Restart & { readonly state: 'Running' | 'Aborting' | 'Failed' };

/** Not over, or over without having brought all back. */
export const isUnfinished = (restart: Restart | undefined): restart is Unfinished =>
  restart?.state === 'Running' || restart?.state === 'Aborting' || restart?.state === 'Failed';

/** Somebody works on it. */
export const isUnderWay = (restart: Restart | undefined): restart is Ongoing =>
  restart?.state === 'Running' || restart?.state === 'Aborting';

/** The step under way. */
export const currentOf = ({ steps = [] }: Restart): StepRecord | undefined =>
  steps.find(({ state }) => state === 'Running');

/** From its first step until trading has resumed, also where it has failed. */
export const stopsTrading = (restart: Restart | undefined): boolean =>
  isUnfinished(restart) && restart.steps?.some(({ name }) => name === 'StopTrading') === true;

interface Phases {
  readonly stop: StepRecord | undefined;
  /** Of Redis: the step that gives it a new pod. */
  readonly start: StepRecord | undefined;
}

function phasesOf({ steps = [] }: Restart, part: Restarted): Phases {
  const found = (is: (name: string) => boolean): StepRecord | undefined => steps.find(({ name }) => is(name));
  return {
    stop: found((name) => {
      const step = stepNamed(name);
      return step !== undefined && 'stop' in step && step.stop === part;
    }),
    start: found((name) => {
      const step = stepNamed(name);
      if (step === undefined) return false;
      return 'start' in step ? step.start === part : part === 'redis' && step.name === 'RestartRedis';
    }),
  };
}

const isReached = (step: StepRecord | undefined): boolean =>
  step !== undefined && step.state !== 'Pending' && step.state !== 'Skipped';

/** Whether the part is to have no pods now. */
export function isStopped(restart: Restart | undefined, part: Restarted): boolean {
  if (!isUnfinished(restart) || restart.state === 'Aborting') return false;
  const { stop, start } = phasesOf(restart, part);
  return isReached(stop) && start?.state === 'Pending';
}

/** Whether the restart has the part in hand: stopped, or on its way up. Then its pods may change without harm. */
export function isInHand(restart: Restart | undefined, part: Restarted): boolean {
  if (!isUnfinished(restart)) return false;
  const { start } = phasesOf(restart, part);
  return isStopped(restart, part) || start?.state === 'Running' || start?.state === 'Failed';
}
