// The operator dies right after each of its writes in turn, and another takes over; or lives on, and never hears the answer of
// a write that was done. What is there in the end, and the way there, are the same as without.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { once } from '../once.ts';
import { runScenario, type Mishap, type Ran } from './run.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { Turns } from './turns.ts';

/** Of a scenario with many writes each so manieth is the last in turn; FAULT_EVERY=1 takes every one, which is a matter of many minutes. */
const EVERY = Number(process.env['FAULT_EVERY'] ?? 4);
const FEW = 12;

/** Worlds that are at work at once; those that only wait to be found idle are not counted. */
const turns = new Turns(10);

async function settledAndQuiet(scenario: Scenario, mishap?: Mishap): Promise<Ran> {
  const ran = await turns.take(() => runScenario(scenario, mishap));
  try {
    await ran.world.assertQuiet(ran.operators);
  } finally {
    await ran.world.leave();
  }
  return ran;
}

/** Each in a world of its own; the first that fails is told, with where it was. */
async function inEachWorld<T>(items: readonly T[], test: (item: T) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(items.map((item) => test(item)));
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failed.length > 0) throw new Error(`${failed.length} of ${items.length}`, { cause: failed[0] });
}

async function dyingAfterEach(scenario: Scenario, undisturbed: Promise<Ran>): Promise<void> {
  const { writes, account } = await undisturbed;
  // Whoever dies after an Event has left the same behind as after the write before.
  const telling = writes
    .map(({ title, isEvent }, index) => ({ title, isEvent, index }))
    .filter(({ isEvent }) => !isEvent);
  const every = telling.length <= FEW ? 1 : EVERY;
  const last = telling.filter((_, turn) => turn % every === 0).map((write, turn) => ({ ...write, turn }));
  await inEachWorld(last, async ({ title, index, turn }) => {
    // To the server both are the same: nothing of the dead one comes any more.
    const answer = turn % 2 === 0 ? 'heard' : 'lost';
    const ran = await settledAndQuiet(scenario, { diesAfter: index + 1, answer });
    assert.deepEqual(ran.account, account, `it died after write ${index + 1}, ${title}`);
  });
}

async function hearingOfNone(scenario: Scenario, undisturbed: Promise<Ran>): Promise<void> {
  const { account } = await undisturbed;
  const ran = await settledAndQuiet(scenario, { losesAnswers: true });
  assert.deepEqual(ran.account, account);
}

/** Begun when first asked for; what fails is told by the test that asks. */
function begin(scenario: Scenario) {
  const undisturbed = settledAndQuiet(scenario);
  const runs = {
    dies: scenario.isLikeAnother ? Promise.resolve() : dyingAfterEach(scenario, undisturbed),
    hearsOfNone: hearingOfNone(scenario, undisturbed),
  };
  for (const run of Object.values(runs)) run.catch(() => undefined);
  return runs;
}

describe('a write that is the last, or is not answered', function () {
  this.timeout(1_800_000);
  const begun = SCENARIOS.map((scenario) => once(() => begin(scenario)));
  // Each run waits for most of its time: the next scenario begins while the one before comes to its end.
  const runsOf = (index: number) => {
    begun[index + 1]?.();
    return begun[index]!();
  };

  for (const [index, { name, isLikeAnother }] of SCENARIOS.entries()) {
    if (isLikeAnother !== true)
      it(`${name}: an operator that dies after any write is followed by one that does the rest, and no more`, () =>
        runsOf(index).dies);
    it(`${name}: an operator that hears of none of its writes at first does each once`, () =>
      runsOf(index).hearsOfNone);
  }
});
