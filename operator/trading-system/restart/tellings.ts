// What a restart tells in Events, so that `kubectl describe` reads as its story. Pure.
import type { Occurrence } from '../../runtime/events.ts';
import type { Restart, StepRecord } from './record.ts';

/**
 * One Event per step that began or ended between two records, and one for the whole. In the order of the steps. Each names its
 * restart, so that none is taken for a repetition of an earlier one's.
 */
export function tellings(before: Restart | undefined, after: Restart | undefined): Occurrence[] {
  if (after?.id === undefined) return [];
  const known = before?.id === after.id && before.startedAt === after.startedAt ? before : undefined;
  const steps = (after.steps ?? []).flatMap((step) => {
    const old = known?.steps?.find(({ name }) => name === step.name);
    return old?.state === step.state || step.state === 'Pending'
      ? []
      : [told(step.name, `restart ${after.id}: ${noteOf(step)}`, step.state === 'Failed')];
  });
  const begins = known === undefined ? [told('RestartBegan', `restart ${after.id} (${after.cause}) began`)] : [];
  const isOver = known?.state !== after.state && after.state !== 'Running' && after.state !== 'Aborting';
  const ends = isOver
    ? [told(`Restart${after.state}`, `restart ${after.id}: ${after.state}`, after.state === 'Failed')]
    : [];
  return [...begins, ...steps, ...ends];
}

const told = (reason: string, note: string, isWarning = false): Occurrence => ({
  type: isWarning ? 'Warning' : 'Normal',
  reason,
  action: 'Restart',
  note,
});

function noteOf({ name, state, startedAt, endedAt, message }: StepRecord): string {
  const why = message === undefined ? '' : `: ${message}`;
  if (state === 'Running') return `${name} began`;
  if (startedAt === undefined || endedAt === undefined) return `${name}: ${state}${why}`;
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1_000;
  return `${name}: ${state} after ${seconds.toFixed(1)} s${why}`;
}
