// How a restart stands, in the words of the status: what it does, what went wrong, and what to do about it. Pure.
import type { Blocker } from '../plan.ts';
import type { Pending } from './held-back.ts';
import type { Next } from './next.ts';
import { isUnderWay, type Restart } from './record.ts';

/** `5/13 StopIngest`. */
export function progressOf({ steps = [], step }: Restart): string {
  return `${steps.findIndex(({ name }) => name === step) + 1}/${steps.length} ${step}`;
}

/** What keeps the system from Ready while a restart is under way, has failed, or was aborted half-way. */
export function* restartBlockers({ restart, wait }: Next, pending: Pending): Generator<Blocker> {
  if (isUnderWay(restart)) {
    const message = `${progressOf(restart)}: ${wait ?? 'settling'}`;
    yield { who: 'others', reason: 'Restarting', message };
  } else if (restart?.state === 'Failed') {
    const found = restart.steps?.find(({ name }) => name === restart.step)?.message ?? '';
    const message =
      `${progressOf(restart)} did not end in time: ${found}. Trading stays stopped. ` +
      'Mend it, then annotate tradewind.io/restart with a new value, or with abort to bring all up';
    yield { who: 'user', reason: 'RestartFailed', message };
  } else if (pending.parts.length > 0 && restart?.id !== pending.id) {
    const message = `${pending.parts.join(', ')}: a restart begins once the document that is on its way has arrived`;
    yield { who: 'others', reason: 'Restarting', message };
  } else if (pending.parts.length > 0) {
    const message =
      `${pending.parts.join(', ')}: pods still run what they ran before; ` +
      'annotate tradewind.io/restart with a new value to go on';
    yield { who: 'user', reason: 'RolloutAborted', message };
  }
}
