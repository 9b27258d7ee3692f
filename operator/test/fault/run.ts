// One scenario from its beginning to its rest, with an operator that may come to harm on the way. Called by the cases.
import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from './account.ts';
import { isCounted, type Proxy } from './proxy.ts';
import type { Fault, Request } from './request.ts';
import type { Scenario } from './scenarios.ts';
import { aWorld, type Behind, type World } from './world.ts';

export type Mishap =
  /** Right after that many writes, counted from when the scenario begins; `answer`: whether it hears that of the last. */
  | { readonly diesAfter: number; readonly answer: 'heard' | 'lost' }
  /** Each write is done, and the first time its connection is cut before the answer. */
  | { readonly losesAnswers: true };

export interface Ran {
  readonly world: World;
  readonly operators: readonly Behind[];
  readonly account: Account;
  /** The first operator's, from when the scenario began. */
  readonly writes: readonly Request[];
}

/** Begins, comes to harm as it is told to, and to rest. The world is the caller's to leave. */
export async function runScenario(scenario: Scenario, mishap?: Mishap): Promise<Ran> {
  const world = await aWorld();
  try {
    return await runIn(world, scenario, mishap);
  } catch (error) {
    await world.leave();
    throw error;
  }
}

async function runIn(world: World, scenario: Scenario, mishap?: Mishap): Promise<Ran> {
  const { name, from, prepare, act, isDone } = scenario;
  let died: Promise<unknown> | undefined;
  const arm = (proxy: Proxy): void => {
    if (mishap === undefined) return;
    if ('losesAnswers' in mishap) proxy.onRequest = losingEachOnce();
    else died = inTime(proxy.crashAfter(mishap.diesAfter, mishap.answer));
  };
  const operator = await world.operator('first', from === 'nothing' ? { before: arm } : {});
  if (from === 'ready') {
    await world.createReady();
    await prepare?.(world);
    arm(operator.proxy);
  }
  const mark = from === 'ready' ? operator.proxy.writes.length : 0;
  await Promise.all([act(world), died]);
  const operators = [operator];
  if (died !== undefined) {
    await operator.end();
    await world.expireLease();
    operators.push(await world.operator('second'));
  }
  await world.settles(name, () => isDone(world));
  const writes = operator.proxy.writes.slice(mark).filter(isCounted);
  return { world, operators, account: await world.account(), writes };
}

/** Events are fewer where two changes fall into one pass: then the last write that was counted on does not come. */
const inTime = (died: Promise<unknown>): Promise<unknown> =>
  Promise.race([died, delay(20_000, undefined, { ref: false })]);

function losingEachOnce(): (request: Request) => Fault | undefined {
  const lost = new Set<string>();
  return ({ isWrite, title }) => {
    if (!isWrite || lost.has(title)) return undefined;
    lost.add(title);
    return { do: 'lose', by: 'cut' };
  };
}
