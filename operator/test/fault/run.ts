// One scenario from its beginning to its rest, with an operator that may die on the way. Called by the cases.
import type { Account } from './account.ts';
import { isCounted } from './proxy.ts';
import type { Request } from './request.ts';
import type { Scenario } from './scenarios.ts';
import { aWorld, type Behind, type World } from './world.ts';

export interface Death {
  /** Right after that many writes, counted from when the scenario begins. */
  readonly afterWrites: number;
  /** Whether it hears the answer of the last. */
  readonly answer: 'heard' | 'lost';
}

export interface Ran {
  readonly world: World;
  readonly operators: readonly Behind[];
  readonly account: Account;
  /** The first operator's, from when the scenario began. */
  readonly writes: readonly Request[];
}

/** Begins, dies where it is told to, and comes to rest. The world is the caller's to leave. */
export async function runScenario(scenario: Scenario, death?: Death): Promise<Ran> {
  const world = await aWorld();
  const { from, prepare, act, isDone } = scenario;
  let operator = from === 'ready' ? await world.operator('first') : undefined;
  if (operator !== undefined) {
    await world.createReady();
    await prepare?.(world);
  }
  const mark = operator?.proxy.writes.length ?? 0;
  let died: Promise<unknown> | undefined;
  const arm = (proxy: Behind['proxy']): void => {
    if (death !== undefined) died = proxy.crashAfter(death.afterWrites, death.answer);
  };
  if (operator !== undefined) arm(operator.proxy);
  operator ??= await world.operator('first', { before: arm });
  const acted = act(world);
  const operators = [operator];
  if (died !== undefined) {
    await died;
    await operator.end();
    await world.expireLease();
    operators.push(await world.operator('second'));
  }
  await acted;
  await world.settles(scenario.name, () => isDone(world));
  const writes = operator.proxy.writes.slice(mark).filter(isCounted);
  return { world, operators, account: await world.account(), writes };
}
