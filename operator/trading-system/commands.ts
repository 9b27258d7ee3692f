// Does what annotations command, before anything is planned: what is paused is paused in this very pass.
import { HOLDS, type Hold, type TradingSystem } from '../kinds.ts';
import { isSame } from '../runtime/apply.ts';
import { ignoreGone, isConflict } from '../runtime/errors.ts';
import type { Events } from '../runtime/events.ts';
import { handled, idleCommands, PAUSE, PREFIX, type Command } from './annotations.ts';
import type { Hands } from './carry-out.ts';
import type { Known } from './observe.ts';
import { planPause, type PausePlan, type WantedHold } from './pause.ts';
import type { Refusals } from './refusals.ts';

/** What the status is to record. A command that was refused is not recorded, so the next pass tries again. */
export async function obeyCommands(
  hands: Hands,
  known: Known,
  { refusals, now }: { readonly refusals: Refusals; readonly now: number },
): Promise<Command[]> {
  const { system } = known;
  const pause = planPause(known, now);
  const isDone = await carryOutPause(hands, pause, refusals);
  const seen = isDone ? pause.command : handled(system, PAUSE);
  return [...(seen === undefined ? [] : [seen]), ...idleCommands(system, now)];
}

async function carryOutPause(hands: Hands, { create, remove }: PausePlan, refusals: Refusals): Promise<boolean> {
  const acts = [
    ...(create === undefined ? [] : [{ name: create.metadata.name, act: () => makeHold(hands, create) }]),
    ...remove.map((hold) => ({ name: hold.metadata.name, act: () => hands.api.delete(HOLDS, hold).catch(ignoreGone) })),
  ];
  let isDone = true;
  for (const { name, act } of acts) isDone = (await refusals.attempt(`Hold ${name}`, act)) && isDone;
  return isDone;
}

/** One that is there already, from a pass that was cut short, is taken for it: unless it says something else, or is on its way out. */
async function makeHold({ api, stores }: Hands, wanted: WantedHold): Promise<void> {
  const made = await api.create<Hold>(HOLDS, wanted).catch(async (error: unknown) => {
    if (!isConflict(error)) throw error;
    const found = await api.get<Hold>(HOLDS, wanted.metadata);
    if (found.metadata.deletionTimestamp !== undefined || !isSame(found.spec, wanted.spec)) throw error;
    return found;
  });
  stores.holds.put(made);
}

/** Tells what became of commands; called after the status that records them is written, so that nothing is told twice. */
export function tellCommands(events: Events, system: TradingSystem, commands: readonly Command[] = []): void {
  for (const command of commands) {
    const { name, token, outcome, by, hold } = command;
    if (handled(system, PREFIX + name)?.token === token) continue;
    const note = `annotation ${PREFIX}${name} by ${by}: ${hold === undefined ? TOLD[outcome] : `Hold ${hold} is made`}`;
    const type = outcome === 'Recorded' ? 'Warning' : 'Normal';
    events.emit(system, { type, reason: outcome, action: 'Obey', note });
  }
}

const TOLD: Readonly<Record<Command['outcome'], string>> = {
  Paused: 'paused',
  Resumed: 'the Hold that it had made is deleted',
  Recorded: 'recorded, not acted on',
};
