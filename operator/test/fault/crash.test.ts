// The operator dies right after each of its writes in turn, with the answer heard and with the answer lost; another takes over.
// What is there in the end, and the way there, are the same as without.
import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { runScenario, type Death, type Ran } from './run.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { Turns } from './turns.ts';

/** Worlds that are at work at once; those that only wait to be found idle are not counted. */
const turns = new Turns(4);

async function settledAndQuiet(scenario: Scenario, death?: Death): Promise<Ran> {
  const ran = await turns.take(() => runScenario(scenario, death));
  try {
    await ran.world.assertQuiet(ran.operators);
  } finally {
    await ran.world.leave();
  }
  return ran;
}

describe('the operator that dies after a write', () => {
  for (const scenario of SCENARIOS) {
    const undisturbed = once(() => settledAndQuiet(scenario));
    for (const answer of ['heard', 'lost'] as const)
      it(`is followed by one that does the rest and no more: ${scenario.name}, the answer ${answer}`, async function () {
        this.timeout(600_000);
        const t0 = Date.now();
        const { writes, account } = await undisturbed();
        console.log(writes.map(({ title }) => title).join(', '));
        await Promise.all(
          writes.map(async ({ title }, index) => {
            const ran = await settledAndQuiet(scenario, { afterWrites: index + 1, answer });
            assert.deepEqual(ran.account, account, `after write ${index + 1}, ${title}`);
          }),
        );
        console.log(scenario.name, Date.now() - t0);
      });
  }
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
